//! Streams that clients of rpc-websockets subscribe to are for those who may open them.

use crate::{
    support::{Wire, request},
    world::{access, login, shut},
};
use futures_util::stream;
use serde_json::{Value, json};
use std::borrow::Cow;
use tokio::sync::broadcast::Sender;
use trunkline::{Context, Fault, JsonRpc, Router, Security, Service, handler, rpc_websockets::RpcWebsockets};

/// A connection, and what sends items to all streams: `feed` is for everybody, `vault`
/// for admins, `backstage` for nobody, and `broken` fails.
fn wire(security: impl Security) -> (Wire, Sender<u8>) {
    let items = Sender::new(8);
    let feed = |items: &Sender<u8>| {
        let items = items.clone();
        move || {
            let items = items.subscribe();
            async move { stream::unfold(items, async |mut items| Some((items.recv().await.ok()?, items))) }
        }
    };
    let router = Router::new()
        .procedure("feed", feed(&items))
        .procedure("vault", handler(feed(&items)).group("admin"))
        .procedure("backstage", handler(feed(&items)).internal())
        .procedure("broken", async || Err::<stream::Empty<u8>, _>(Fault::from("the disk is full")));
    let events = ["feed", "vault", "backstage", "broken"];
    let events = events.into_iter().fold(RpcWebsockets::new(), RpcWebsockets::stream);
    let router = events.router(router, Router::new());
    (Wire::to(Service::new(router, JsonRpc::rpc_websockets()).security(security)), items)
}

async fn on(wire: &mut Wire, name: &str) -> Value {
    wire.ask(request(1, "rpc.on", json!([name]))).await["result"][name].clone()
}

fn event(name: &str, item: u8) -> Value {
    json!({"notification": name, "params": [item]})
}

#[tokio::test]
async fn who_may_not_open_a_stream_may_not_subscribe_to_it() {
    let (mut wire, items) = wire(access(&shut()));
    assert_eq!(on(&mut wire, "vault").await, "authenticate first");
    assert_eq!(on(&mut wire, "backstage").await, "Method not found");
    wire.ask(login(2, "bob")).await;
    assert_eq!(on(&mut wire, "vault").await, "you are in none of the groups that may do this");
    assert_eq!(items.receiver_count(), 0, "nothing was opened");
    wire.ask(login(3, "ada")).await;
    assert_eq!(on(&mut wire, "vault").await, "ok");
    items.send(1).unwrap();
    wire.expect(event("vault", 1)).await;
}

/// What was for one is not to be heard by another.
#[tokio::test]
async fn items_are_for_whoever_has_subscribed() {
    for (next, known) in [("bob", json!("bob")), ("eve", Value::Null)] {
        let (mut wire, items) = wire(access(&shut()));
        wire.ask(login(2, "ada")).await;
        assert_eq!(on(&mut wire, "vault").await, "ok");
        // ada is still there
        wire.ask(login(3, "ada")).await;
        items.send(1).unwrap();
        wire.expect(event("vault", 1)).await;
        assert_eq!(wire.ask(login(4, next)).await["result"]["subject"], known);
        items.send(2).unwrap();
        wire.is_well().await;
        items.closed().await;
    }
}

/// The stream of who was there before is not in their way, also if no item has come.
#[tokio::test]
async fn whoever_is_known_next_can_subscribe_too() {
    let (mut wire, items) = wire(access(&shut()));
    wire.ask(login(2, "ada")).await;
    assert_eq!(on(&mut wire, "feed").await, "ok");
    wire.ask(login(3, "bob")).await;
    assert_eq!(on(&mut wire, "feed").await, "ok");
    items.send(1).unwrap();
    wire.expect(event("feed", 1)).await;
    wire.is_well().await;
}

/// As a stream that is opened in any other way does.
#[tokio::test]
async fn what_nobody_has_subscribed_to_outlasts_a_login() {
    let (mut wire, items) = wire(access(&shut()));
    assert_eq!(on(&mut wire, "feed").await, "ok");
    wire.ask(login(2, "ada")).await;
    items.send(1).unwrap();
    wire.expect(event("feed", 1)).await;
}

#[tokio::test]
async fn what_is_told_of_a_fault_is_up_to_security() {
    struct Discreet;
    impl Security for Discreet {
        fn redact<'f>(&self, fault: &'f Fault, _: &Context) -> Cow<'f, Fault> {
            Cow::Owned(Fault::new(fault.kind(), "no"))
        }
    }
    let (mut wire, _items) = wire(Discreet);
    for name in ["vault", "broken"] {
        assert_eq!(on(&mut wire, name).await, "no", "{name}");
    }
}
