//! What is served is changed while it is served.

use serde_json::json;
use std::net::SocketAddr;
use tokio::sync::oneshot;
use trunkline::{
    Bound, Client, Fault, FaultKind, Limits, Router, Server,
    broker::Memory,
    server::{ReloadError, Reloader},
};

const ANYWHERE: &str = "127.0.0.1:0";

fn router(word: &'static str) -> Router {
    Router::new()
        .procedure("word", move || async move { word })
        .procedure("echo", async |(text,): (String,)| text)
}

/// Serves until told otherwise.
async fn serve(server: Server) -> (SocketAddr, Reloader, oneshot::Sender<()>) {
    let bound: Bound = server.bind().await.unwrap();
    let (address, reloader) = (bound.addresses()[0], bound.reloader());
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(bound.serve_until(stopped));
    (address, reloader, stop)
}

async fn word(client: &Client) -> String {
    client.call("word", ()).await.unwrap()
}

async fn echo(client: &Client) -> Result<String, Fault> {
    client.call("echo", ("x".repeat(200),)).await
}

#[tokio::test]
async fn who_connects_from_now_on_is_served_anew_and_nobody_is_disconnected() {
    let server = |word| Server::new(router(word)).tcp(ANYWHERE);
    let (address, reloader, _stop) = serve(server("old")).await;
    let address = format!("tcp://{address}");
    let before = Client::connect(&address).await.unwrap();
    assert_eq!(word(&before).await, "old");
    for new in ["new", "newer"] {
        reloader.reload(server(new).limits(Limits::default().max_reply(100))).await.unwrap();
        let after = Client::connect(&address).await.unwrap();
        assert_eq!(word(&after).await, new);
        assert_eq!(echo(&after).await.unwrap_err().message(), "Response is too big");
    }
    assert_eq!(word(&before).await, "old");
    assert_eq!(echo(&before).await.unwrap().len(), 200);
}

#[tokio::test]
async fn who_does_not_serve_yet_will_serve_what_was_said_last() {
    let bound = Server::new(router("old")).tcp(ANYWHERE).bind().await.unwrap();
    let reloader = bound.reloader();
    for word in ["new", "newer"] {
        reloader.reload(Server::new(router(word)).tcp(ANYWHERE)).await.unwrap();
    }
    let address = format!("tcp://{}", bound.addresses()[0]);
    let (client, ()) = tokio::join!(Client::connect(&address), async { drop(tokio::spawn(bound.serve())) });
    assert_eq!(word(&client.unwrap()).await, "newer");
}

/// A limit of connections is one of all, whenever they came.
#[tokio::test]
async fn connections_of_before_count() {
    let server = |most| Server::new(router("")).limits(Limits::default().max_connections(most)).tcp(ANYWHERE);
    let (address, reloader, _stop) = serve(server(2)).await;
    let address = format!("tcp://{address}");
    let before = Client::connect(&address).await.unwrap();
    word(&before).await;
    reloader.reload(server(1)).await.unwrap();
    let refused = Client::connect(&address).await.unwrap();
    assert_eq!(refused.call::<String>("word", ()).await.unwrap_err().kind(), FaultKind::Disconnected);
    reloader.reload(server(2)).await.unwrap();
    word(&Client::connect(&address).await.unwrap()).await;
    word(&before).await;
}

#[tokio::test]
async fn listeners_stay_where_they_are() {
    let (address, reloader, stop) = serve(Server::new(router("old")).tcp(ANYWHERE)).await;
    let error = reloader.reload(Server::new(router("new")).tcp("127.0.0.1:9")).await.unwrap_err();
    let ReloadError::Places { was, wanted } = &error else { panic!("{error}") };
    assert_eq!((&*was[0], &*wanted[0]), ("tcp 127.0.0.1:0", "tcp 127.0.0.1:9"));
    assert!(reloader.reload(Server::new(router("new"))).await.is_err());
    let client = Client::connect(&format!("tcp://{address}")).await.unwrap();
    assert_eq!(word(&client).await, "old");
    stop.send(()).unwrap();
    client.server().unwrap().closed().await;
    let error = reloader.reload(Server::new(router("new")).tcp(ANYWHERE)).await.unwrap_err();
    assert!(matches!(error, ReloadError::Over), "{error}");
}

/// Those whom a shutdown tells to leave are also those of before.
#[tokio::test]
async fn all_are_told_of_a_shutdown() {
    let server = || Server::new(router("")).tcp(ANYWHERE);
    let (address, reloader, stop) = serve(server()).await;
    let address = format!("tcp://{address}");
    let before = Client::connect(&address).await.unwrap();
    word(&before).await;
    reloader.reload(server()).await.unwrap();
    let after = Client::connect(&address).await.unwrap();
    word(&after).await;
    let [before, after] = [before, after].map(|client| client.server().unwrap());
    stop.send(()).unwrap();
    tokio::join!(before.closed(), after.closed());
}

#[tokio::test]
async fn the_network_stays_the_same() {
    let broker = Memory::new();
    let handler = Server::new(router("there")).broker(broker.clone()).bind().await.unwrap();
    tokio::spawn(handler.serve());
    let gateway = || Server::new(Router::new()).tcp(ANYWHERE);
    let (address, reloader, _stop) = serve(gateway().broker(broker)).await;
    let address = format!("tcp://{address}");
    let before = Client::connect(&address).await.unwrap();
    assert_eq!(word(&before).await, "there");
    reloader.reload(gateway().limits(Limits::default().max_message(100))).await.unwrap();
    let after = Client::connect(&address).await.unwrap();
    assert_eq!((word(&after).await, word(&before).await), ("there".into(), "there".into()));
    // what goes to others keeps to the limits of the moment
    assert_eq!(echo(&before).await.unwrap_err().message(), "Request is too big");
}

/// What counts is when a connection began: one that is kept alive keeps its origins.
#[cfg(feature = "http")]
#[tokio::test]
async fn pages_of_other_origins_may_call() {
    use crate::http_client::Request;
    use trunkline::Listener;
    let server = |origin| {
        let http = Listener::http(ANYWHERE).settings(move |http| http.allow_origins([origin]));
        Server::new(router("")).listen(http)
    };
    let (address, reloader, _stop) = serve(server("https://old.example")).await;
    let ask = async |origin: &str| {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "word"}).to_string();
        let request = Request::post(call.as_bytes()).header("origin", origin);
        request.send(address).await.unwrap().status
    };
    assert_eq!((ask("https://old.example").await, ask("https://new.example").await), (200, 403));
    reloader.reload(server("https://new.example")).await.unwrap();
    assert_eq!((ask("https://old.example").await, ask("https://new.example").await), (403, 200));
}
