//! Names that outlive connections.

use crate::world::{World, named, unavailable};
use trunkline::{
    Client, Router,
    client::{ConnectionState, DialError},
};

fn ping() -> Router {
    Router::new().procedure("ping", async || "pong")
}

async fn until_here(bob: &Client, name: &str) {
    while bob.peer(name).call::<String>("ping", ()).await.is_err() {}
}

#[tokio::test]
async fn names_are_taken_again_after_a_reconnect() {
    let world = World::new().await;
    let alice = world.peer("alice", ping()).await;
    alice.register("alicia").await.unwrap();
    alice.register("for now").await.unwrap();
    assert!(alice.unregister("for now").await.unwrap());
    let bob = world.client().await;
    let before = world.peers.named("alice").unwrap();
    before.abort();
    before.closed().await;
    for name in ["alice", "alicia"] {
        until_here(&bob, name).await;
        assert_ne!(world.peers.named(name).unwrap(), before);
    }
    assert!(world.peers.named("for now").is_none());
}

#[tokio::test]
async fn a_name_that_is_taken_fails_the_first_connection() {
    let world = World::new().await;
    let _alice = world.peer("alice", ping()).await;
    let refused = named(&world.tcp, "alice", ping()).connect().await.unwrap_err();
    let DialError::Name { name, source } = refused else { panic!("{refused:?}") };
    assert_eq!(name, "alice");
    unavailable(&source, "NameTaken");
}

#[tokio::test]
async fn a_client_that_connects_at_its_leisure_waits_for_its_name() {
    let world = World::new().await;
    let alice = world.peer("alice", Router::new()).await;
    let next = named(&world.tcp, "alice", ping()).connect_lazy().unwrap();
    next.states().wait_for(|state| *state == ConnectionState::Connected).await.unwrap();
    let bob = world.client().await;
    assert!(bob.peer("alice").call::<String>("ping", ()).await.is_err());
    alice.close().await;
    until_here(&bob, "alice").await;
}

#[tokio::test]
async fn a_name_that_is_refused_is_not_wanted_any_more() {
    let world = World::new().await;
    let (alice, bob) = (world.client().await, world.client().await);
    alice.register("alice").await.unwrap();
    unavailable(&bob.register("alice").await.unwrap_err(), "NameTaken");
    bob.register("bob").await.unwrap();
    alice.close().await;
    world.until_free("alice").await;
    let before = world.peers.named("bob").unwrap();
    before.abort();
    before.closed().await;
    while world.peers.named("bob").is_none() {
        tokio::task::yield_now().await;
    }
    assert!(world.peers.named("alice").is_none());
}
