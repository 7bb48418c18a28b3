//! RabbitMQ that hangs, refuses, or is meddled with.

use super::stranger::Stranger;
use crate::{
    contract::network,
    log::Log,
    peer::{PING, Peer},
};
use amq_protocol::{
    frame::{AMQPFrame, WriteContext, gen_frame},
    protocol::{AMQPClass, channel, connection},
};
use bytes::Bytes;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::sleep,
};
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
    let said = log.until_it_has(&["check the user and the password"]).await;
    assert!(said.contains("ACCESS_REFUSED") && said.contains("guest@127.0.0.1:"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
    assert_eq!(peer.ask("a"), Err(Unsent::Lost));
}

/// Two ways to one server stand for two servers of one cluster.
#[tokio::test]
async fn of_several_hosts_the_next_is_taken_when_one_is_out_of_reach() {
    let (log, _guard) = Log::new();
    let server = shared();
    let (nobody, way) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), Way::to(&server).await);
    let refused = nobody.local_addr().unwrap();
    drop(nobody);
    let (login, there) = server.rsplit_once('@').unwrap();
    let broker = broker(&format!("{login}@{refused},{},{there}", way.address));
    let mut peer = Peer::attach_at_once(&broker, &network(), 1);
    peer.hears(&["restored"]).await;
    let said = log.until_it_has(&["RabbitMQ is there", &format!("guest@{}", way.address)]).await;
    assert!(said.contains(&format!("guest@{refused}")), "{said}");
    way.cut();
    peer.hears(&["lost", "restored"]).await;
    log.until_it_has(&[&format!("RabbitMQ is there address=guest@{there}")]).await;
}

/// A way to a server that can be cut.
struct Way {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Way {
    async fn to(uri: &str) -> Self {
        let (_, there) = uri.rsplit_once('@').unwrap();
        let (there, listener) = (there.to_owned(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut far = TcpStream::connect(there).await.unwrap();
            let _ = copy_bidirectional(&mut near, &mut far).await;
        });
        Self { address, task }
    }

    fn cut(self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn a_virtual_host_that_is_not_there_is_said() {
    let (log, _guard) = Log::new();
    let _peer = Peer::attach_at_once(&broker(&format!("{}/nowhere", shared())), &network(), 1);
    let said = log.until_it_has(&["check the virtual host"]).await;
    assert!(said.contains("virtual host `nowhere`"), "{said}");
}

#[tokio::test]
async fn what_is_no_rabbitmq_is_said() {
    let (log, _guard) = Log::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("amqp://{}", listener.local_addr().unwrap());
    let _peer = Peer::attach_at_once(&broker(&uri), &network(), 1);
    let (mut stream, _) = listener.accept().await.unwrap();
    stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    log.until_it_has(&["check that host and port of the URI are those of RabbitMQ"]).await;
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
    let said = log.until_it_has(&["another program has declared it otherwise"]).await;
    assert!(said.contains("PRECONDITION_FAILED") && said.contains(&exchange), "{said}");
    assert_eq!(peer.ask("a"), Err(Unsent::Lost));
    stranger.delete_exchange(&exchange);
    peer.hears(&["restored"]).await;
    assert_eq!(log.text().matches("PRECONDITION_FAILED").count(), 1, "it is said once");
}

/// It says only what it is asked at first, and that it lives.
#[tokio::test]
async fn a_broker_that_does_not_set_up_what_it_is_asked_to_is_given_up() {
    let (log, _guard) = Log::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("amqp://{}", listener.local_addr().unwrap());
    let _peer = Peer::attach_at_once(&broker(&uri), &network(), 1);
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut said = greeting();
    tokio::spawn(async move {
        while stream.write_all(&said).await.is_ok() {
            said = written(&AMQPFrame::Heartbeat);
            sleep(Duration::from_secs(1)).await;
        }
    });
    log.until_it_has(&["it did not answer within 10 s"]).await;
}

/// All that a broker says until there are three channels.
fn greeting() -> Vec<u8> {
    let connection = |method| AMQPFrame::Method(0, AMQPClass::Connection(method));
    let opened = |number| {
        AMQPFrame::Method(number, AMQPClass::Channel(channel::AMQPMethod::OpenOk(Default::default())))
    };
    let frames = [
        connection(connection::AMQPMethod::Start(Default::default())),
        connection(connection::AMQPMethod::Tune(Default::default())),
        connection(connection::AMQPMethod::OpenOk(Default::default())),
    ];
    frames.iter().chain(&[1, 2, 3].map(opened)).flat_map(written).collect()
}

fn written(frame: &AMQPFrame) -> Vec<u8> {
    gen_frame(frame)(WriteContext::from(Vec::new())).unwrap().into_inner().0
}

#[tokio::test]
async fn what_is_larger_than_the_broker_takes_costs_one_connection_and_is_refused_from_then_on() {
    let (log, _guard) = Log::new();
    let server = RabbitMq::start().unwrap();
    let most = 1 << 20;
    server.set_max_message_size(most).unwrap();
    let (broker, network) = (broker(&server.uri()), network());
    let mut serving = Peer::serving(&broker, &network, 9, &[PING]).await;
    let mut gateway = Peer::attach(&broker, &network, 9).await;
    let too_large = Bytes::from(vec![b'x'; most + 1]);
    gateway.ask_with(too_large.clone()).unwrap();
    gateway.hears(&["lost", "restored"]).await;
    assert_eq!(gateway.ask_with(too_large.clone()), Err(Unsent::TooLarge(most)));
    assert_eq!(gateway.line().answer("nobody", "id", too_large), Err(Unsent::TooLarge(most)));
    gateway.ask_with(Bytes::from(vec![b'x'; most])).unwrap();
    assert_eq!(serving.next().await.body.len(), most);
    gateway.is_heard().await;
    let said = log.text();
    assert!(said.contains("it takes bodies of 1048576 bytes at most"), "{said}");
}

#[tokio::test]
async fn a_broker_that_is_short_of_memory_is_left_alone_until_it_is_not() {
    let (log, _guard) = Log::new();
    let server = RabbitMq::start().unwrap();
    let (broker, network) = (broker(&server.uri()), network());
    let mut serving = Peer::serving(&broker, &network, 1000, &[PING]).await;
    let mut gateway = Peer::attach(&broker, &network, 9).await;
    server.block(true).unwrap();
    // what it reads first is what it is asked next
    gateway.ask("a").unwrap();
    let said = log.until_it_has(&["RabbitMQ takes no messages for now"]).await;
    assert!(said.contains("memory"), "{said}");
    assert_eq!(gateway.ask("b"), Err(Unsent::Full));
    assert_eq!(gateway.line().publish("t", Bytes::new()), Err(Unsent::Full));
    // to those who do not send, nothing is to be seen of it
    assert_eq!((serving.rest(), gateway.rest()), (vec![], vec![]));
    server.block(false).unwrap();
    log.until_it_has(&["RabbitMQ takes messages again"]).await;
    serving.hears(&["a"]).await;
    gateway.ask("c").unwrap();
    serving.hears(&["c"]).await;
}
