//! Calls that are given up, run out, or lose one of their ends.

use crate::world::{Endless, World, unavailable};
use std::time::Duration;
use trunkline::{Client, FaultKind, Limits};

#[tokio::test]
async fn who_gives_a_call_up_cancels_it_at_the_far_peer() {
    let world = World::new().await;
    let mut endless = Endless::new();
    let _alice = world.peer("alice", endless.router.clone()).await;
    let bob = world.client().await.peer("alice");
    let mut call = Box::pin(async { bob.call::<()>("wait", ()).await });
    let dropped = tokio::select! {
        answer = &mut call => panic!("{answer:?}"),
        dropped = endless.begun() => dropped,
    };
    drop(call);
    dropped.await.unwrap();
}

#[tokio::test]
async fn who_hangs_up_cancels_its_calls() {
    let world = World::new().await;
    let mut endless = Endless::new();
    let _alice = world.peer("alice", endless.router.clone()).await;
    let bob = world.client().await;
    let calling = bob.clone();
    let call = tokio::spawn(async move { calling.peer("alice").call::<()>("wait", ()).await });
    let dropped = endless.begun().await;
    bob.server().unwrap().abort();
    dropped.await.unwrap();
    assert_eq!(call.await.unwrap().unwrap_err().kind(), FaultKind::Disconnected);
}

#[tokio::test]
async fn a_deadline_is_one_for_all() {
    let world = World::with_limits(Limits::default().call_timeout(Duration::from_millis(20))).await;
    let mut endless = Endless::new();
    let _alice = world.peer("alice", endless.router.clone()).await;
    let fault = world.client().await.peer("alice").call::<()>("wait", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::DeadlineExceeded);
    endless.begun().await.await.unwrap();
}

#[tokio::test]
async fn a_peer_that_disconnects_ends_calls_to_it() {
    let world = World::new().await;
    let mut endless = Endless::new();
    let alice = world.peer("alice", endless.router.clone()).await;
    let bob = world.client().await;
    let calls: Vec<_> = (0..3)
        .map(|_| {
            let alice = bob.peer("alice");
            tokio::spawn(async move { alice.call::<()>("wait", ()).await })
        })
        .collect();
    for _ in 0..3 {
        drop(endless.begun().await);
    }
    alice.server().unwrap().abort();
    drop(alice);
    for call in calls {
        unavailable(&call.await.unwrap().unwrap_err(), "PeerGone");
    }
    world.until_free("alice").await;
    unavailable(&bob.peer("alice").call::<()>("wait", ()).await.unwrap_err(), "UnknownPeer");
    unavailable(&bob.peer("alice").notify("wait", ()).await.unwrap_err(), "UnknownPeer");
    unavailable(&bob.peer("alice").stream::<u8>("drip", ()).await.unwrap_err(), "UnknownPeer");
}

#[tokio::test]
async fn what_is_under_way_counts_at_both_ends() {
    let world = World::with_limits(Limits::default().max_in_flight(3)).await;
    let mut endless = Endless::new();
    let alice = world.peer("alice", endless.router.clone()).await;
    let call =
        |client: Client| tokio::spawn(async move { client.peer("alice").call::<()>("wait", ()).await });
    let (first, dropped) = (call(world.client().await), endless.begun().await);
    let (_second, _running) = (call(world.client().await), endless.begun().await);
    let late = world.client().await;
    let fault = late.peer("alice").call::<()>("wait", ()).await.unwrap_err();
    unavailable(&fault, "PeerBusy");
    // the room is there again when one of them has ended
    first.abort();
    dropped.await.unwrap();
    let again = tokio::spawn(async move {
        loop {
            match late.peer("alice").call::<()>("wait", ()).await {
                Err(fault) if fault.name().as_deref() == Some("PeerBusy") => {}
                other => return other,
            }
        }
    });
    let _third = endless.begun().await;
    alice.server().unwrap().abort();
    unavailable(&again.await.unwrap().unwrap_err(), "PeerGone");
}
