//! What strangers may send, as they spell it.

use crate::{
    support::{code, request},
    world::{Wires, register},
};
use serde_json::json;
use std::time::Duration;
use trunkline::Limits;

#[tokio::test]
async fn no_name_is_too_strange() {
    let wires = Wires::new();
    let mut mallory = wires.wire();
    let long = "x".repeat(129);
    let huge = "x".repeat(1 << 20);
    for name in ["", &long, &huge, "a\nb", "\u{0}", "\u{1b}[31m", "\u{7f}", "\u{85}"] {
        for asked in [
            register(1, name),
            request(1, "rpc.peer.call", json!({"peer": name, "method": "x"})),
            request(1, "rpc.peer.notify", json!({"peer": name, "method": "x"})),
            request(1, "rpc.peer.subscribe", json!({"peer": name, "method": "x"})),
        ] {
            let answer = mallory.ask(asked).await;
            assert_eq!(code(&answer), -32602, "{answer}");
            assert!(answer.to_string().len() < 300, "names are not repeated");
        }
    }
    let longest = "ü".repeat(64);
    assert_eq!(mallory.ask(register(2, &longest)).await["result"], json!(null));
    mallory.is_well().await;
}

#[tokio::test]
async fn arguments_of_other_shapes_are_refused() {
    let wires = Wires::new();
    let mut mallory = wires.wire();
    for method in ["register", "unregister", "call", "notify", "subscribe"] {
        for params in [
            json!([]),
            json!({}),
            json!([1]),
            json!({"name": null, "peer": null}),
            json!({"peer": "alice"}),
            json!({"peer": "alice", "method": 5}),
            json!(["alice", "x", [], {}, {}]),
            json!({"peer": "alice", "method": "x", "from": 5}),
        ] {
            let answer = mallory.ask(request(1, &format!("rpc.peer.{method}"), params.clone())).await;
            assert_eq!(code(&answer), -32602, "{method} {params}: {answer}");
        }
    }
    mallory.is_well().await;
}

#[tokio::test]
async fn nobody_says_of_itself_who_calls() {
    let wires = Wires::new();
    let (mut alice, mut mallory) = (wires.named("alice").await, wires.named("mallory").await);
    let admin = json!({"name": "admin", "subject": "root"});
    for (id, params) in [
        (2, json!({"peer": "alice", "method": "x", "params": {"from": "admin"}, "from": admin})),
        (3, json!(["alice", "x", {"from": "admin"}, admin])),
    ] {
        mallory.line(request(id, "rpc.peer.call", params)).await;
        let called = alice.next().await;
        let expected =
            json!({"peer": "alice", "method": "x", "params": {"from": "admin"}, "from": {"name": "mallory"}});
        assert_eq!(called["params"], expected);
        alice.line(json!({"jsonrpc": "2.0", "id": called["id"], "result": 1.50}).to_string()).await;
        assert_eq!(mallory.next().await["result"], 1.5);
    }
}

#[tokio::test]
async fn what_is_not_asked_for_goes_nowhere() {
    let wires = Wires::new();
    let (mut alice, mut mallory) = (wires.named("alice").await, wires.wire());
    // answers to calls that nobody made, items of streams that nobody opened
    for said in [
        json!({"jsonrpc": "2.0", "id": 1, "result": "forged"}),
        json!({"jsonrpc": "2.0", "method": "rpc.peer.subscribe", "params": {"subscription": "0x1", "result": 1}}),
        json!({"jsonrpc": "2.0", "method": "rpc.end", "params": {"subscription": "0x1"}}),
        json!({"jsonrpc": "2.0", "method": "rpc.peer.call", "params": {"peer": "alice", "method": "x"}}),
    ] {
        mallory.line(said.to_string()).await;
    }
    // a call that wants no answer is a call all the same
    assert_eq!(alice.next().await["method"], "rpc.peer.call");
    mallory.is_well().await;
    let many = json!({"peer": "alice", "method": "x"});
    let batch = json!([{"jsonrpc": "2.0", "id": 5, "method": "rpc.peer.subscribe", "params": many}]);
    assert_eq!(code(&mallory.ask(batch.to_string()).await[0]), -32000);
    alice.is_well().await;
}

