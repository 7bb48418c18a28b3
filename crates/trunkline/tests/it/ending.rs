//! How serving ends: by a shutdown, or because nobody wants it any more.

use std::{net::SocketAddr, sync::Arc};
use tokio::{net::TcpStream, sync::Notify, task::yield_now};
use trunkline::{Bound, Client, Router, Server};

async fn bound() -> (Bound, Vec<SocketAddr>) {
    let server = Server::new(Router::new().procedure("ping", async || "pong"));
    let bound = server.tcp("127.0.0.1:0").http("127.0.0.1:0").bind().await.unwrap();
    let addresses = bound.addresses();
    (bound, addresses)
}

/// `main` may leave all of it to a task.
#[tokio::test]
async fn a_task_binds_waits_and_serves() {
    let server = Server::new(Router::new()).http("127.0.0.1:0").tcp("127.0.0.1:0");
    let serving = tokio::spawn(server.serve_until(async {}));
    serving.await.unwrap().unwrap();
    let server = Server::new(Router::new()).http("127.0.0.1:0").tcp("127.0.0.1:0");
    let serving = tokio::spawn(async {
        let bound = server.bind().await.unwrap();
        bound.joined().await;
        bound.serve_until(async {}).await;
    });
    serving.await.unwrap();
}

#[tokio::test]
async fn to_drop_the_future_stops_accepting_and_nothing_else() {
    let (bound, addresses) = bound().await;
    let serving = tokio::spawn(bound.serve());
    let client = Client::connect(format!("tcp://{}", addresses[0])).await.unwrap();
    assert_eq!(client.call::<String>("ping", ()).await.unwrap(), "pong");
    serving.abort();
    assert!(serving.await.unwrap_err().is_cancelled());
    // the listeners are told, and have their turn
    yield_now().await;
    for address in addresses {
        assert!(TcpStream::connect(address).await.is_err(), "somebody listens at {address}");
    }
    assert_eq!(client.call::<String>("ping", ()).await.unwrap(), "pong");
}

#[tokio::test]
async fn after_a_shutdown_the_addresses_are_free() {
    let (bound, addresses) = bound().await;
    let enough = Arc::new(Notify::new());
    let until = enough.clone();
    let serving = tokio::spawn(bound.serve_until(async move { until.notified().await }));
    let client = Client::connect(format!("tcp://{}", addresses[0])).await.unwrap();
    assert_eq!(client.call::<String>("ping", ()).await.unwrap(), "pong");
    enough.notify_one();
    serving.await.unwrap();
    for address in addresses {
        assert!(TcpStream::connect(address).await.is_err(), "somebody listens at {address}");
    }
}
