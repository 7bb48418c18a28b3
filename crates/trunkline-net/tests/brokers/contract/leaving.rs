//! How nodes go.

use super::{World, any, pair};
use crate::peer::{PATIENCE, PING, Peer};
use bytes::Bytes;
use tokio::select;
use trunkline_core::Key;
use trunkline_net::broker::Unsent;

pub(crate) async fn a_node_that_stops_serving_hears_of_all_else<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let (mut one, mut gateway) = pair(&broker, &network, 9, &[PING]).await;
    one.line().subscribe("t");
    gateway.ask("a").unwrap();
    let heard = one.next().await;
    let mut two = Peer::serving(&broker, &network, 9, &[PING]).await;
    one.line().stop_serving(None).await;
    for id in ["b", "c", "d"] {
        gateway.ask(id).unwrap();
    }
    two.hears(&["b", "c", "d"]).await;
    gateway.line().publish("t", Bytes::from_static(b"news")).unwrap();
    one.hears(&["t: news"]).await;
    one.line().answer(&heard.reply_to, "a", Bytes::from_static(b"pong")).unwrap();
    one.line().settle(heard.ticket.unwrap());
    gateway.hears(&["pong"]).await;
    one.ask("e").unwrap();
    let asked = two.next().await;
    assert_eq!(asked.text, "e");
    two.line().answer(&asked.reply_to, "e", Bytes::from_static(b"to one")).unwrap();
    one.hears(&["to one"]).await;
}

/// What waits is taken by the node that stops, or comes back; what is asked later comes back.
pub(crate) async fn the_last_that_stops_leaves_nothing_behind<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let (mut server, mut gateway) = pair(&broker, &network, 1, &[PING]).await;
    let ids = ["a", "b", "c"];
    ids.into_iter().for_each(|id| gateway.ask(id).unwrap());
    gateway.is_heard().await;
    let (first, ticket) = server.request().await;
    let mut ended = vec![first];
    let line = server.own_line();
    let stopped = tokio::spawn(async move { line.stop_serving(None).await });
    server.line().settle(ticket);
    while ended.len() < ids.len() {
        let heard = select! {
            (id, ticket) = server.request() => {
                server.line().settle(ticket);
                id
            }
            heard = gateway.next() => heard.text,
        };
        ended.push(heard.trim_end_matches(": nobody").to_owned());
    }
    ended.sort();
    assert_eq!(ended, ids);
    stopped.await.unwrap();
    gateway.ask("d").unwrap();
    gateway.hears(&["d: nobody"]).await;
    assert_eq!(server.rest(), [""; 0]);
}

pub(crate) async fn a_node_that_stops_may_go_on_with_one_procedure<W: World>() {
    const KEPT: Key<'_> = Key { procedure: "kept", ..PING };
    let (_world, broker, network) = any::<W>().await;
    let (mut server, mut gateway) = pair(&broker, &network, 9, &[PING, KEPT]).await;
    for _ in 0..2 {
        server.line().stop_serving(Some(&KEPT)).await;
        gateway.ask("a").unwrap();
        gateway.hears(&["a: nobody"]).await;
        gateway.ask_for(&KEPT, "b", PATIENCE).unwrap();
        let (id, ticket) = server.request().await;
        assert_eq!(id, "b");
        server.line().settle(ticket);
    }
    server.line().stop_serving(None).await;
    gateway.ask_for(&KEPT, "c", PATIENCE).unwrap();
    gateway.hears(&["c: nobody"]).await;
    assert_eq!(server.rest(), [""; 0]);
}

pub(crate) async fn who_comes_as_the_last_goes_is_found<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let (mut last, mut gateway) = pair(&broker, &network, 9, &[PING]).await;
    for round in 0..30 {
        let mut next = Peer::attach(&broker, &network, 9).await;
        let line = last.own_line();
        let stopped = tokio::spawn(async move { line.stop_serving(None).await });
        if round % 3 > 0 {
            tokio::task::yield_now().await;
        }
        next.line().serve(&PING);
        next.is_heard().await;
        stopped.await.unwrap();
        let id = round.to_string();
        gateway.ask(&id).unwrap();
        let (heard, ticket) = next.request().await;
        assert_eq!(heard, id);
        next.line().settle(ticket);
        last.line().leave().await;
        last = next;
    }
    gateway.is_heard().await;
}

pub(crate) async fn what_is_said_before_leaving_arrives<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let (mut server, mut gateway) = pair(&broker, &network, 9, &[PING]).await;
    let mut other = Peer::serving(&broker, &network, 1, &[]).await;
    other.line().subscribe("t");
    other.is_heard().await;
    for round in 0..20 {
        gateway.ask("a").unwrap();
        let heard = server.next().await;
        for _ in 0..50 {
            server.line().publish("t", Bytes::from_static(b"news")).unwrap();
        }
        server.line().answer(&heard.reply_to, "a", Bytes::from(format!("pong {round}"))).unwrap();
        server.line().settle(heard.ticket.unwrap());
        server.line().leave().await;
        gateway.hears(&[&format!("pong {round}")]).await;
        other.hears(&["t: news"; 50]).await;
        server = Peer::serving(&broker, &network, 9, &[PING]).await;
    }
    // what was settled before is not delivered again
    gateway.ask("b").unwrap();
    server.hears(&["b"]).await;
}

pub(crate) async fn a_node_that_has_left_hears_and_says_nothing<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let (mut server, mut gateway) = pair(&broker, &network, 9, &[PING]).await;
    server.line().subscribe("t");
    server.is_heard().await;
    server.line().leave().await;
    gateway.line().publish("t", Bytes::from_static(b"news")).unwrap();
    gateway.ask("a").unwrap();
    gateway.hears(&["a: nobody"]).await;
    assert_eq!(server.rest(), [""; 0]);
    assert!(server.is_let_go().await);
    assert_eq!(server.ask("b"), Err(Unsent::Lost));
    assert_eq!(server.line().publish("t", Bytes::new()), Err(Unsent::Lost));
    assert_eq!(server.line().answer("a", "b", Bytes::new()), Err(Unsent::Lost));
    // of no use any more, and no harm
    server.line().serve(&PING);
    server.line().subscribe("t");
    server.line().stop_serving(None).await;
    server.line().leave().await;
    gateway.ask("c").unwrap();
    gateway.hears(&["c: nobody"]).await;
}

pub(crate) async fn a_line_that_is_dropped_lets_go<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let mut peer = Peer::serving(&broker, &network, 9, &[PING]).await;
    peer.kill();
    assert!(peer.is_let_go().await);
}
