//! Messages to clients, and events between servers, whichever server has whom.

use crate::world::{Handler, LONG, Net, World};
use futures_util::{FutureExt, StreamExt, future::join_all};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::yield_now,
    time::{Instant, timeout},
};
use trunkline::{
    Call, Client, Cluster, ConnectionId, Context, Fault, FaultKind, InProcess, Limits, ProcedureName,
    RawArgs, Router, Server, broker::Memory, testing::TestServer,
};

/// A server that tells clients what their connections are called.
fn gateway(net: &Net) -> Server {
    let router = Router::new().procedure("id", async |context: Context| context.connection().id());
    net.server(router).limits(Limits::default().call_timeout(LONG))
}

/// A server, once others can reach it.
async fn started(server: Server) -> TestServer {
    let server = TestServer::new(server);
    server.joined().await;
    server
}

/// A client, and what it is told.
struct Listener {
    client: Client,
    id: ConnectionId,
    told: UnboundedReceiver<(String, Value)>,
}

impl Listener {
    async fn of(server: &TestServer) -> Self {
        let (tell, told) = unbounded_channel();
        let router = Router::new().fallback(move |ProcedureName(name), args: RawArgs| {
            let sent = tell.send((name, args.0.map_or(Value::Null, |args| args.decode().unwrap())));
            async move { sent.map_err(Fault::internal) }
        });
        let client = server.builder().router(router).call_timeout(LONG).connect_lazy().unwrap();
        let id = client.call("id", ()).await.unwrap();
        Self { client, id, told }
    }

    async fn hear(&mut self) -> (String, Value) {
        self.told.recv().await.unwrap()
    }

    /// What it has been told when it has been told all.
    async fn heard(&mut self) -> Vec<(String, Value)> {
        self.client.call::<Value>("id", ()).await.unwrap();
        std::iter::from_fn(|| self.told.try_recv().ok()).collect()
    }
}

fn said(name: &str, what: Value) -> (String, Value) {
    (name.to_owned(), what)
}

/// A server without clients, which sends to those of others.
fn sending() -> Router {
    Router::new()
        .procedure("tell", async |cluster: Cluster, (to, text): (ConnectionId, String)| {
            cluster.send_to(to, "said", (text,)).await
        })
        .procedure("tell_me", async |cluster: Cluster, context: Context, text: String| {
            cluster.send_to(context.connection().id(), "said", (text,)).await
        })
        .procedure("tell_all", async |cluster: Cluster, text: String| cluster.broadcast("said", [text]))
}

pub(crate) async fn a_handler_reaches_the_client_of_any_gateway<W: World>() {
    let net = W::any().await.net();
    let _handler = Handler::start(&net, sending()).await;
    let (one, two) = (started(gateway(&net)).await, started(gateway(&net)).await);
    let (mut ada, mut bob) = (Listener::of(&one).await, Listener::of(&two).await);
    assert_ne!(ada.id.holder(), bob.id.holder());
    assert_eq!(ada.client.call::<()>("tell", (bob.id, "hello")).await, Ok(()));
    assert_eq!(bob.hear().await, said("said", json!(["hello"])));
    assert_eq!(bob.client.call::<()>("tell_me", "myself").await, Ok(()), "it knows who has asked");
    assert_eq!(bob.heard().await, [said("said", json!(["myself"]))]);
    assert_eq!(ada.heard().await, []);
}

pub(crate) async fn guards_of_programs_are_no_obstacle_to_the_network_itself<W: World>() {
    let net = W::any().await.net();
    let within = |call: &Call<'_>| match call.procedure {
        "id" => Ok(()),
        _ => Err(Fault::new(FaultKind::Forbidden, "go away")),
    };
    let id = async |context: Context| context.connection().id();
    let router = || Router::new().procedure("id", id).guard(within);
    let (one, two) = (net.server(router()), net.server(router()));
    let cluster = one.cluster();
    let (_one, two) = (started(one).await, started(two).await);
    let mut ada = Listener::of(&two).await;
    assert_eq!(cluster.send_to(ada.id, "said", 1).await, Ok(()));
    assert_eq!(ada.heard().await, [said("said", json!([1]))]);
}

pub(crate) async fn a_connection_that_is_not_there_is_not_found<W: World>() {
    let net = W::any().await.net();
    let server = gateway(&net);
    let cluster = server.cluster();
    let (here, there) = (started(server).await, started(gateway(&net)).await);
    for server in [&here, &there] {
        let Listener { client, id, .. } = Listener::of(server).await;
        assert_eq!(cluster.send_to(id, "said", ()).await, Ok(()));
        let peer = server.peers().get(id).unwrap();
        client.close().await;
        peer.closed().await;
        while server.peers().get(id).is_some() {
            yield_now().await;
        }
        assert_eq!(cluster.send_to(id, "said", ()).await.unwrap_err().kind(), FaultKind::NotFound);
    }
    let nowhere = "919108f7-52d1-4320-9bac-f847db4148a8".parse().unwrap();
    for id in [nowhere, trunkline::Connection::new("http", "none").id()] {
        let fault = cluster.send_to(id, "said", ()).await.unwrap_err();
        let told = "there is no such connection, or it has ended";
        assert_eq!((fault.kind(), fault.message()), (FaultKind::NotFound, told), "{id}");
    }
}

