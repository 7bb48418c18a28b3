//! Streams from one peer to another.

use crate::{
    support::request,
    world::{Endless, Wires, World, named, unavailable},
};
use futures_util::{StreamExt, stream};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use trunkline::{Fault, Lag, Limits, Next, OwnedCall, Router, handler};

#[tokio::test]
async fn who_no_longer_listens_ends_it_at_the_far_peer() {
    let world = World::new().await;
    let mut endless = Endless::new();
    let _alice = world.peer("alice", endless.router.clone()).await;
    let bob = world.client().await;
    for hangs_up in [false, true] {
        let mut drips = bob.peer("alice").stream::<u8>("drip", ()).await.unwrap();
        assert_eq!(drips.next().await, Some(Ok(1)));
        let dropped = endless.begun().await;
        match hangs_up {
            true => bob.server().unwrap().abort(),
            false => drop(drips),
        }
        dropped.await.unwrap();
    }
}

#[tokio::test]
async fn a_peer_that_disconnects_ends_its_streams() {
    let world = World::new().await;
    let bob = world.client().await;
    let endless = Endless::new();
    let alice = world.peer("alice", endless.router.clone()).await;
    let mut drips = bob.peer("alice").stream::<u8>("drip", ()).await.unwrap();
    assert_eq!(drips.next().await, Some(Ok(1)));
    alice.server().unwrap().abort();
    unavailable(&drips.next().await.unwrap().unwrap_err(), "PeerGone");
    assert_eq!(drips.next().await, None);
}

#[tokio::test]
async fn how_a_stream_ends_is_passed_on() {
    let world = World::new().await;
    let router = Router::new()
        .procedure("fails", async || {
            stream::iter([Ok(1), Err(Fault::from("broken").with_code(9).with_data([1]))])
        })
        .procedure("refused", async || Err::<stream::Empty<u8>, _>(Fault::from("not today").with_code(5)))
        .procedure("value", async || 1);
    let _alice = world.peer("alice", router).await;
    let alice = world.client().await.peer("alice");
    let mut items = alice.stream::<u8>("fails", ()).await.unwrap();
    assert_eq!(items.next().await, Some(Ok(1)));
    let fault = items.next().await.unwrap().unwrap_err();
    assert_eq!((fault.code(), fault.message(), fault.raw_data()), (Some(9), "broken", Some("[1]")));
    assert_eq!(items.next().await, None);
    assert_eq!(alice.stream::<u8>("refused", ()).await.unwrap_err().code(), Some(5));
    let fault = alice.stream::<u8>("value", ()).await.unwrap_err();
    assert_eq!(fault.message(), "it gives a value, not a stream: call it");
    let fault = alice.call::<u8>("fails", ()).await.unwrap_err();
    assert_eq!(fault.message(), "it gives a stream, not a value: subscribe to it");
}

