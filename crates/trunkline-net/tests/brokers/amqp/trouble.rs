//! RabbitMQ that hangs, refuses, or is meddled with.

use super::{log::Log, stranger::Stranger};
use crate::{
    contract::network,
    peer::{PING, Peer},
};
use std::sync::Arc;
use trunkline_net::broker::{Amqp, Broker, Unsent};
use trunkline_services::RabbitMq;

fn shared() -> String {
    RabbitMq::shared().unwrap().uri()
}

fn broker(uri: &str) -> Arc<dyn Broker> {
    Arc::new(Amqp::new(uri).unwrap())
}

#[tokio::test]
async fn a_broker_that_hangs_is_lost_and_comes_back() {
    let mut server = RabbitMq::start().unwrap();
    let (broker, network) = (broker(&server.uri()), network());
    let mut serving = Peer::serving(&broker, &network, 9, &[PING]).await;
    let mut gateway = Peer::attach(&broker, &network, 9).await;
    server.stop().unwrap();
    gateway.ask("into the void").unwrap();
    gateway.hears(&["lost"]).await;
    serving.hears(&["lost"]).await;
    assert_eq!(gateway.ask("a"), Err(Unsent::Lost));
    server.resume().unwrap();
    gateway.hears(&["restored"]).await;
    serving.hears(&["restored"]).await;
    gateway.ask("b").unwrap();
    // the other may have reached it after all
    let mut heard = serving.next().await.text;
    if heard.starts_with("into the void") {
        heard = serving.next().await.text;
    }
    assert_eq!(heard, "b");
}

#[tokio::test]
async fn a_wrong_password_is_said_and_not_shown() {
    let (log, _guard) = Log::new();
    let uri = shared().replace("guest:guest", "guest:s3cret");
    let broker = Amqp::new(&uri).unwrap();
    assert!(format!("{broker:?}").starts_with("Amqp(guest@127.0.0.1:"), "{broker:?}");
    assert!(!format!("{broker:?}").contains("s3cret"));
    let peer = Peer::attach_at_once(&(Arc::new(broker) as _), &network(), 1);
    let said = log.until_it_has("check the user and the password").await;
    assert!(said.contains("ACCESS_REFUSED") && said.contains("guest@127.0.0.1:"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
    assert_eq!(peer.ask("a"), Err(Unsent::Lost));
}

#[tokio::test]
async fn a_virtual_host_that_is_not_there_is_said() {
    let (log, _guard) = Log::new();
    let _peer = Peer::attach_at_once(&broker(&format!("{}/nowhere", shared())), &network(), 1);
    let said = log.until_it_has("check the virtual host").await;
    assert!(said.contains("virtual host `nowhere`"), "{said}");
}

#[tokio::test]
async fn what_is_no_rabbitmq_is_said() {
    let (log, _guard) = Log::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("amqp://{}", listener.local_addr().unwrap());
    let _peer = Peer::attach_at_once(&broker(&uri), &network(), 1);
    let (mut stream, _) = listener.accept().await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    log.until_it_has("check that host and port of the URI are those of RabbitMQ").await;
}

#[tokio::test]
async fn virtual_hosts_are_apart() {
    let server = RabbitMq::shared().unwrap();
    let (here, there) = (broker(&server.vhost().unwrap()), broker(&server.vhost().unwrap()));
    let network = network();
    let mut serving = Peer::serving(&here, &network, 1, &[PING]).await;
    let mut stranger = Peer::attach(&there, &network, 1).await;
    stranger.ask("a").unwrap();
    stranger.hears(&["a: nobody"]).await;
    serving.is_heard().await;
}

#[tokio::test]
async fn what_others_have_declared_otherwise_is_said_until_it_is_gone() {
    let (log, _guard) = Log::new();
    let (uri, network) = (shared(), network());
    let (mut stranger, exchange) = (Stranger::connect(&uri), format!("rpc-scoped.{network}"));
    stranger.declare_exchange(&exchange, "fanout");
    let mut peer = Peer::attach_at_once(&broker(&uri), &network, 1);
    let said = log.until_it_has("another program has declared it otherwise").await;
    assert!(said.contains("PRECONDITION_FAILED") && said.contains(&exchange), "{said}");
    assert_eq!(peer.ask("a"), Err(Unsent::Lost));
    stranger.delete_exchange(&exchange);
    peer.hears(&["restored"]).await;
    assert_eq!(log.text().matches("PRECONDITION_FAILED").count(), 1, "it is said once");
}
