//! What is said besides requests, and how much.

use super::{World, any, network, pair};
use crate::peer::{PING, Peer};
use bytes::Bytes;
use std::time::Duration;
use trunkline_net::broker::{Request, Unsent};

pub(crate) async fn answers_come_to_whom_they_are_for_and_in_order<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let (mut server, mut one) = pair(&broker, &network, 9, &[PING]).await;
    let mut two = Peer::attach(&broker, &network, 1).await;
    for (asks, name) in [(&mut one, "one"), (&mut two, "two")] {
        asks.ask(name).unwrap();
        let heard = server.next().await;
        for number in 0..100 {
            let body = Bytes::from(format!("{name} {number}"));
            server.line().answer(&heard.reply_to, "id", body).unwrap();
        }
        server.line().settle(heard.ticket.unwrap());
        for number in 0..100 {
            assert_eq!(asks.next().await.text, format!("{name} {number}"));
        }
    }
    one.is_heard().await;
    two.is_heard().await;
}

pub(crate) async fn answers_to_nobody_are_lost<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let (mut server, mut gateway) = pair(&broker, &network, 9, &[PING]).await;
    gateway.ask("a").unwrap();
    let (heard, mut gone) = (server.next().await, Peer::attach(&broker, &network, 1).await);
    gone.ask("b").unwrap();
    let of_gone = server.next().await;
    gone.line().leave().await;
    for reply_to in ["nobody", &"x".repeat(255), &of_gone.reply_to, &heard.reply_to] {
        server.line().answer(reply_to, "id", Bytes::from_static(b"pong")).unwrap();
    }
    gateway.hears(&["pong"]).await;
    assert!(gone.is_let_go().await);
    server.is_heard().await;
}

pub(crate) async fn what_is_published_reaches_each_that_listens_once<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let mut peers = Vec::new();
    for topics in [&["t", "u"][..], &["t"], &["t", "t", "a topic.with *everything> #"]] {
        let mut peer = Peer::attach(&broker, &network, 1).await;
        topics.iter().for_each(|topic| peer.line().subscribe(topic));
        peer.is_heard().await;
        peers.push(peer);
    }
    let say = |topic: &str, body| peers[0].line().publish(topic, Bytes::from_static(body)).unwrap();
    say("t", b"1");
    say("u", b"2");
    say("nobody listens", b"3");
    say("a topic.with *everything> #", b"4");
    say("t", b"5");
    hears_of_each_topic(&mut peers[0], ["t: 1", "t: 5", "u: 2"]).await;
    hears_of_each_topic(&mut peers[1], ["t: 1", "t: 5"]).await;
    hears_of_each_topic(&mut peers[2], ["a topic.with *everything> #: 4", "t: 1", "t: 5"]).await;
    for peer in &mut peers {
        peer.is_heard().await;
    }
}

pub(crate) async fn what_is_unsubscribed_is_heard_no_more<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let (mut one, mut other) =
        (Peer::attach(&broker, &network, 1).await, Peer::attach(&broker, &network, 1).await);
    // before the broker is there, or just then, as well
    let mut early = Peer::attach_at_once(&broker, &network, 1);
    for peer in [&one, &other, &early] {
        ["t", "u"].iter().for_each(|topic| peer.line().subscribe(topic));
    }
    ["t", "v"].iter().for_each(|topic| early.line().unsubscribe(topic));
    early.hears(&["restored"]).await;
    early.is_heard().await;
    other.is_heard().await;
    for round in ["1", "2"] {
        one.line().unsubscribe("t");
        one.line().unsubscribe("t");
        one.is_heard().await;
        other.line().publish("t", Bytes::from_static(round.as_bytes())).unwrap();
        other.hears(&[&format!("t: {round}")]).await;
        say_and_hear(&mut other, &mut one, "u", round).await;
        early.hears(&[&format!("u: {round}")]).await;
        one.line().subscribe("t");
        one.is_heard().await;
        say_and_hear(&mut other, &mut one, "t", round).await;
    }
    early.is_heard().await;
}