#[tokio::test]
async fn all_items_arrive_in_their_order() {
    let world = World::new().await;
    let _alice =
        world.peer("alice", Router::new().procedure("up", async |to: u32| stream::iter(0..to))).await;
    let bob = world.client().await;
    let items = bob.peer("alice").stream::<u32>("up", (5_000,)).await.unwrap();
    let items: Vec<u32> = items.map(Result::unwrap).collect().await;
    assert_eq!(items, (0..5_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_slow_caller_slows_the_far_peer() {
    let world = World::new().await;
    let made = Arc::new(AtomicUsize::new(0));
    let counted = made.clone();
    let router = Router::new().procedure("ping", async || "pong").procedure("flood", move || {
        let counted = counted.clone();
        async move { stream::repeat_with(move || counted.fetch_add(1, Ordering::Relaxed)) }
    });
    let _alice = world.peer("alice", router).await;
    let bob = world.client().await;
    let alice = bob.peer("alice");
    let mut flood = alice.stream::<usize>("flood", ()).max_waiting(4).await.unwrap();
    assert_eq!(flood.next().await, Some(Ok(0)));
    // each of these is a turn for all three to send what they like
    for _ in 0..50 {
        alice.call::<String>("ping", ()).await.unwrap();
    }
    let so_far = made.load(Ordering::Relaxed);
    assert!(so_far <= 4 + 2 * 256, "{so_far} items were made for a caller who took one");
    for expected in 1..700 {
        assert_eq!(flood.next().await, Some(Ok(expected)));
    }
}

#[tokio::test]
async fn what_is_left_out_is_up_to_the_far_peer() {
    let world = World::new().await;
    let states = async || stream::iter(0..5_000);
    let router = Router::new()
        .procedure("ping", async || "pong")
        .procedure("state", handler(states).lag(Lag::Coalesce))
        .procedure("states", states);
    // whatever else she serves to the server, and what is around that
    let own = Router::new().layer(async |call: OwnedCall, next: Next| next.run(call).await);
    let _alice = named(&world.tcp, "alice", router).router(own).connect().await.unwrap();
    let alice = world.client().await.peer("alice");
    for (name, whole) in [("state", false), ("states", true)] {
        let states = alice.stream::<u32>(name, ()).max_waiting(4).await.unwrap();
        // each of these is a turn for all three to send what they like
        for _ in 0..50 {
            alice.call::<String>("ping", ()).await.unwrap();
        }
        let states: Vec<u32> = states.map(Result::unwrap).collect().await;
        assert_eq!((states.last(), states.len() == 5_000), (Some(&4_999), whole), "{name}");
    }
}

/// A peer that sends items, whatever room there is for them, to a caller who takes none.
#[tokio::test]
async fn what_waits_at_the_server_is_bounded() {
    let wires = Wires::with_limits(Limits::default().max_reply(10_000));
    let (mut alice, mut bob) = (wires.named("alice").await, wires.named("bob").await);
    bob.line(r#"{"jsonrpc":"2.0","method":"rpc.credit","params":{"call":2,"items":0}}"#).await;
    bob.line(request(2, "rpc.peer.subscribe", json!({"peer": "alice", "method": "flood"}))).await;
    assert_eq!(alice.next().await["method"], "rpc.credit");
    let asked = alice.next().await;
    assert_eq!(asked["method"], "rpc.peer.subscribe");
    alice.line(json!({"jsonrpc": "2.0", "id": asked["id"], "result": "s"}).to_string()).await;
    let opened = bob.next().await;
    for _ in 0..20 {
        let item = json!({"subscription": "s", "result": "x".repeat(998)});
        alice.line(json!({"jsonrpc": "2.0", "method": "flood", "params": item}).to_string()).await;
    }
    let ended = alice.next().await;
    assert_eq!((&ended["method"], &ended["params"]), (&json!("rpc.unsubscribe"), &json!(["s"])));
    let credit = json!({"subscription": opened["result"], "items": 100});
    bob.line(json!({"jsonrpc": "2.0", "method": "rpc.credit", "params": credit}).to_string()).await;
    for _ in 0..10 {
        assert_eq!(bob.next().await["params"]["result"].as_str().map(str::len), Some(998));
    }
    let last = bob.next().await;
    assert!(
        last["params"]["error"]["message"].as_str().unwrap().ends_with("the limit `max_reply`"),
        "{last}"
    );
    // what was taken is room again, for another stream
    bob.line(request(3, "rpc.peer.subscribe", json!({"peer": "alice", "method": "flood"}))).await;
    let asked = loop {
        let said = alice.next().await;
        if said["method"] == "rpc.peer.subscribe" {
            break said;
        }
    };
    alice.line(json!({"jsonrpc": "2.0", "id": asked["id"], "result": "t"}).to_string()).await;
    bob.next().await;
    let item = json!({"subscription": "t", "result": "x".repeat(9_000)});
    alice.line(json!({"jsonrpc": "2.0", "method": "flood", "params": item}).to_string()).await;
    assert_eq!(bob.next().await["params"]["result"].as_str().map(str::len), Some(9_000));
}

#[tokio::test]
async fn streams_are_counted_at_both_ends() {
    let world = World::with_limits(Limits::default().max_streams(2)).await;
    let endless = Endless::new();
    let _alice = world.peer("alice", endless.router.clone()).await;
    let (bob, carol) = (world.client().await, world.client().await);
    let first = bob.peer("alice").stream::<u8>("drip", ()).await.unwrap();
    let _second = carol.peer("alice").stream::<u8>("drip", ()).await.unwrap();
    unavailable(&bob.peer("alice").stream::<u8>("drip", ()).await.unwrap_err(), "PeerBusy");
    drop(first);
    // the same connection tells the server first that it no longer listens
    let _third = bob.peer("alice").stream::<u8>("drip", ()).await.unwrap();
}
