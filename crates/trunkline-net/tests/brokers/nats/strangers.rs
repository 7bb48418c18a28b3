//! Strangers, who speak to the same server without being nodes.

use super::server::Server;
use crate::peer::{PING, Peer};
use async_nats::{Client, HeaderMap};
use bytes::Bytes;
use futures_util::StreamExt;
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};
use trunkline_net::broker::{Broker, Nats, Request};

const CALL: &str = "trunkline.n.call.global.ping.1";

async fn world() -> (Server, Arc<dyn Broker>, Client) {
    let server = Server::start(&[]);
    let broker: Arc<dyn Broker> = Arc::new(Nats::new(&server.uri()).unwrap());
    let stranger = async_nats::connect(server.uri()).await.unwrap();
    (server, broker, stranger)
}

/// A time of the clock that nobody waits for any more.
fn past() -> u128 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.as_millis() - 60_000
}

#[tokio::test]
async fn requests_are_dropped_that_are_late_or_would_have_us_answer_elsewhere() {
    let (_nats, broker, stranger) = world().await;
    let mut server = Peer::serving(&broker, "n", 9, &[PING]).await;
    let body = || Bytes::from_static(b"a");
    stranger.publish(CALL, body()).await.unwrap();
    let late = format!("trunkline.n.answer.0.id.{}", past());
    let elsewhere = [
        "_INBOX.1",
        "$SYS.REQ.SERVER.PING",
        CALL,
        "trunkline.other.answer.0.id.never",
        "trunkline.n.answer.0",
    ];
    for reply_to in elsewhere.into_iter().chain([&*late]) {
        stranger.publish_with_reply(CALL, reply_to.to_owned(), body()).await.unwrap();
    }
    let made_up = ["0.id.never", "0.id.99999999999999999999999", "0.id", "*.>", "0.id.0"];
    for reply_to in made_up {
        stranger.publish_with_reply(CALL, format!("trunkline.n.answer.{reply_to}"), body()).await.unwrap();
    }
    for _ in made_up {
        let heard = server.next().await;
        assert_eq!(heard.text, "a");
        server.line().answer(&heard.reply_to, "id", Bytes::new()).unwrap();
    }
    server.is_heard().await;
}

#[tokio::test]
async fn headers_of_strangers_mean_nothing() {
    let (_nats, broker, stranger) = world().await;
    let mut server = Peer::serving(&broker, "n", 9, &[PING]).await;
    let mut headers = HeaderMap::new();
    for name in ["id", "Nats-Msg-Id", "Trunkline-Id", "expires", "Status"] {
        headers.insert(name, "forged");
    }
    let reply_to = "trunkline.n.answer.0.id.never";
    stranger.publish_with_reply_and_headers(CALL, reply_to, headers, "a".into()).await.unwrap();
    server.hears(&["a"]).await;
    server.is_heard().await;
}

/// Whoever hears a request knows where its answer goes, but not that of others.
#[tokio::test]
async fn what_claims_to_be_of_the_server_ends_no_other_call() {
    let (_nats, broker, stranger) = world().await;
    let mut server = Peer::serving(&broker, "n", 9, &[PING]).await;
    let mut gateway = Peer::attach(&broker, "n", 1).await;
    let mut tapped = stranger.subscribe("trunkline.n.call.>").await.unwrap();
    assert!(stranger.request("nobody", Bytes::new()).await.is_err());
    gateway.ask("mine").unwrap();
    let reply_to = tapped.next().await.unwrap().reply.unwrap().to_string();
    assert!(reply_to.contains(".mine."), "{reply_to}");
    let heard = server.next().await;
    let place = reply_to.rsplitn(3, '.').last().unwrap();
    for made_up in ["%.x", "%zz.x", "a b", "1", "18446744073709551615", "-1", "other.never.more"] {
        let to = format!("{place}.{}", made_up.replace(' ', "%20"));
        stranger.publish(to, "forged".into()).await.unwrap();
    }
    let several = b"\0\0\0\x06forged\0\0\0\0\0\0\0\x07forged";
    stranger.publish(format!("{place}.together"), several[..].into()).await.unwrap();
    stranger.publish(format!("{place}.together"), Bytes::new()).await.unwrap();
    // the server answers once it has done all that it was asked to before
    assert!(stranger.request("nobody", Bytes::new()).await.is_err());
    server.line().answer(&heard.reply_to, "mine", Bytes::from_static(b"honest")).unwrap();
    // the node tells by the body what is awaited
    gateway.hears(&["forged", "forged", "forged", "forged", "", "honest"]).await;
    gateway.is_heard().await;
}

/// Who looks on sees how many messages there are.
#[tokio::test]
async fn answers_given_in_one_moment_to_one_node_are_one_message() {
    let (_nats, broker, stranger) = world().await;
    let mut server = Peer::serving(&broker, "n", 99, &[PING]).await;
    let mut alone = Peer::attach(&broker, "n", 1).await;
    let mut other = Peer::attach(&broker, "n", 1).await;
    let mut tapped = stranger.subscribe("trunkline.n.answer.*.*").await.unwrap();
    assert!(stranger.request("nobody", Bytes::new()).await.is_err());
    alone.ask("alone").unwrap();
    let mut asked = vec![server.next().await];
    for id in ["a", "b", "c"] {
        other.ask(id).unwrap();
        asked.push(server.next().await);
    }
    for heard in &asked {
        server.line().answer(&heard.reply_to, &heard.text, heard.body.clone()).unwrap();
        server.line().settle(heard.ticket.unwrap());
    }
    other.hears(&["a", "b", "c"]).await;
    alone.hears(&["alone"]).await;
    let together = tapped.next().await.unwrap();
    assert!(together.subject.ends_with(".together"), "{}", together.subject);
    assert_eq!(together.payload, &b"\0\0\0\x01a\0\0\0\x01b\0\0\0\x01c"[..]);

    // who leaves has said what it said
    other.ask("last").unwrap();
    let heard = server.next().await;
    server.line().answer(&heard.reply_to, "last", heard.body).unwrap();
    server.line().leave().await;
    other.hears(&["last"]).await;
    tapped.unsubscribe().await.unwrap();
    let rest: Vec<_> = tapped.map(|message| message.subject).collect().await;
    assert!(rest.iter().all(|subject| !subject.ends_with("together")), "{rest:?}");
}

