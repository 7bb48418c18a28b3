//! Who may take which names, and call whom.

use crate::world::{World, named, unavailable};
use std::error::Error;
use trunkline::{Context, Fault, FaultKind, Identity, Router, Security, access::Access, client::DialError};

fn ping() -> Router {
    Router::new().procedure("ping", async || "pong")
}

#[tokio::test]
async fn nobody_may_unless_the_security_says_so() {
    struct Silent;
    impl Security for Silent {}
    for world in [World::secured(Silent).await, World::secured(Access::new()).await] {
        let client = world.client().await;
        let fault = client.register("alice").await.unwrap_err();
        assert_eq!((fault.kind(), fault.message()), (FaultKind::Forbidden, "you may not register this name"));
        // whether there is such a peer or not
        let fault = client.peer("alice").call::<()>("ping", ()).await.unwrap_err();
        assert_eq!((fault.kind(), fault.message()), (FaultKind::Forbidden, "you may not call this peer"));
        assert!(world.peers.named("alice").is_none());
    }
}

#[tokio::test]
async fn who_may_is_decided_by_name_procedure_and_caller() {
    let forbidden = || Fault::new(FaultKind::Forbidden, "no");
    let access = Access::new()
        .bearer(async |token| Ok(Identity::new(token)))
        .names(move |name, caller| match caller.identity().subject() == Some(name) {
            true => Ok(()),
            false => Err(forbidden()),
        })
        .sends(move |name, procedure, caller| match (name, procedure, caller.identity().is_anonymous()) {
            (_, "ping", _) | ("alice", _, false) => Ok(()),
            _ => Err(forbidden()),
        });
    let world = World::secured(access).await;
    let refused = named(&world.ws, "alice", ping()).bearer("mallory").connect().await.unwrap_err();
    assert!(matches!(refused, DialError::Name { .. }), "{refused:?}");
    assert_eq!(refused.source().unwrap().to_string(), "no");
    let router = ping().procedure("other", async || "pong");
    let _alice = named(&world.ws, "alice", router).bearer("alice").connect().await.unwrap();
    let bob = world.client().await;
    assert_eq!(bob.peer("alice").call::<String>("ping", ()).await.unwrap(), "pong");
    for _ in 0..2 {
        let refused = [
            bob.peer("alice").call::<String>("other", ()).await.unwrap_err(),
            bob.peer("alice").notify("other", ()).await.unwrap_err(),
            bob.peer("alice").stream::<u8>("other", ()).await.unwrap_err(),
            bob.peer("nobody").call::<String>("other", ()).await.unwrap_err(),
        ];
        assert!(refused.iter().all(|fault| fault.kind() == FaultKind::Forbidden), "{refused:?}");
    }
    bob.authenticate(["bob"]).await.unwrap();
    assert_eq!(bob.peer("alice").call::<String>("other", ()).await.unwrap(), "pong");
}

#[tokio::test]
async fn a_security_that_panics_lets_nobody() {
    struct Broken;
    impl Security for Broken {
        fn may_register_peer(&self, _: &str, _: &Context) -> Result<(), Fault> {
            panic!("secret")
        }
        fn may_send_to_peer(&self, _: &str, _: &str, _: &Context) -> Result<(), Fault> {
            panic!("secret")
        }
    }
    let world = World::secured(Broken).await;
    let client = world.client().await;
    let refused = [
        client.register("alice").await.unwrap_err(),
        client.peer("alice").call::<()>("ping", ()).await.unwrap_err(),
        client.peer("alice").stream::<u8>("ping", ()).await.unwrap_err(),
    ];
    for fault in refused {
        assert_eq!((fault.kind(), fault.message()), (FaultKind::Internal, "Internal error"));
    }
}

#[tokio::test]
async fn relayed_calls_are_calls_to_the_rules_too() {
    let access =
        Access::new().names(|_, _| Ok(())).sends(|_, _, _| Ok(())).rule(|call, _| match call.procedure {
            "rpc.peer.call" => Err(Fault::new(FaultKind::Forbidden, "no calls")),
            _ => Ok(()),
        });
    let world = World::secured(access).await;
    let _alice = world.peer("alice", ping()).await;
    let alice = world.client().await.peer("alice");
    assert_eq!(alice.call::<String>("ping", ()).await.unwrap_err().message(), "no calls");
    alice.notify("ping", ()).await.unwrap();
}

/// Everybody under their own name: what the connection of one comes to be another's, the
/// name does not.
#[tokio::test]
async fn a_name_is_left_with_the_identity_that_it_takes() {
    let own = |name: &str, caller: &Context| match caller.identity().subject() == Some(name) {
        true => Ok(()),
        false => Err(Fault::new(FaultKind::Forbidden, "that is not you")),
    };
    let known = async |token: String| match token.as_str() {
        "nobody" => Err(Fault::new(FaultKind::Unauthenticated, "who?")),
        _ => Ok(Identity::new(token)),
    };
    let world = World::secured(Access::new().bearer(known).names(own).sends(|_, _, _| Ok(()))).await;
    let bob = world.client().await;
    for next in ["mallory", "nobody"] {
        let alice = named(&world.ws, "alice", ping()).bearer("alice").connect().await.unwrap();
        alice.authenticate(["alice"]).await.unwrap();
        assert_eq!(bob.peer("alice").call::<String>("ping", ()).await.unwrap(), "pong");
        assert_eq!(alice.authenticate([next]).await.is_ok(), next == "mallory");
        unavailable(&bob.peer("alice").call::<String>("ping", ()).await.unwrap_err(), "UnknownPeer");
        let elsewhere = named(&world.ws, "alice", ping()).bearer("alice").connect().await.unwrap();
        assert_eq!(bob.peer("alice").call::<String>("ping", ()).await.unwrap(), "pong");
        elsewhere.close().await;
        world.until_free("alice").await;
    }
}