/// One publishes, and both hear it.
async fn say_and_hear(one: &mut Peer, other: &mut Peer, topic: &str, body: &'static str) {
    one.line().publish(topic, Bytes::from_static(body.as_bytes())).unwrap();
    let expected = format!("{topic}: {body}");
    one.hears(&[&expected]).await;
    other.hears(&[&expected]).await;
}

/// Hears these things, sorted by their topics; what is said of one comes in order.
async fn hears_of_each_topic<const N: usize>(peer: &mut Peer, expected: [&str; N]) {
    let mut heard = Vec::new();
    for _ in expected {
        heard.push(peer.next().await.text);
    }
    heard.sort_by(|one, other| one.split(':').next().cmp(&other.split(':').next()));
    assert_eq!(heard, expected);
}

pub(crate) async fn networks_are_apart<W: World>() {
    let (_world, broker, here) = any::<W>().await;
    // names that a careless broker would take for the same, or for a pattern
    let long = network() + &"x".repeat(300);
    let others = [format!("{here}.x"), format!("{here}-"), format!("{here} *"), here.to_uppercase(), long];
    let (mut server, mut gateway) = pair(&broker, &here, 9, &[PING]).await;
    server.line().subscribe("t");
    server.is_heard().await;
    for there in others {
        let mut stranger = Peer::attach(&broker, &there, 1).await;
        stranger.ask("a").unwrap();
        stranger.hears(&["a: nobody"]).await;
        stranger.line().publish("t", Bytes::from_static(b"of strangers")).unwrap();
        stranger.is_heard().await;
        let mut at_home = Peer::serving(&broker, &there, 1, &[PING]).await;
        stranger.ask("b").unwrap();
        at_home.hears(&["b"]).await;
    }
    gateway.ask("c").unwrap();
    gateway.line().publish("t", Bytes::from_static(b"ours")).unwrap();
    let mut heard = [server.next().await.text, server.next().await.text];
    heard.sort();
    assert_eq!(heard, ["c", "t: ours"]);
    gateway.is_heard().await;
}

pub(crate) async fn bodies_arrive_as_they_were_sent<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let (mut server, mut gateway) = pair(&broker, &network, 1, &[PING]).await;
    server.line().subscribe("t");
    server.is_heard().await;
    let all: Bytes = (0..=255).collect();
    let large: Bytes = (0..=250).cycle().take(W::CAN.largest.unwrap_or(4 << 20)).collect();
    for body in [Bytes::new(), all, large] {
        gateway.ask_with(body.clone()).unwrap();
        let heard = server.next().await;
        assert!(heard.body == body, "a request of {} bytes", body.len());
        server.line().answer(&heard.reply_to, "id", body.clone()).unwrap();
        server.line().settle(heard.ticket.unwrap());
        assert!(gateway.next().await.body == body, "an answer of {} bytes", body.len());
        gateway.line().publish("t", body.clone()).unwrap();
        assert!(server.next().await.body == body, "an event of {} bytes", body.len());
    }
}

pub(crate) async fn bodies_that_are_too_large_are_refused_and_do_no_harm<W: World>() {
    let Some(largest) = W::CAN.largest else { return };
    let (_world, broker, network) = any::<W>().await;
    let (mut server, mut gateway) = pair(&broker, &network, 1, &[PING]).await;
    let (body, refused) = (Bytes::from(vec![b'x'; largest + 1]), Err(Unsent::TooLarge(largest)));
    let request =
        Request { id: "id", correlation: &|| "id".to_owned(), expires: Duration::MAX, body: body.clone() };
    assert_eq!(gateway.line().request(&PING, request), refused);
    assert_eq!(gateway.line().publish("t", body.clone()), refused);
    gateway.ask("a").unwrap();
    let heard = server.next().await;
    assert_eq!(server.line().answer(&heard.reply_to, "a", body), refused);
    server.line().answer(&heard.reply_to, "a", Bytes::from_static(b"too large")).unwrap();
    gateway.hears(&["too large"]).await;
}
