//! Clients that say who they are, over every transport.

use crate::world::{access, router, shut};
use std::{error::Error, net::SocketAddr, time::Duration};
use tokio::sync::mpsc;
use trunkline::{
    Client, Fault, FaultKind, Hooks, Link, Peer, Server,
    client::{Builder, ConnectionState, DialError, Reconnect},
};

/// HTTP and WebSocket at the first address, TCP at the second, and a Unix socket.
async fn serve(path: &std::path::Path, hooks: Hooks) -> (SocketAddr, SocketAddr) {
    let bound = Server::new(router(&shut()))
        .security(access(&shut()))
        .hooks(hooks)
        .http("127.0.0.1:0")
        .tcp("127.0.0.1:0")
        .unix(path)
        .bind()
        .await
        .unwrap();
    let addresses = bound.addresses();
    tokio::spawn(bound.serve());
    (addresses[0], addresses[1])
}

fn path(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("trunkline-access-{name}-{}", std::process::id()))
}

async fn whoami(client: &Client) -> Result<String, Fault> {
    client.call("whoami", ()).await
}

#[tokio::test]
async fn a_bearer_token_goes_wherever_it_can() {
    let path = path("token");
    let (http, tcp) = serve(&path, Hooks::default()).await;
    for address in [
        format!("http://{http}"),
        format!("ws://{http}"),
        format!("tcp://{tcp}"),
        format!("unix:{}", path.display()),
    ] {
        let client = Client::builder(&address).bearer("ada").connect().await.unwrap();
        assert_eq!(whoami(&client).await.unwrap(), "ada", "{address}");
        let lazy = Client::builder(&address).bearer("bob").connect_lazy().unwrap();
        assert_eq!(whoami(&lazy).await.unwrap(), "bob", "{address}");
        let nobody = Client::connect(&address).await.unwrap();
        assert_eq!(whoami(&nobody).await.unwrap(), "nobody", "{address}");
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_told() {
    let path = path("refused");
    let (http, tcp) = serve(&path, Hooks::default()).await;
    let error = Client::builder(format!("tcp://{tcp}")).bearer("eve").connect().await.unwrap_err();
    assert!(matches!(error, DialError::Unauthenticated { .. }), "{error:?}");
    assert_eq!(error.source().unwrap().to_string(), "the token is not known");
    let error = Client::builder(format!("ws://{http}")).bearer("eve").connect().await.unwrap_err();
    assert!(error.source().unwrap().to_string().contains("401"), "{error:?}");
    let client = Client::builder(format!("http://{http}")).bearer("eve").connect().await.unwrap();
    assert_eq!(whoami(&client).await.unwrap_err().kind(), FaultKind::Unauthenticated);
    // who connects in the background goes on trying, and does not call meanwhile
    let lazy = Client::builder(format!("tcp://{tcp}")).bearer("eve").reconnect(Reconnect::never());
    let lazy = lazy.connect_lazy().unwrap();
    let fault = whoami(&lazy).await.unwrap_err();
    assert!(fault.message().contains("the token is not known"), "{fault}");
}

#[tokio::test]
async fn credentials_may_be_of_any_shape() {
    let path = path("shape");
    let (http, tcp) = serve(&path, Hooks::default()).await;
    for address in [format!("ws://{http}"), format!("tcp://{tcp}")] {
        let client = Client::builder(&address).credentials(["ada"]).connect().await.unwrap();
        assert_eq!(whoami(&client).await.unwrap(), "ada", "{address}");
    }
    let error = Client::builder(format!("http://{http}")).credentials(["ada"]).connect().await.unwrap_err();
    assert!(error.to_string().contains("credentials are headers"), "{error}");
    let error = Client::builder(format!("http://{http}")).bearer("a\nb").connect().await.unwrap_err();
    assert!(matches!(error, DialError::Credentials { .. }), "{error:?}");
}

#[tokio::test]
async fn over_a_link_that_is_there() {
    let (here, there) = Link::pair();
    tokio::spawn(Server::new(router(&shut())).security(access(&shut())).serve_link(there));
    let client = Client::over(here).bearer("ada").connect().await.unwrap();
    assert_eq!(whoami(&client).await.unwrap(), "ada");
}

/// A client that connects again without delay, and tells when it has lost a connection.
fn quick(address: &str) -> (Builder, mpsc::UnboundedReceiver<()>) {
    let (send, lost) = mpsc::unbounded_channel();
    let quick = Reconnect::backoff(Duration::from_millis(1), Duration::from_millis(2));
    let builder = Client::builder(address).reconnect(quick).on_state(move |state| {
        if matches!(state, ConnectionState::Disconnected { .. }) {
            // the test may be over
            let _ = send.send(());
        }
    });
    (builder, lost)
}

/// T27: a connection that is made anew is of the same caller, before any call is made.
#[tokio::test]
async fn a_client_that_reconnects_says_again_who_it_is() {
    let (send, mut peers) = mpsc::unbounded_channel::<Peer>();
    let hooks = Hooks::default().on_connect(move |peer| drop(send.send(peer.clone())));
    let path = path("again");
    let (http, tcp) = serve(&path, hooks).await;
    for address in [format!("ws://{http}"), format!("tcp://{tcp}")] {
        let (builder, mut lost) = quick(&address);
        let client = builder.bearer("ada").connect().await.unwrap();
        for _ in 0..3 {
            assert_eq!(whoami(&client).await.unwrap(), "ada");
            peers.recv().await.unwrap().abort();
            lost.recv().await.unwrap();
        }
        assert_eq!(whoami(&client).await.unwrap(), "ada");
        peers.recv().await.unwrap();
    }
}

/// T27: who authenticates later is that one after a reconnect, too.
#[tokio::test]
async fn a_client_may_become_somebody_else() {
    let (send, mut peers) = mpsc::unbounded_channel::<Peer>();
    let hooks = Hooks::default().on_connect(move |peer| drop(send.send(peer.clone())));
    let path = path("else");
    let (http, tcp) = serve(&path, hooks).await;
    for address in [format!("ws://{http}"), format!("tcp://{tcp}")] {
        let (builder, mut lost) = quick(&address);
        let client = builder.connect().await.unwrap();
        for (token, name) in [("ada", Some("ada")), ("bob", Some("bob")), ("eve", None)] {
            let known = client.authenticate([token]).await;
            assert_eq!(known.ok().flatten().as_deref(), name);
            for _ in 0..2 {
                assert_eq!(whoami(&client).await.unwrap(), name.unwrap_or("nobody"), "{address}");
                peers.recv().await.unwrap().abort();
                lost.recv().await.unwrap();
            }
        }
        whoami(&client).await.unwrap();
        peers.recv().await.unwrap();
    }
    let posting = Client::connect(format!("http://{http}")).await.unwrap();
    assert!(posting.authenticate(["ada"]).await.unwrap_err().message().contains("headers"));
}