/// They share what there is nevertheless: there are 16 messages at least, where there are as many.
#[tokio::test]
async fn requests_made_in_one_moment_are_fewer_messages() {
    let (_nats, broker, stranger) = world().await;
    let mut server = Peer::serving(&broker, "n", 99, &[PING]).await;
    let mut gateway = Peer::attach(&broker, "n", 1).await;
    let mut tapped = stranger.subscribe("trunkline.n.call.>").await.unwrap();
    assert!(stranger.request("nobody", Bytes::new()).await.is_err());
    let ids: Vec<_> = (0..40).map(|number| format!("id-{number}.")).collect();
    ids.iter().for_each(|id| gateway.ask(id).unwrap());
    for id in &ids {
        let heard = server.next().await;
        assert_eq!(heard.text, *id);
        server.line().answer(&heard.reply_to, id, heard.body).unwrap();
        server.line().settle(heard.ticket.unwrap());
    }
    for id in &ids {
        assert_eq!(gateway.next().await.text, *id);
    }
    tapped.unsubscribe().await.unwrap();
    assert_eq!(tapped.count().await, 16);

    server.kill();
    assert!(server.is_let_go().await);
    ids.iter().for_each(|id| gateway.ask(id).unwrap());
    for id in &ids {
        assert_eq!(gateway.next().await.text, format!("{id}: nobody"));
    }
}

/// A server that takes less than others: longer messages and lines would cost the connection.
#[tokio::test]
async fn what_is_sent_together_is_no_longer_than_the_server_takes() {
    let config = concat!(env!("CARGO_TARGET_TMPDIR"), "/small.conf");
    std::fs::write(config, "max_payload: 2048\nmax_control_line: 1024\n").unwrap();
    let nats = Server::start(&["--config", config]);
    let broker: Arc<dyn Broker> = Arc::new(Nats::new(&nats.uri()).unwrap());
    let mut server = Peer::serving(&broker, "n", 999, &[PING]).await;
    let mut gateway = Peer::attach(&broker, "n", 1).await;
    // of either, several are larger than the server takes
    let ids: Vec<_> = (0..200).map(|number| format!("{number:0>32}")).collect();
    for id in &ids {
        let (body, correlation) = (id.repeat(20).into(), || id.clone());
        let request = Request { id, correlation: &correlation, expires: Duration::from_secs(60), body };
        gateway.line().request(&PING, request).unwrap();
    }
    for id in &ids {
        let heard = server.next().await;
        assert_eq!(heard.text, id.repeat(20));
        server.line().answer(&heard.reply_to, id, heard.body).unwrap();
        server.line().settle(heard.ticket.unwrap());
    }
    for id in &ids {
        assert_eq!(gateway.next().await.text, id.repeat(20));
    }
}

#[tokio::test]
async fn of_requests_that_came_together_those_are_dropped_that_are_late() {
    let (_nats, broker, stranger) = world().await;
    let mut server = Peer::serving(&broker, "n", 9, &[PING]).await;
    let reply_to = format!("trunkline.n.answer.0.a.never.b.{}.c.never", past());
    let body = b"\0\0\0\x01a\0\0\0\x01b\0\0\0\x01c";
    stranger.publish_with_reply(CALL, reply_to.clone(), body[..].into()).await.unwrap();
    // of what is cut off, as much as there is
    stranger.publish_with_reply(CALL, reply_to, body[..7].into()).await.unwrap();
    for (text, reply_to) in [("a", "a.never"), ("c", "c.never"), ("a", "a.never")] {
        let heard = server.next().await;
        assert_eq!((&*heard.text, &*heard.reply_to), (text, &*format!("trunkline.n.answer.0.{reply_to}")));
    }
    server.is_heard().await;
}

/// The client can read no such message, and takes it for a broken connection.
#[tokio::test]
async fn what_cannot_be_read_costs_a_connection_and_no_more() {
    let (nats, broker, _) = world().await;
    let mut server = Peer::serving(&broker, "n", 9, &[PING]).await;
    let mut raw = TcpStream::connect(("127.0.0.1", nats.port)).unwrap();
    let head = "NATS/1.0\r\nno header\r\n\r\n";
    let message = format!("HPUB {CALL} trunkline.n.answer.0.id.never {0} {0}\r\n{head}\r\n", head.len());
    write!(raw, "CONNECT {{\"verbose\":false,\"headers\":true}}\r\n{message}PING\r\n").unwrap();
    let mut answered = [0; 4];
    raw.read_exact(&mut answered).unwrap();
    server.hears(&["lost", "restored"]).await;
    server.ask("a").unwrap();
    server.hears(&["a"]).await;
}
