//! To whom requests go.

use super::{World, any, pair};
use crate::peer::{PING, Peer};
use bytes::Bytes;
use std::{collections::BTreeSet, time::Duration};
use tokio::{select, time::sleep};
use trunkline_core::Key;

pub(crate) async fn each_request_goes_to_exactly_one_and_they_share<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let (mut one, gateway) = pair(&broker, &network, 8, &[PING]).await;
    let mut two = Peer::serving(&broker, &network, 8, &[PING]).await;
    let ids: BTreeSet<_> = (0..200).map(|number| number.to_string()).collect();
    ids.iter().for_each(|id| gateway.ask(id).unwrap());
    let (mut heard, mut shares) = (BTreeSet::new(), [0, 0]);
    while heard.len() < ids.len() {
        let (which, (id, ticket)) = select! {
            request = one.request() => (0, request),
            request = two.request() => (1, request),
        };
        assert!(heard.insert(id.clone()), "{id} went to two");
        shares[which] += 1;
        [&one, &two][which].line().settle(ticket);
    }
    assert_eq!(heard, ids);
    assert!(shares.iter().all(|share| *share > 0), "{shares:?}");
    one.is_heard().await;
    two.is_heard().await;
}

pub(crate) async fn what_nobody_serves_comes_back_at_once<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let mut gateway = Peer::attach(&broker, &network, 1).await;
    gateway.ask("a").unwrap();
    gateway.hears(&["a: nobody"]).await;
    let mut server = Peer::serving(&broker, &network, 1, &[PING]).await;
    for version in ["2", "", "11"] {
        gateway.ask_for(&Key { version, ..PING }, "b", Duration::MAX).unwrap();
        gateway.hears(&["b: nobody"]).await;
    }
    gateway.ask("c").unwrap();
    server.hears(&["c"]).await;
    assert_eq!(gateway.rest(), [""; 0]);
}

pub(crate) async fn a_node_holds_no_more_than_it_asked_for<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let (mut server, gateway) = pair(&broker, &network, 2, &[PING]).await;
    ["a", "b", "c", "d"].into_iter().for_each(|id| gateway.ask(id).unwrap());
    if !W::CAN.holds_back {
        return server.hears(&["a", "b", "c", "d"]).await;
    }
    let ((a, first), (b, second)) = (server.request().await, server.request().await);
    assert_eq!([a, b], ["a", "b"]);
    // whatever else there is for it comes before what it tells itself
    server.is_heard().await;
    server.line().settle(second);
    let (c, third) = server.request().await;
    assert_eq!(c, "c");
    server.is_heard().await;
    server.line().settle(first);
    server.line().settle(third);
    server.hears(&["d"]).await;
}

pub(crate) async fn what_a_node_holds_counts_over_all_that_it_serves<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let pong = Key { procedure: "pong", ..PING };
    let (mut server, gateway) = pair(&broker, &network, 1, &[PING, pong]).await;
    gateway.ask("a").unwrap();
    let (_, ticket) = server.request().await;
    gateway.ask_for(&pong, "b", Duration::MAX).unwrap();
    if W::CAN.holds_back {
        server.is_heard().await;
        server.line().settle(ticket);
    }
    server.hears(&["b"]).await;
}

/// What it holds may call others in turn.
pub(crate) async fn a_node_that_has_its_fill_hears_answers<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let (mut server, gateway) = pair(&broker, &network, 1, &[PING]).await;
    let pong = Key { procedure: "pong", ..PING };
    let mut other = Peer::serving(&broker, &network, 1, &[pong]).await;
    gateway.ask("a").unwrap();
    server.hears(&["a"]).await;
    server.ask_for(&pong, "b", Duration::MAX).unwrap();
    let heard = other.next().await;
    other.line().answer(&heard.reply_to, "b", Bytes::from_static(b"pong")).unwrap();
    server.ask_for(&Key { procedure: "unknown", ..PING }, "c", Duration::MAX).unwrap();
    let mut heard = [server.next().await.text, server.next().await.text];
    heard.sort();
    assert_eq!(heard, ["c: nobody", "pong"]);
}

