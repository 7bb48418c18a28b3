//! How much may wait.

use super::{World, any, pair};
use crate::peer::{PING, Peer};
use bytes::Bytes;
use std::time::Duration;
use trunkline_core::Key;
use trunkline_net::broker::Unsent;

/// More than any broker lets wait.
const MANY: usize = 1_000_000;

/// Asks until it is refused, all at once, so that nothing is sent meanwhile; how often it
/// was not.
fn fill(peer: &Peer, mut ask: impl FnMut(&Peer) -> Result<(), Unsent>) -> usize {
    let refused = (0..MANY).map(|_| ask(peer)).enumerate().find(|(_, asked)| asked.is_err());
    let (before, refusal) = refused.expect("something is refused");
    assert_eq!(refusal, Err(Unsent::Full));
    before
}

/// Hears and settles so many, whereupon there is room again.
async fn empty(server: &mut Peer, gateway: &Peer, count: usize) {
    for _ in 0..count {
        let (_, ticket) = server.request().await;
        server.line().settle(ticket);
    }
    gateway.ask("there is room again").unwrap();
    server.hears(&["there is room again"]).await;
}

pub(crate) async fn more_messages_than_may_wait_are_refused<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let (mut server, gateway) = pair(&broker, &network, 1000, &[PING]).await;
    let before = fill(&gateway, |gateway| gateway.ask("a"));
    assert!(before > 10_000, "{before}");
    empty(&mut server, &gateway, before).await;
}

pub(crate) async fn more_bytes_than_may_wait_are_refused<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let (mut server, gateway) = pair(&broker, &network, 1, &[PING]).await;
    let size = W::CAN.largest.unwrap_or(1 << 20).min(1 << 20);
    let body = Bytes::from(vec![b'x'; size]);
    let before = fill(&gateway, |gateway| gateway.ask_with(body.clone()));
    assert!(before * size < 200 << 20, "{before} of {size} bytes");
    empty(&mut server, &gateway, before).await;
}

pub(crate) async fn there_is_room_for_answers<W: World>() {
    let (_world, broker, network) = any::<W>().await;
    let (mut server, mut gateway) = pair(&broker, &network, 2, &[PING]).await;
    let pong = Key { procedure: "pong", ..PING };
    let _other = Peer::serving(&broker, &network, 1, &[pong]).await;
    gateway.ask("a").unwrap();
    let heard = server.next().await;
    fill(&server, |server| server.ask_for(&pong, "b", Duration::MAX));
    server.line().answer(&heard.reply_to, "a", Bytes::from_static(b"an answer")).unwrap();
    gateway.hears(&["an answer"]).await;
}
