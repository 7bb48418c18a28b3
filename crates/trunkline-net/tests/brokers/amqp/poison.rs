//! Messages of others that cannot be read: they cost nobody else's.

use super::stranger::Stranger;
use crate::{
    contract::network,
    log::Log,
    peer::{PING, Peer},
};
use amq_protocol::protocol::BasicProperties;
use std::sync::Arc;
use trunkline_net::broker::{Amqp, Broker};
use trunkline_services::RabbitMq;

/// Flags of properties.
const HEADERS: u16 = 1 << 13;
const REPLY_TO: u16 = 1 << 9;
const EXPIRATION: u16 = 1 << 8;
const KIND: u16 = 1 << 5;

/// Headers of one table in the other, so deep.
fn nested(depth: usize) -> Vec<u8> {
    let mut table = Vec::new();
    for _ in 0..depth {
        let length = u32::try_from(table.len()).unwrap().to_be_bytes();
        table = [&[1, b'h', b'F'][..], &length, &table].concat();
    }
    [&u32::try_from(table.len()).unwrap().to_be_bytes()[..], &table].concat()
}

#[tokio::test(flavor = "current_thread")]
async fn requests_that_cannot_be_read_are_passed_over_and_nobody_is_interrupted() {
    let (log, _guard) = Log::new();
    let uri = RabbitMq::shared().unwrap().uri();
    let (broker, network): (Arc<dyn Broker>, _) = (Arc::new(Amqp::new(&uri).unwrap()), network());
    let mut server = Peer::serving(&broker, &network, 1, &[PING]).await;
    let (mut stranger, exchange) = (Stranger::connect(&uri), format!("rpc-global.{network}"));
    let queue = format!("rpc.{network}.{PING}");
    let no_text: &[u8] = &[2, 0xff, 0xfe];
    for (flags, properties) in [(KIND, no_text), (REPLY_TO, no_text), (REPLY_TO | KIND, &[1, 0xff, 1, 0xff])]
    {
        stranger.publish_odd(&exchange, &PING.to_string(), flags, properties, b"s3cret");
        // past the exchange, too
        stranger.publish_odd("", &queue, flags, properties, b"s3cret");
    }
    let sound = || BasicProperties::default().with_type("request".into()).with_reply_to("r".into());
    stranger.publish(&exchange, &PING.to_string(), sound(), b"sound");
    let (heard, ticket) = server.request().await;
    assert_eq!(heard, "sound");
    server.line().settle(ticket);
    let said = log.until_it_has(&["is not UTF-8"]).await;
    assert!(!said.contains("s3cret"), "{said}");

    // deep, but sound besides
    let deep = [&*nested(6000), b"\x01r\x07request"].concat();
    stranger.publish_odd(&exchange, &PING.to_string(), HEADERS | REPLY_TO | KIND, &deep, b"deep");
    let heard = server.next().await;
    assert_eq!((&*heard.text, &*heard.reply_to), ("deep", "r"));
    server.line().settle(heard.ticket.unwrap());
    stranger.publish(&exchange, &PING.to_string(), sound(), b"sound again");
    server.hears(&["sound again"]).await;
}

/// What RabbitMQ itself does not read, it may refuse; what comes of it is the stranger's affair.
#[tokio::test]
async fn answers_and_events_that_cannot_be_read_are_passed_over() {
    let uri = RabbitMq::shared().unwrap().uri();
    let (broker, network): (Arc<dyn Broker>, _) = (Arc::new(Amqp::new(&uri).unwrap()), network());
    let mut server = Peer::serving(&broker, &network, 1, &[PING]).await;
    let mut gateway = Peer::attach(&broker, &network, 1).await;
    gateway.line().subscribe("t");
    gateway.is_heard().await;
    gateway.ask("a").unwrap();
    let reply_to = server.next().await.reply_to;
    let mut stranger = Stranger::connect(&uri);
    let deep = nested(6000);
    let no_text: &[u8] = &[2, 0xff, 0xfe];
    for (flags, properties) in [(HEADERS, &*deep), (KIND, no_text), (REPLY_TO, no_text)] {
        stranger.publish_odd("", &reply_to, flags, properties, b"odd");
    }
    stranger.publish_odd(&format!("rpc-events.{network}"), "t", REPLY_TO, no_text, b"odd");
    stranger.publish_odd(&format!("rpc-events.{network}"), "t", EXPIRATION, b"\x0510000", b"even");
    gateway.hears(&["t: even"]).await;
    server.line().answer(&reply_to, "a", "pong".into()).unwrap();
    gateway.hears(&["pong"]).await;
}