pub(crate) async fn what_is_broadcast_reaches_every_client_once<W: World>() {
    let net = W::any().await.net();
    let _handler = Handler::start(&net, sending()).await;
    let server = gateway(&net);
    let cluster = server.cluster();
    let (one, two) = (started(server).await, started(gateway(&net)).await);
    let apart = started(gateway(&net.other())).await;
    let mut all = join_all([&one, &one, &two].map(Listener::of)).await;
    let mut other = Listener::of(&apart).await;
    cluster.broadcast("said", ["from a gateway"]).unwrap();
    assert_eq!(all[0].client.call::<()>("tell_all", "from a handler").await, Ok(()));
    for client in &mut all {
        let heard = [client.hear().await, client.hear().await];
        for text in ["from a gateway", "from a handler"] {
            assert!(heard.contains(&said("said", json!([text]))), "{heard:?}");
        }
        assert_eq!(client.heard().await, []);
    }
    assert_eq!(other.heard().await, []);
}

pub(crate) async fn what_is_published_reaches_those_who_listen_on_any_server<W: World>() {
    let net = W::any().await.net();
    let (one, two, apart) = (gateway(&net), gateway(&net), gateway(&net.other()));
    let (at_one, at_two) = (one.cluster(), two.cluster());
    // also before the server is there
    let mut early = at_two.subscribe::<u8>("t").unwrap();
    let mut apart_heard = apart.cluster().subscribe::<u8>("t").unwrap();
    let mut own = at_one.subscribe::<u8>("t").unwrap();
    let mut of_two = at_one.subscribe::<u8>("u").unwrap();
    let _servers = join_all([one, two, apart].map(started)).await;
    let mut both = [at_two.subscribe::<u8>("t").unwrap(), at_two.subscribe::<u8>("u").unwrap()];
    at_one.publish("t", 1).unwrap();
    at_two.publish("u", 2).unwrap();
    at_two.publish("t", 3).unwrap();
    assert_eq!(both[1].next().await, Some(Ok(2)));
    for heard in [&mut early, &mut own, &mut both[0]] {
        // who says it himself hears it first
        let mut numbers = [heard.next().await.unwrap().unwrap(), heard.next().await.unwrap().unwrap()];
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 3]);
        assert_eq!(heard.next().now_or_never(), None, "each comes once");
    }
    assert_eq!(apart_heard.next().now_or_never(), None);
    // who is no longer interested keeps nobody else from hearing
    drop(early);
    at_one.publish("t", 4).unwrap();
    assert_eq!(both[0].next().await, Some(Ok(4)));
    drop(both);
    assert_eq!(of_two.next().await, Some(Ok(2)));
    let mut again = at_two.subscribe::<u8>("t").unwrap();
    // the broker hears of that before it hears this
    at_two.publish("u", 6).unwrap();
    assert_eq!(of_two.next().await, Some(Ok(6)));
    at_one.publish("t", 5).unwrap();
    assert_eq!(again.next().await, Some(Ok(5)));
}

