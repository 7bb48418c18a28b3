//! What waits in a node that has its fill, or stops.

use crate::{
    contract::network,
    peer::{PING, Peer},
};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};
use trunkline_core::Key;
use trunkline_net::broker::{Amqp, Broker, Request, Ticket};
use trunkline_services::RabbitMq;

fn broker() -> Arc<dyn Broker> {
    Arc::new(Amqp::new(&RabbitMq::shared().unwrap().uri()).unwrap())
}

/// RabbitMQ holds back what is for one queue; what it delivers of many is not to fill a node.
#[tokio::test]
async fn what_waits_in_a_node_is_bounded_over_all_queues_and_the_rest_is_for_it_to_refuse() {
    let (broker, network) = (broker(), network());
    let names: Vec<_> = (0..100).map(|number| format!("many{number}")).collect();
    let keys: Vec<_> = names.iter().map(|procedure| Key { procedure, ..PING }).collect();
    let mut server = Peer::serving(&broker, &network, 1, &keys).await;
    let gateway = Peer::attach(&broker, &network, 1).await;
    let body = Bytes::from(vec![b'x'; 1 << 20]);
    for key in &keys {
        // each in its turn, as no more than 64 MiB may wait to be sent
        while gateway
            .line()
            .request(
                key,
                Request {
                    id: "id",
                    correlation: &|| "id".to_owned(),
                    expires: Duration::MAX,
                    body: body.clone(),
                },
            )
            .is_err()
        {
            tokio::task::yield_now().await;
        }
    }
    let (_, first) = server.request().await;
    // of 99 more, 64 wait
    let mut refused = Vec::new();
    for _ in 0..35 {
        refused.push(server.request().await.1);
    }
    server.is_heard().await;
    for ticket in refused {
        server.line().settle(ticket);
    }
    server.is_heard().await;
    // and come one after the other
    let mut held = first;
    for _ in 0..64 {
        server.line().settle(held);
        held = server.request().await.1;
    }
    server.line().settle(held);
    server.is_heard().await;
}

/// What [`busy`] serves besides.
const PONG: Key<'static> = Key { procedure: "pong", ..PING };

/// Somebody who serves two procedures and has its fill with one request, which is given, and
/// somebody who asks for more.
async fn busy() -> (Peer, Peer, Ticket) {
    let (broker, network) = (broker(), network());
    let mut server = Peer::serving(&broker, &network, 1, &[PING, PONG]).await;
    let gateway = Peer::attach(&broker, &network, 1).await;
    gateway.ask("a").unwrap();
    let (_, ticket) = server.request().await;
    (server, gateway, ticket)
}

/// RabbitMQ drops a queue that nobody has used for 10 s.
#[tokio::test]
async fn the_last_that_stops_takes_also_what_it_comes_to_late() {
    let (mut server, mut gateway, ticket) = busy().await;
    for id in ["b", "c", "d"] {
        gateway.ask_for(&PONG, id, Duration::MAX).unwrap();
    }
    gateway.is_heard().await;
    let line = server.own_line();
    let stopped = tokio::spawn(async move { line.stop_serving(None).await });
    // longer than that
    sleep(Duration::from_secs(13)).await;
    server.line().settle(ticket);
    for id in ["b", "c", "d"] {
        let (heard, ticket) = server.request().await;
        assert_eq!(heard, id);
        server.line().settle(ticket);
    }
    stopped.await.unwrap();
    gateway.ask_for(&PONG, "e", Duration::MAX).unwrap();
    gateway.hears(&["e: nobody"]).await;
}

/// The queues are empty already.
#[tokio::test]
async fn who_stops_is_ready_once_it_has_been_given_all_that_came() {
    let (mut server, mut gateway, ticket) = busy().await;
    gateway.ask_for(&PONG, "b", Duration::MAX).unwrap();
    gateway.is_heard().await;
    server.is_heard().await;
    let line = server.own_line();
    let mut stopped = tokio::spawn(async move { line.stop_serving(None).await });
    // as long as RabbitMQ takes to stop, and much longer
    let early = timeout(Duration::from_secs(3), &mut stopped).await;
    assert!(early.is_err(), "there is no room for the second yet");
    server.line().settle(ticket);
    let (heard, ticket) = server.request().await;
    assert_eq!(heard, "b");
    stopped.await.unwrap();
    server.line().settle(ticket);
}

/// It was told so while the broker was not there, and so was ready at once.
#[tokio::test]
async fn who_has_stopped_before_it_was_there_is_given_nothing() {
    let (broker, network) = (broker(), network());
    let mut server = Peer::serving(&broker, &network, 1, &[PING]).await;
    let gateway = Peer::attach(&broker, &network, 1).await;
    for id in ["a", "b", "c"] {
        gateway.ask(id).unwrap();
    }
    let (id, ticket) = server.request().await;
    assert_eq!(id, "a");
    let mut stopped = Peer::attach_at_once(&broker, &network, 9);
    stopped.line().serve(&PING);
    stopped.line().stop_serving(None).await;
    stopped.hears(&["restored"]).await;
    stopped.is_heard().await;
    server.line().settle(ticket);
    let (id, ticket) = server.request().await;
    assert_eq!(id, "b", "it has waited for the only one who serves");
    server.line().settle(ticket);
    server.hears(&["c"]).await;
}

/// What it holds runs for too long.
#[tokio::test]
async fn who_leaves_while_it_stops_does_not_wait_for_what_is_left() {
    let (broker, network) = (broker(), network());
    let mut server = Peer::serving(&broker, &network, 1, &[PING]).await;
    let mut gateway = Peer::attach(&broker, &network, 1).await;
    for id in ["a", "b"] {
        gateway.ask(id).unwrap();
    }
    server.hears(&["a"]).await;
    let (line, leaving) = (server.own_line(), server.own_line());
    tokio::join!(line.stop_serving(None), leaving.leave());
    drop((line, leaving));
    assert!(server.is_let_go().await);
    gateway.ask("c").unwrap();
    gateway.hears(&["c: nobody"]).await;
    // what was waiting goes to who comes next
    let mut next = Peer::attach(&broker, &network, 9).await;
    next.line().serve(&PING);
    next.hears(&["a again", "b"]).await;
}
