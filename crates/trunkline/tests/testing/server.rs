//! Clients of a server in this process.

use futures_util::StreamExt;
use std::{error::Error, time::Duration};
use tokio::sync::mpsc;
use trunkline::{
    Client, Fault, FaultKind, Headers, Identity, Peer, Router, Server,
    access::Access,
    client::{Builder, DialError},
    security::unauthenticated,
    testing::TestServer,
};

#[trunkline::service(scope = "rooms")]
trait Rooms {
    async fn join(&self, room: String) -> Result<usize, Fault>;
    async fn guests(&self, room: String) -> impl futures_util::Stream<Item = String>;
}

struct Lobby;

impl Rooms for Lobby {
    async fn join(&self, room: String) -> Result<usize, Fault> {
        if room == "lobby" { Ok(2) } else { Err(format!("there is no {room}").into()) }
    }

    async fn guests(&self, room: String) -> impl futures_util::Stream<Item = String> {
        futures_util::stream::iter(["Ada".to_owned(), room])
    }
}

/// The ways to reach a server by which it can call its clients: over HTTP it cannot.
fn connections(server: &TestServer) -> Vec<Builder> {
    vec![server.builder(), server.websocket()]
}

/// All the ways to reach a server.
fn all(server: &TestServer) -> Vec<Builder> {
    let mut all = connections(server);
    all.push(server.http());
    all
}

#[tokio::test]
async fn typed_clients_have_results_faults_and_streams() {
    let server = TestServer::new(Router::new().service(RoomsService::new(Lobby)));
    for client in all(&server) {
        let rooms = RoomsClient::new(client.connect().await.unwrap());
        assert_eq!(rooms.join("lobby".into()).await.unwrap(), 2);
        let refused = rooms.join("attic".into()).await.unwrap_err();
        assert_eq!(refused.to_string(), "there is no attic");
        let guests: Vec<String> =
            rooms.guests("lobby".into()).await.unwrap().map(Result::unwrap).collect().await;
        assert_eq!(guests, ["Ada", "lobby"]);
    }
}

#[tokio::test]
async fn a_server_calls_its_clients() {
    let greet = async |peer: Peer| peer.call::<String>("your.name", ()).await;
    let server = TestServer::new(Router::new().procedure("greet", greet));
    for client in connections(&server) {
        let (said, mut heard) = mpsc::unbounded_channel::<String>();
        let own = Router::new()
            .procedure("your.name", async || "Ada")
            .procedure("news", move |text: String| std::future::ready(said.send(text).is_ok()));
        let client = client.router(own).connect().await.unwrap();
        assert_eq!(client.call::<String>("greet", ()).await.unwrap(), "Ada");
        for peer in server.peers().all() {
            peer.notify("news", ("it rains",)).unwrap();
        }
        assert_eq!(heard.recv().await.unwrap(), "it rains");
        client.close().await;
    }
}

async fn whoami(identity: Identity) -> Option<String> {
    identity.subject().map(str::to_owned)
}

fn secured() -> TestServer {
    let access = Access::new().bearer(async |token| match &*token {
        "lovelace" => Ok(Identity::new("ada")),
        _ => Err(unauthenticated("the token is not known")),
    });
    TestServer::new(Server::new(Router::new().procedure("whoami", whoami)).security(access))
}

#[tokio::test]
async fn credentials_are_shown_however_it_is_reached() {
    for client in all(&secured()) {
        let ada = client.bearer("lovelace").connect().await.unwrap();
        assert_eq!(ada.call::<String>("whoami", ()).await.unwrap(), "ada");
    }
    for client in all(&secured()) {
        let nobody = client.connect().await.unwrap();
        assert_eq!(nobody.call::<Option<String>>("whoami", ()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn credentials_that_are_not_accepted_are_refused() {
    let refused = secured().builder().bearer("byron").connect().await.unwrap_err();
    assert!(matches!(refused, DialError::Unauthenticated { .. }), "{refused:?}");
    let refused = secured().websocket().bearer("byron").connect().await.unwrap_err();
    assert!(refused.source().unwrap().to_string().contains("401"), "{refused:?}");
    let eve = secured().http().bearer("byron").connect().await.unwrap();
    let refused = eve.call::<String>("whoami", ()).await.unwrap_err();
    assert_eq!(refused.kind(), FaultKind::Unauthenticated, "{refused}");
}

#[tokio::test]
async fn headers_go_with_requests() {
    let tenant = async |headers: Headers| {
        headers.0.get("x-tenant").and_then(|tenant| tenant.to_str().ok()).map(str::to_owned)
    };
    let server = TestServer::new(Router::new().procedure("tenant", tenant));
    for client in [server.websocket(), server.http()] {
        let client = client.header("x-tenant", "acme").connect().await.unwrap();
        assert_eq!(client.call::<String>("tenant", ()).await.unwrap(), "acme");
    }
}

/// As it is with servers elsewhere; here no time passes meanwhile.
#[tokio::test(start_paused = true)]
async fn a_connection_that_is_lost_is_made_anew() {
    let server = TestServer::new(Router::new().procedure("ping", async || "pong"));
    for client in connections(&server) {
        let client: Client = client.connect().await.unwrap();
        for _ in 0..3 {
            assert_eq!(client.call::<String>("ping", ()).await.unwrap(), "pong");
            let before = client.server().unwrap();
            server.peers().all().iter().for_each(Peer::abort);
            before.closed().await;
        }
        assert_eq!(client.call::<String>("ping", ()).await.unwrap(), "pong");
        client.close().await;
    }
}

/// Who does not read is told apart from who is far away.
#[tokio::test(start_paused = true)]
async fn a_narrow_pipe_shows_who_does_not_read() {
    let limits = trunkline::Limits::default().stall_timeout(Duration::from_secs(5));
    let router = Router::new().procedure("much", async || "x".repeat(1_000));
    let server = TestServer::new(Server::new(router).limits(limits)).pipe(100);
    let mut wire = trunkline::testing::Wire::to(&server);
    wire.line(r#"{"jsonrpc":"2.0","id":1,"method":"much"}"#).await;
    assert!(matches!(wire.ended().await, trunkline::Ended::Stalled));
}