pub(crate) async fn what_has_expired_is_not_delivered<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let (mut server, mut gateway) = pair(&broker, &network, 1, &[PING]).await;
    gateway.ask_for(&PING, "a", Duration::MAX).unwrap();
    let (_, ticket) = server.request().await;
    if !W::CAN.holds_back {
        return; // nothing waits in the broker
    }
    gateway.ask_for(&PING, "b", Duration::from_millis(20)).unwrap();
    gateway.ask_for(&PING, "c", Duration::ZERO).unwrap();
    gateway.ask_for(&PING, "d", Duration::from_secs(3600)).unwrap();
    gateway.is_heard().await;
    sleep(Duration::from_millis(40)).await;
    server.line().settle(ticket);
    server.hears(&["d"]).await;
    server.is_heard().await;
}

pub(crate) async fn what_a_node_held_that_is_gone_goes_to_another_and_says_so<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let (mut one, gateway) = pair(&broker, &network, 9, &[PING]).await;
    ["a", "b", "c"].into_iter().for_each(|id| gateway.ask(id).unwrap());
    let (_, ticket) = one.request().await;
    one.line().settle(ticket);
    one.hears(&["b", "c"]).await;
    one.is_heard().await;
    let mut two = Peer::serving(&broker, &network, 9, &[PING]).await;
    one.kill();
    if W::CAN.redelivers {
        two.hears(&["b again", "c again"]).await;
    }
    assert!(one.is_let_go().await);
    gateway.ask("d").unwrap();
    two.hears(&["d"]).await;
}

pub(crate) async fn keys_are_told_apart_whatever_they_are_made_of<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let long = "x".repeat(200);
    let (ends_in_a, ends_in_b) = ("ü".repeat(124) + "a", "ü".repeat(124) + "b");
    let procedures = [
        "a", "a.b", "a/b", "a%2Fb", "a*b", "*", ">", "#", "$SYS", "_", "a b", " a", "a ", "a\nb", "ab",
        "a\r\nb", "a\0b", "A", "日本", "🦀", "a:b", "amq.a", "\u{7f}", "\"'\\", "a,b", "a>b", "a_b", &long,
        &ends_in_a, &ends_in_b,
    ];
    let keys = procedures.map(|procedure| Key { scope: "", procedure, version: "" });
    let (mut server, mut gateway) = pair(&broker, &network, 1, &keys).await;
    let mut other = Peer::attach(&broker, &network, 1).await;
    for key in &keys {
        gateway.ask_for(key, key.procedure, Duration::MAX).unwrap();
        let (heard, ticket) = server.request().await;
        assert_eq!(heard, key.procedure);
        server.line().settle(ticket);
    }
    // each has its own place, from which nothing of the others is taken
    for (at, key) in keys.iter().enumerate() {
        other.line().serve(key);
        other.is_heard().await;
        server.line().stop_serving(None).await;
        for (nr, key) in keys.iter().enumerate() {
            let id = nr.to_string();
            gateway.ask_for(key, &id, Duration::MAX).unwrap();
            if nr <= at {
                let (heard, ticket) = other.request().await;
                assert_eq!(heard, id);
                other.line().settle(ticket);
            } else {
                gateway.hears(&[&format!("{id}: nobody")]).await;
            }
        }
    }
}

pub(crate) async fn ids_come_back_whatever_they_are_made_of<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let mut gateway = Peer::attach(&broker, &network, 1).await;
    let visible: String = (b'!'..=b'~').map(char::from).collect();
    for id in [&*visible, &"~".repeat(255), "0", "a: nobody"] {
        gateway.ask(id).unwrap();
        gateway.hears(&[&format!("{id}: nobody")]).await;
    }
}
