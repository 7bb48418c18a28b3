//! `rpc.authenticate`: a caller on a live connection says who it is.

use crate::{
    support::{Wire, code, request},
    world::{access, ask, login, router, service, shut, wire, wire_with},
};
use serde_json::{Value, json};
use trunkline::{JsonRpc, Limits, Router, Service};

const UNAUTHENTICATED: i64 = -32002;

#[tokio::test]
async fn a_caller_is_who_it_has_shown_to_be() {
    let mut wire = wire();
    assert_eq!(wire.ask(ask(1)).await["result"], "nobody");
    for credentials in [json!({"token": "ada"}), json!(["ada"])] {
        let answer = wire.ask(request(2, "rpc.authenticate", credentials)).await;
        assert_eq!(answer["result"], json!({"subject": "ada"}));
        assert_eq!(wire.ask(ask(3)).await["result"], "ada");
    }
    // without credentials it is nobody again
    let answer = wire.ask(r#"{"jsonrpc":"2.0","id":4,"method":"rpc.authenticate"}"#).await;
    assert_eq!(answer["result"], json!({"subject": null}));
    assert_eq!(wire.ask(ask(5)).await["result"], "nobody");
}

/// T27: whoever fails to become B is not A any more.
#[tokio::test]
async fn who_fails_to_authenticate_is_nobody() {
    for credentials in [json!({"token": "eve"}), json!({"password": "lovelace"}), json!([]), json!([7, 8])] {
        let mut wire = wire();
        wire.ask(login(1, "ada")).await;
        let answer = wire.ask(request(2, "rpc.authenticate", credentials)).await;
        assert_eq!(code(&answer), UNAUTHENTICATED);
        assert_eq!(wire.ask(ask(3)).await["result"], "nobody");
    }
}

/// T27: A's token, then B's, on one connection.
#[tokio::test]
async fn a_call_keeps_the_identity_that_it_started_with() {
    let held = shut();
    let mut wire = Wire::to(Service::new(router(&held), JsonRpc::default()).security(access(&shut())));
    wire.ask(login(1, "ada")).await;
    wire.line(r#"{"jsonrpc":"2.0","id":"held","method":"hold"}"#).await;
    wire.ask(login(2, "bob")).await;
    assert_eq!(wire.ask(ask(3)).await["result"], "bob");
    held.add_permits(1);
    let answer = wire.next().await;
    assert_eq!((&answer["id"], &answer["result"]), (&json!("held"), &json!("ada")));
}

#[tokio::test]
async fn no_call_overtakes_a_login() {
    let gate = shut();
    let mut wire = wire_with(Limits::default(), &gate);
    wire.ask(login(1, "bob")).await;
    let lines = [ask(2), login(3, "slow-ada"), ask(4), login(5, "slow-bob"), ask(6), login(7, "eve"), ask(8)];
    wire.send(lines.map(|line| line + "\n").concat()).await;
    assert_eq!(wire.next().await["result"], "bob", "what came before is not held up");
    gate.add_permits(2);
    let mut seen = vec![];
    for _ in 3..=8 {
        let answer = wire.next().await;
        seen.push((answer["id"].as_u64().unwrap(), answer["result"].clone()));
    }
    let known = |name| json!({ "subject": name });
    assert_eq!(
        seen,
        [
            (3, known("ada")),
            (4, json!("ada")),
            (5, known("bob")),
            (6, json!("bob")),
            (7, Value::Null),
            (8, json!("nobody"))
        ]
    );
}

#[tokio::test]
async fn a_login_may_be_an_item_of_a_batch() {
    let gate = shut();
    let limits = Limits::default().max_in_flight(2);
    let mut wire = wire_with(limits, &gate);
    let asks: Vec<String> = (10..60).map(ask).collect();
    wire.line(format!("[{},{},{}]", ask(1), login(2, "slow-ada"), asks.join(","))).await;
    gate.add_permits(1);
    let answers = wire.next().await;
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 52);
    assert_eq!(answers[0]["result"], "nobody");
    assert!(answers[2..].iter().all(|answer| answer["result"] == "ada"), "{answers:?}");
}

#[tokio::test]
async fn a_login_may_be_a_notification() {
    let mut wire = wire();
    wire.line(r#"{"jsonrpc":"2.0","method":"rpc.authenticate","params":["ada"]}"#).await;
    assert_eq!(wire.ask(ask(1)).await["result"], "ada");
    wire.line(r#"{"jsonrpc":"2.0","method":"rpc.authenticate","params":["eve"]}"#).await;
    assert_eq!(wire.ask(ask(2)).await["result"], "nobody");
}

#[tokio::test]
async fn a_login_that_is_given_up_leaves_nobody_and_holds_up_nothing() {
    let mut wire = wire();
    wire.ask(login(1, "ada")).await;
    let cancel = r#"{"jsonrpc":"2.0","method":"rpc.cancel","params":{"id":2}}"#;
    wire.line(format!("[{},{cancel},{}]", login(2, "slow-bob"), ask(3))).await;
    let answers = wire.next().await;
    assert_eq!(answers[0]["error"]["code"], -32800, "{answers}");
    assert_eq!(answers[1]["result"], "nobody");
}

#[tokio::test(start_paused = true)]
async fn a_login_that_takes_too_long_leaves_nobody_and_holds_up_nothing() {
    let mut wire = wire();
    wire.ask(login(1, "ada")).await;
    wire.send(format!("{}\n{}\n", login(2, "slow-bob"), ask(3))).await;
    assert_eq!(code(&wire.next().await), -32001);
    assert_eq!(wire.next().await["result"], "nobody");
}

#[tokio::test]
async fn a_verifier_that_panics_fails_one_login() {
    let mut wire = wire();
    wire.ask(login(1, "ada")).await;
    let answer = wire.ask(login(2, "boom")).await;
    assert_eq!((code(&answer), answer["error"]["message"].as_str()), (-32603, Some("Internal error")));
    assert_eq!(wire.ask(ask(3)).await["result"], "nobody");
}

#[tokio::test]
async fn nobody_authenticates_where_nobody_is_asked() {
    let mut wire = Wire::to(router(&shut()));
    assert_eq!(code(&wire.ask(login(1, "ada")).await), -32601);
    struct Defaults;
    impl trunkline::Security for Defaults {}
    let mut wire = Wire::to(service(Defaults));
    assert_eq!(code(&wire.ask(login(1, "ada")).await), UNAUTHENTICATED);
    assert_eq!(wire.ask(ask(2)).await["result"], "nobody");
}

#[test]
#[should_panic(expected = "`rpc.authenticate` is registered twice")]
fn the_name_is_taken() {
    let router = Router::new().extension("rpc.authenticate", async || "me first");
    let _ = Service::new(router, JsonRpc::default()).security(access(&shut()));
}

const RATE_LIMITED: i64 = -32005;

/// T27: so many guesses on a connection, however few messages they come in.
#[tokio::test]
async fn a_connection_has_so_many_guesses() {
    let mut wire = wire();
    let guesses: Vec<String> = (0..100).map(|id| login(id, "eve")).collect();
    let answers = wire.ask(format!("[{}]", guesses.join(","))).await;
    let codes: Vec<i64> = answers.as_array().unwrap().iter().map(code).collect();
    assert!(codes[..10].iter().all(|code| *code == UNAUTHENTICATED), "{codes:?}");
    assert!(codes[10..].iter().all(|code| *code == RATE_LIMITED), "{codes:?}");
    assert_eq!(code(&wire.ask(login(1, "ada")).await), RATE_LIMITED, "the right one comes too late");
    assert_eq!(wire.ask(ask(2)).await["result"], "nobody");
}

#[tokio::test]
async fn who_is_known_may_err_again() {
    let mut wire = wire();
    for _ in 0..5 {
        for _ in 0..9 {
            assert_eq!(code(&wire.ask(login(1, "eve")).await), UNAUTHENTICATED);
        }
        assert_eq!(wire.ask(login(2, "ada")).await["result"]["subject"], "ada");
    }
}

/// While it is being found out who the caller is, it is listened to.
#[tokio::test(start_paused = true)]
async fn a_login_that_hangs_can_be_given_up() {
    let limits = Limits::default().max_in_flight(4);
    let mut wire = wire_with(limits, &shut());
    wire.line(login(1, "slow-ada")).await;
    wire.line(ask(2)).await;
    wire.line(r#"{"jsonrpc":"2.0","method":"rpc.cancel","params":{"id":1}}"#).await;
    let answer = wire.next().await;
    assert_eq!((answer["id"].as_u64(), code(&answer)), (Some(1), -32800));
    assert_eq!(wire.next().await["result"], "nobody");
}

/// More than may wait is left where it is: it is not refused.
#[tokio::test]
async fn what_comes_after_a_login_is_not_refused_however_much_it_is() {
    let gate = shut();
    let mut wire = wire_with(Limits::default().max_in_flight(4), &gate);
    wire.line(login(1, "slow-ada")).await;
    wire.send((10..60).map(|id| ask(id) + "\n").collect::<String>()).await;
    gate.add_permits(1);
    wire.next().await;
    for id in 10..60 {
        let answer = wire.next().await;
        assert_eq!((answer["id"].as_u64(), &answer["result"]), (Some(id), &json!("ada")));
    }
}

/// An identity that has ended is none.
#[tokio::test]
async fn who_was_known_until_a_moment_ago_is_refused() {
    let past = trunkline::access::Access::new()
        .bearer(async |_| Ok(trunkline::Identity::new("ada").until(std::time::Instant::now())));
    let mut wire = Wire::to(service(past));
    assert_eq!(code(&wire.ask(login(1, "ada")).await), UNAUTHENTICATED);
    assert_eq!(wire.ask(ask(2)).await["result"], "nobody");
}
