//! Names: taken, given back, free again.

use crate::world::{World, named, unavailable};
use trunkline::{Client, FaultKind, Limits, Router, client::DialError};

#[tokio::test]
async fn a_name_is_never_taken_from_another() {
    let world = World::new().await;
    let (alice, mallory) = (world.client().await, world.client().await);
    alice.register("alice").await.unwrap();
    alice.register("alice").await.unwrap();
    unavailable(&mallory.register("alice").await.unwrap_err(), "NameTaken");
    assert!(!mallory.unregister("alice").await.unwrap(), "it is not hers");
    assert_eq!(world.peers.named("alice").unwrap().connection().transport(), "websocket");
    assert!(alice.unregister("alice").await.unwrap());
    assert!(!alice.unregister("alice").await.unwrap());
    assert!(world.peers.named("alice").is_none());
    mallory.register("alice").await.unwrap();
}

#[tokio::test]
async fn a_name_is_free_again_when_its_connection_ends() {
    let world = World::new().await;
    let next = world.client().await;
    for ends_well in [true, false] {
        let alice = world.client().await;
        alice.register("alice").await.unwrap();
        let served = world.peers.named("alice").unwrap();
        match ends_well {
            true => alice.close().await,
            false => alice.server().unwrap().abort(),
        }
        served.closed().await;
        // at this very moment
        assert!(world.peers.named("alice").is_none());
        next.register("alice").await.unwrap();
        // the end of the one before does not take it from the next
        while world.peers.get(served.connection().id()).is_some() {
            tokio::task::yield_now().await;
        }
        assert!(world.peers.named("alice").is_some());
        next.unregister("alice").await.unwrap();
    }
}

#[tokio::test]
async fn a_connection_has_so_many_names() {
    let world = World::new().await;
    let client = world.client().await;
    for name in 0..8 {
        client.register(format!("name {name}")).await.unwrap();
    }
    let fault = client.register("one more").await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Unavailable);
    assert_eq!(fault.data::<String>().unwrap(), "it may have 8, the limit `max_names`");
    assert!(client.unregister("name 3").await.unwrap());
    client.register("one more").await.unwrap();

    let world = World::with_limits(Limits::default().max_names(0)).await;
    assert_eq!(world.client().await.register("one").await.unwrap_err().kind(), FaultKind::Unavailable);
}

#[tokio::test]
async fn a_thousand_names_come_and_go() {
    let world = World::with_limits(Limits::default().max_names(1_000)).await;
    let router = Router::new().procedure("ping", async || "pong");
    let alice = Client::builder(&world.tcp).for_peers(router).connect().await.unwrap();
    let mut batch = alice.batch();
    for name in 0..1_000 {
        batch = batch.call("rpc.peer.register", (format!("alice {name}"),)).unwrap();
    }
    let answers = batch.send().await.unwrap();
    assert!(answers.iter().all(Result::is_ok));
    let bob = world.client().await;
    for name in [0, 500, 999] {
        let called = bob.peer(format!("alice {name}")).call::<String>("ping", ()).await;
        assert_eq!(called.unwrap(), "pong");
    }
    alice.close().await;
    world.until_free("alice 999").await;
    assert!((0..1_000).all(|name| world.peers.named(&format!("alice {name}")).is_none()));
}

#[tokio::test]
async fn a_name_takes_a_connection() {
    let world = World::new().await;
    let posting = Client::connect(&world.http).await.unwrap();
    assert!(posting.register("alice").await.unwrap_err().message().contains("takes a connection"));
    let fault = posting.call::<()>("rpc.peer.register", ("alice",)).await.unwrap_err();
    assert!(fault.message().starts_with("there is no way back to a caller over http"), "{fault}");
    let refused = named(&world.http, "alice", Router::new()).connect().await.unwrap_err();
    assert!(matches!(refused, DialError::Name { name, .. } if name == "alice"));
}