pub(crate) async fn a_client_listens_to_what_another_server_publishes<W: World>() {
    let net = W::any().await.net();
    let watch = async |cluster: Cluster| cluster.subscribe::<String>("news");
    let server = net.server(Router::new().procedure("watch", watch));
    let client = started(server).await.client();
    let publish = async |cluster: Cluster, text: String| cluster.publish("news", text);
    let _handler = Handler::start(&net, Router::new().procedure("publish", publish)).await;
    let mut news = client.stream::<String>("watch", ()).await.unwrap();
    // the broker is to hear first that somebody listens
    let heard = loop {
        assert_eq!(client.call::<()>("publish", "extra").await, Ok(()));
        if let Ok(heard) = timeout(Duration::from_millis(50), news.next()).await {
            break heard;
        }
    };
    assert_eq!(heard, Some(Ok("extra".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn who_is_slow_on_another_server_is_told_how_much_it_misses() {
    let net = Net::new();
    let (one, two) = (gateway(&net), gateway(&net));
    let (publishing, listening) = (one.cluster(), two.cluster());
    let _servers = [one, two].map(TestServer::new);
    let mut slow = listening.subscribe::<u32>("t").unwrap();
    for number in 0..2000 {
        publishing.publish("t", number).unwrap();
    }
    assert_eq!(slow.missed(), 976);
    assert_eq!(slow.next().await, Some(Ok(976)));
}

#[tokio::test(start_paused = true)]
async fn without_the_broker_what_is_here_is_reached_and_all_else_is_unavailable() {
    let broker = Memory::new();
    let net = Net::on(broker.clone());
    let limits = Limits::default().call_timeout(Duration::from_secs(100));
    let server = gateway(&net).limits(limits);
    let cluster = server.cluster();
    let (here, there) = (TestServer::new(server), started(gateway(&net)).await);
    let (mut ada, mut bob) = (Listener::of(&here).await, Listener::of(&there).await);
    let mut events = cluster.subscribe::<u8>("t").unwrap();
    broker.lose();
    let since = Instant::now();
    assert_eq!(cluster.send_to(ada.id, "said", 1).await, Ok(()));
    assert_eq!(cluster.broadcast("said", 2).unwrap_err().kind(), FaultKind::Unavailable);
    assert_eq!(cluster.publish("t", 3).unwrap_err().kind(), FaultKind::Unavailable);
    assert_eq!(since.elapsed(), Duration::ZERO);
    assert_eq!(ada.heard().await, [said("said", json!([1])), said("said", json!([2]))]);
    assert_eq!(events.next().await, Some(Ok(3)));
    assert_eq!(cluster.send_to(bob.id, "said", 4).await.unwrap_err().kind(), FaultKind::Unavailable);
    assert_eq!(since.elapsed().as_secs(), 90, "it might have come back");
    broker.restore();
    assert_eq!(cluster.send_to(bob.id, "said", 5).await, Ok(()));
    assert_eq!(bob.heard().await, [said("said", json!([5]))]);
}

/// T28.
pub(crate) async fn strangers_cannot_send_to_others_however_they_call_it<W: World>() {
    let net = W::any().await.net();
    let (one, two) = (started(gateway(&net)).await, started(gateway(&net)).await);
    let (eve, mut ada) = (Listener::of(&one).await, Listener::of(&two).await);
    let mut neighbour = Listener::of(&one).await;
    for to in [ada.id, neighbour.id] {
        let holder = to.holder();
        for name in [
            format!("trunkline.clients-{holder}"),
            format!("trunkline::clients-{holder}::1"),
            "trunkline.broadcast".to_owned(),
            "topic.t".to_owned(),
        ] {
            let args = json!({"to": to, "name": "said", "message": 1, "internal": true});
            let fault = eve.client.call::<Value>(&name, &args).await.unwrap_err();
            assert_eq!((fault.kind(), fault.message()), (FaultKind::NotFound, "Method not found"), "{name}");
            eve.client.notify(&name, &args).await.unwrap();
        }
    }
    eve.client.call::<Value>("id", ()).await.unwrap();
    assert_eq!((ada.heard().await, neighbour.heard().await), (vec![], vec![]));
}

pub(crate) async fn a_client_that_does_not_read_is_told_of_as_such<W: World>() {
    let net = W::any().await.net();
    let server = gateway(&net).limits(Limits::default().max_unsent(1000));
    let (slow, sender) = (started(server).await.pipe(64), gateway(&net));
    let cluster = sender.cluster();
    let _sender = started(sender).await;
    let (mut here, there) = tokio::io::duplex(64);
    let _serving = slow.serve(there);
    tokio::io::AsyncWriteExt::write_all(&mut here, b"\n").await.unwrap();
    while slow.peers().is_empty() {
        yield_now().await;
    }
    let id = slow.peers().all()[0].connection().id();
    let fault = loop {
        if let Err(fault) = cluster.send_to(id, "said", "x".repeat(100)).await {
            break fault;
        }
    };
    assert_eq!(fault.kind(), FaultKind::Unavailable);
    assert!(fault.message().contains("the limit `max_unsent`"), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn it_is_all_the_same_without_a_broker() {
    let server = Server::new(
        sending().merge(Router::new().procedure("id", async |context: Context| context.connection().id())),
    );
    let cluster = server.cluster();
    let server = TestServer::new(server);
    let (mut ada, mut bob) = (Listener::of(&server).await, Listener::of(&server).await);
    assert_eq!(ada.client.call::<()>("tell", (bob.id, "hello")).await, Ok(()));
    assert_eq!(ada.client.call::<()>("tell_all", "everybody").await, Ok(()));
    assert_eq!(bob.heard().await, [said("said", json!(["hello"])), said("said", json!(["everybody"]))]);
    assert_eq!(ada.heard().await, [said("said", json!(["everybody"]))]);
    let nowhere: ConnectionId = "919108f7-52d1-4320-9bac-f847db4148a8".parse().unwrap();
    let fault = ada.client.call::<()>("tell", (nowhere, "hello")).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::NotFound);
    let fault = ada.client.call::<()>("tell", ("no id", "hello")).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::InvalidArgs);
    assert_eq!(cluster.peers().len(), 2);
}

#[test]
#[should_panic(expected = "it takes a Cluster, which the routers of servers have")]
fn a_router_without_a_server_is_to_be_given_one() {
    drop(InProcess::new(sending()));
}
