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
