//! Queues that RabbitMQ does not let a node have: they cost none of the others.

use super::stranger::Stranger;
use crate::{
    contract::network,
    log::Log,
    peer::{PING, Peer},
};
use std::sync::Arc;
use trunkline_core::Key;
use trunkline_net::broker::{Amqp, Broker};
use trunkline_services::RabbitMq;

const PONG: Key<'static> = Key { procedure: "pong", ..PING };
const PANG: Key<'static> = Key { procedure: "pang", ..PING };

fn world() -> (String, Arc<dyn Broker>, String) {
    let uri = RabbitMq::shared().unwrap().uri();
    let broker = Arc::new(Amqp::new(&uri).unwrap());
    (uri, broker, network())
}

fn queue(network: &str, key: &Key<'_>) -> String {
    format!("rpc.{network}.{key}")
}

/// Asks for something until it is served.
async fn is_served(server: &mut Peer, gateway: &mut Peer, key: &Key<'_>) {
    let (asked, nobody) = (key.to_string(), format!("{key}: nobody"));
    loop {
        gateway.ask_for(key, &asked, std::time::Duration::from_secs(600)).unwrap();
        let heard = tokio::select! {
            heard = server.next() => heard.text,
            heard = gateway.next() => heard.text,
        };
        if heard == asked {
            return;
        }
        assert_eq!(heard, nobody);
    }
}

async fn is_skipped_until_it_is_gone(exclusive: bool, refusal: &str, advice: &str) {
    let (log, _guard) = Log::new();
    let (uri, broker, network) = world();
    let mut stranger = Stranger::connect(&uri);
    let theirs = [queue(&network, &PING), queue(&network, &PANG)];
    theirs.iter().for_each(|queue| stranger.declare_queue(queue, exclusive));

    // what is served before the broker is there, and what is served after
    let mut server = Peer::attach_at_once(&broker, &network, 9);
    [PING, PONG].iter().for_each(|key| server.line().serve(key));
    server.hears(&["restored"]).await;
    let said = log.until_it_has(&[refusal]).await;
    assert!(said.contains("global::ping::1") && said.contains(advice), "{said}");
    server.line().serve(&PANG);
    server.line().serve(&Key { version: "2", ..PONG });
    server.is_heard().await;
    let mut gateway = Peer::attach(&broker, &network, 1).await;
    gateway.ask_for(&PONG, "a", std::time::Duration::MAX).unwrap();
    server.hears(&["a"]).await;
    gateway.ask_for(&Key { version: "2", ..PONG }, "b", std::time::Duration::MAX).unwrap();
    server.hears(&["b"]).await;
    gateway.ask("c").unwrap();
    gateway.hears(&["c: nobody"]).await;

    theirs.iter().for_each(|queue| stranger.delete_queue(queue));
    for key in [PING, PANG] {
        is_served(&mut server, &mut gateway, &key).await;
    }
    let said = log.text();
    assert_eq!(said.matches(refusal).count(), theirs.len(), "each is said once: {said}");
    assert_eq!(said.matches("lets a procedure be served that it did not").count(), theirs.len(), "{said}");
    server.line().stop_serving(None).await;
    for key in [PING, PONG, PANG] {
        gateway.ask_for(&key, "d", std::time::Duration::MAX).unwrap();
        gateway.hears(&["d: nobody"]).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_queue_that_others_have_declared_otherwise_is_skipped_until_it_is_gone() {
    is_skipped_until_it_is_gone(false, "PRECONDITION_FAILED", "another program has declared it otherwise")
        .await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_queue_that_others_have_for_themselves_is_skipped_until_it_is_gone() {
    is_skipped_until_it_is_gone(true, "RESOURCE_LOCKED", "another program has this queue for itself").await;
}

#[tokio::test]
async fn what_is_refused_is_no_trouble_to_those_who_stop_or_leave() {
    let (uri, broker, network) = world();
    let mut stranger = Stranger::connect(&uri);
    stranger.declare_queue(&queue(&network, &PING), true);
    let mut gateway = Peer::attach(&broker, &network, 1).await;
    for drains in [true, false] {
        let mut server = Peer::serving(&broker, &network, 9, &[PING, PONG]).await;
        if drains {
            server.line().stop_serving(None).await;
        }
        server.line().leave().await;
        assert!(server.is_let_go().await);
        assert_eq!(server.rest(), [""; 0]);
        gateway.ask_for(&PONG, "a", std::time::Duration::MAX).unwrap();
        gateway.hears(&["a: nobody"]).await;
    }
}

/// Others are not interrupted.
#[tokio::test]
async fn a_queue_that_somebody_deletes_is_there_again() {
    let (uri, broker, network) = world();
    let mut server = Peer::serving(&broker, &network, 9, &[PING, PONG]).await;
    let mut gateway = Peer::attach(&broker, &network, 1).await;
    gateway.ask_for(&PONG, "before", std::time::Duration::MAX).unwrap();
    let (_, ticket) = server.request().await;
    Stranger::connect(&uri).delete_queue(&queue(&network, &PING));
    is_served(&mut server, &mut gateway, &PING).await;
    server.line().settle(ticket);
    server.is_heard().await;
}
