//! Brokers that are lost, and come back.

use super::{World, network, pair};
use crate::peer::{PING, Peer};
use bytes::Bytes;
use trunkline_net::broker::Unsent;

pub(crate) async fn all_is_there_again_after_a_loss<W: World>() {
    let (mut world, network) = (W::own().await, network());
    let (mut server, mut gateway) = pair(&world.broker(), &network, 1, &[PING]).await;
    ["t", "u"].iter().for_each(|topic| server.line().subscribe(topic));
    server.line().unsubscribe("u");
    server.is_heard().await;
    gateway.ask("a").unwrap();
    gateway.ask("b").unwrap();
    let (_, of_before) = server.request().await;
    for round in ["1", "2"] {
        world.lose().await;
        gateway.hears(&["lost"]).await;
        server.hears(if W::CAN.holds_back || round == "2" { &["lost"] } else { &["b", "lost"] }).await;
        assert_eq!(gateway.ask("c"), Err(Unsent::Lost));
        world.restore().await;
        gateway.hears(&["restored"]).await;
        server.hears(&["restored"]).await;
        server.line().settle(of_before);
        gateway.ask("d").unwrap();
        let heard = server.next().await;
        assert_eq!(heard.text, "d", "what was there before the loss is forgotten");
        server.line().answer(&heard.reply_to, "d", Bytes::from_static(b"pong")).unwrap();
        server.line().settle(heard.ticket.unwrap());
        gateway.hears(&["pong"]).await;
        gateway.line().publish("u", Bytes::from_static(b"unheard")).unwrap();
        gateway.line().publish("t", Bytes::from_static(b"news")).unwrap();
        server.hears(&["t: news"]).await;
    }
}

pub(crate) async fn a_broker_that_is_not_there_is_waited_for<W: World>() {
    let mut world = W::own().await;
    let (broker, network) = (world.broker(), network());
    world.lose().await;
    let mut server = Peer::attach_at_once(&broker, &network, 1);
    server.line().serve(&PING);
    assert_eq!(server.ask("a"), Err(Unsent::Lost));
    let mut gone = Peer::attach_at_once(&broker, &network, 1);
    gone.line().leave().await;
    assert!(gone.is_let_go().await, "leaving waits for no broker");
    world.restore().await;
    server.hears(&["restored"]).await;
    server.ask("b").unwrap();
    server.hears(&["b"]).await;
}
