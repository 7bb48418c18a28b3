//! Servers that hang or die, and nodes that stop under load.

use super::server::Server;
use crate::peer::{PING, Peer};
use bytes::Bytes;
use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    time::sleep,
};
use trunkline_net::broker::{Broker, Nats, Request, Unsent};

/// A server that is soon found to be silent.
fn impatient() -> (Server, Arc<dyn Broker>) {
    let server = Server::start(&[]);
    let broker = Nats::new(&server.uri()).unwrap().heartbeat(Duration::from_millis(300));
    (server, Arc::new(broker))
}

#[tokio::test]
async fn a_server_that_hangs_is_lost_and_what_expired_meanwhile_is_not_delivered() {
    let (nats, broker) = impatient();
    let mut server = Peer::serving(&broker, "n", 9, &[PING]).await;
    let mut gateway = Peer::attach(&broker, "n", 1).await;
    nats.stop();
    for id in ["a", "b", "c"] {
        gateway.ask_for(&PING, id, Duration::from_millis(100)).unwrap();
    }
    gateway.hears(&["lost"]).await;
    server.hears(&["lost"]).await;
    assert_eq!(gateway.ask("d"), Err(Unsent::Lost));
    // it is late only if clocks may differ by no more than a second
    sleep(Duration::from_millis(1500)).await;
    nats.resume();
    gateway.hears(&["restored"]).await;
    server.hears(&["restored"]).await;
    server.is_heard().await;
    gateway.ask("e").unwrap();
    server.hears(&["e"]).await;
    server.is_heard().await;
}

#[tokio::test]
async fn a_short_silence_is_no_loss() {
    let server = Server::start(&[]);
    let broker: Arc<dyn Broker> = Arc::new(Nats::new(&server.uri()).unwrap());
    let mut peer = Peer::serving(&broker, "n", 9, &[PING]).await;
    server.stop();
    peer.ask("a").unwrap();
    sleep(Duration::from_millis(500)).await;
    assert_eq!(peer.rest(), [""; 0]);
    server.resume();
    peer.hears(&["a"]).await;
}

/// More than the connection and the buffers of the system take.
#[tokio::test]
async fn what_waited_for_a_lost_connection_is_not_said_on_the_next() {
    let (mut nats, broker) = impatient();
    let mut server = Peer::serving(&broker, "n", 9, &[PING]).await;
    let mut gateway = Peer::attach(&broker, "n", 1).await;
    nats.stop();
    let body = Bytes::from(vec![b'x'; 1 << 20]);
    for _ in 0..40 {
        gateway.ask_with(body.clone()).unwrap();
    }
    gateway.hears(&["lost"]).await;
    server.hears(&["lost"]).await;
    nats.kill();
    nats.restart();
    gateway.hears(&["restored"]).await;
    server.hears(&["restored"]).await;
    gateway.is_heard().await;
    gateway.ask("b").unwrap();
    server.hears(&["b"]).await;
    server.is_heard().await;
}

/// As one does behind a proxy that lets nobody in for long.
#[tokio::test]
async fn a_server_that_cuts_each_connection_is_tried_more_and_more_seldom() {
    let server = Server::start(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let broker = Nats::new(&format!("nats://{}", listener.local_addr().unwrap())).unwrap();
    let mut peer = Peer::attach_at_once(&(Arc::new(broker) as Arc<dyn Broker>), "n", 1);
    let since = Instant::now();
    for _ in 0..7 {
        let (mut near, _) = listener.accept().await.unwrap();
        let mut far = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
        tokio::select! {
            cut = copy_bidirectional(&mut near, &mut far) => panic!("{cut:?}"),
            () = peer.hears(&["restored"]) => {}
        }
        drop((near, far));
        peer.hears(&["lost"]).await;
    }
    // six pauses that double, from 50 ms on, each cut short by half at most; it only takes longer
    assert!(since.elapsed() >= Duration::from_millis(1575), "{:?}", since.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stops_under_load_loses_nothing() {
    let nats = Server::start(&[]);
    let broker: Arc<dyn Broker> = Arc::new(Nats::new(&nats.uri()).unwrap());
    let mut staying = Peer::serving(&broker, "n", 9, &[PING]).await;
    let mut gateway = Peer::attach(&broker, "n", 1).await;
    for round in 0..20 {
        let mut stopping = Peer::serving(&broker, "n", 9, &[PING]).await;
        let (mut asked, mut taken, mut stopped) = (HashSet::new(), Vec::new(), None);
        for number in 0..2000 {
            let id = format!("{round} {number}");
            let request = Request {
                id: "id",
                correlation: &|| "id".to_owned(),
                expires: Duration::MAX,
                body: Bytes::from(id.clone()),
            };
            gateway.line().request(&PING, request).unwrap();
            asked.insert(id);
            if number == 1000 {
                // in the midst of what is asked
                taken.push(stopping.next().await.text);
                let line = stopping.own_line();
                stopped = Some(tokio::spawn(async move { line.stop_serving(None).await }));
            }
            if number % 50 == 0 {
                tokio::task::yield_now().await;
            }
        }
        stopped.unwrap().await.unwrap();
        gateway.is_heard().await;
        taken.extend(stopping.rest());
        while taken.len() < 2000 {
            taken.push(staying.next().await.text);
        }
        assert_eq!(taken.into_iter().collect::<HashSet<_>>(), asked);
    }
}