#[tokio::test]
async fn values_are_passed_on_as_they_are_spelled() {
    let wires = Wires::new();
    let (mut alice, mut bob) = (wires.named("alice").await, wires.named("bob").await);
    let value = r#"{ "b":1.0,"a":1e400, "a":"ü\/" }"#;
    bob.line(format!(
        r#"{{"jsonrpc":"2.0","id":2,"method":"rpc.peer.call","params":{{"peer":"alice","method":"x","params":{value}}}}}"#
    ))
    .await;
    let heard = alice.next_text().await;
    assert!(heard.contains(value), "{heard}");
    alice.line(format!(r#"{{"jsonrpc":"2.0","id":1,"result":{value}}}"#)).await;
    assert_eq!(bob.next_text().await, format!(r#"{{"jsonrpc":"2.0","id":2,"result":{value}}}"#));
}

#[tokio::test]
async fn a_peer_that_answers_nonsense_fails_the_call_only() {
    let wires = Wires::new();
    let (mut alice, mut bob) = (wires.named("alice").await, wires.named("bob").await);
    bob.line(request(2, "rpc.peer.subscribe", json!({"peer": "alice", "method": "x"}))).await;
    alice.next().await;
    let asked = alice.next().await;
    alice.line(json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"no": "id"}}).to_string()).await;
    let answer = bob.next().await;
    assert!(answer["error"]["message"].as_str().unwrap().contains("gives no stream"), "{answer}");
    bob.line(request(3, "rpc.peer.call", json!({"peer": "alice", "method": "x"}))).await;
    let asked = alice.next().await;
    alice.line(json!({"jsonrpc": "2.0", "id": asked["id"], "error": {"code": 1.5}}).to_string()).await;
    alice.line(json!({"jsonrpc": "2.0", "id": asked["id"], "result": 1}).to_string()).await;
    let answer = bob.next().await;
    assert_eq!(answer["id"], 3, "{answer}");
}

/// A peer that never answers, and a caller who gives up at once: what waits for the peer
/// is bounded, and is forgotten in time.
#[tokio::test(start_paused = true)]
async fn streams_that_are_never_opened_are_forgotten() {
    let limits = Limits::default().max_streams(2).call_timeout(Duration::from_secs(9));
    let wires = Wires::with_limits(limits);
    let (mut alice, mut bob) = (wires.named("alice").await, wires.named("bob").await);
    let subscribe = |id: u64| request(id, "rpc.peer.subscribe", json!({"peer": "alice", "method": "x"}));
    let cancel =
        |id: u64| json!({"jsonrpc": "2.0", "method": "rpc.cancel", "params": {"id": id}}).to_string();
    for id in 2..4 {
        bob.line(subscribe(id)).await;
        for method in ["rpc.credit", "rpc.peer.subscribe"] {
            assert_eq!(alice.next().await["method"], method);
        }
        assert_eq!(code(&bob.ask(cancel(id)).await), -32800);
        assert_eq!(alice.next().await["method"], "$/cancelRequest");
    }
    assert_eq!(bob.ask(subscribe(4)).await["error"]["data"]["name"], "PeerBusy");
    tokio::time::sleep(Duration::from_secs(10)).await;
    for _ in 2..4 {
        assert_eq!(alice.next().await["method"], "$/cancelRequest", "nobody waits any more");
    }
    bob.line(subscribe(5)).await;
    for method in ["rpc.credit", "rpc.peer.subscribe"] {
        assert_eq!(alice.next().await["method"], method);
    }
}

/// One that has said all it has to say cannot answer, so it cannot be called.
#[tokio::test(start_paused = true)]
async fn who_answers_no_more_has_no_name() {
    let wires = Wires::new();
    let (mut alice, mut bob) = (wires.named("alice").await, wires.named("bob").await);
    let mut carol = wires.named("carol").await;
    alice.line(request(2, "rpc.peer.call", json!({"peer": "carol", "method": "x"}))).await;
    let asked = carol.next().await;
    alice.finish().await;
    // until it has been heard, and nobody can do more
    tokio::time::sleep(Duration::from_millis(1)).await;
    let refused = bob.ask(request(2, "rpc.peer.call", json!({"peer": "alice", "method": "x"}))).await;
    assert_eq!(refused["error"]["data"]["name"], "UnknownPeer", "{refused}");
    assert_eq!(bob.ask(register(3, "alice")).await["result"], json!(null));
    // its own answer comes all the same, and its end takes the name from nobody
    carol.line(json!({"jsonrpc": "2.0", "id": asked["id"], "result": 1}).to_string()).await;
    assert_eq!(alice.next().await["result"], 1);
    alice.ended().await;
    carol.line(request(2, "rpc.peer.call", json!({"peer": "alice", "method": "x"}))).await;
    assert_eq!(bob.next().await["params"]["from"], json!({"name": "carol"}));
}
