//! What callers may do: decided after routing, before arguments are decoded.

use crate::{
    support::{Wire, code, request},
    world::{access, ask, login, service, shut, wire},
};
use futures_util::stream;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use trunkline::{
    Call, Details, Fault, FaultKind, Incoming, JsonRpc, Router, Security, Service, access::Access, handler,
    schemars,
};

const FORBIDDEN: i64 = -32003;
const UNAUTHENTICATED: i64 = -32002;

/// Arguments that must not be decoded.
#[derive(schemars::JsonSchema)]
struct Untouchable;

impl<'de> serde::Deserialize<'de> for Untouchable {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        <[u8; 1]>::deserialize(from)?;
        panic!("the arguments were decoded")
    }
}

#[tokio::test]
async fn groups_decide() {
    let mut wire = wire();
    let reset = |id| request(id, "reset", json!([]));
    assert_eq!(code(&wire.ask(reset(1)).await), UNAUTHENTICATED);
    wire.ask(login(2, "bob")).await;
    assert_eq!(code(&wire.ask(reset(3)).await), FORBIDDEN);
    wire.ask(login(4, "ada")).await;
    assert_eq!(wire.ask(reset(5)).await["result"], "done");
}

/// Whoever says no to all, and keeps what it was asked.
#[derive(Clone, Default)]
struct Never(Arc<Mutex<Vec<String>>>);

impl Security for Never {
    fn authorize(&self, call: &Call<'_>, procedure: &Details) -> Result<(), Fault> {
        let args = call.args.as_ref().map_or("-".into(), |args| args.decode::<Value>().unwrap().to_string());
        self.0.lock().unwrap().push(format!("{} {args} {:?}", call.procedure, procedure.data.get("for")));
        Err(Fault::new(FaultKind::Forbidden, "no"))
    }
}

/// A single call, a notification, items of a batch, and streams.
#[tokio::test]
async fn every_call_is_asked_for_before_its_arguments_are_decoded() {
    let router = Router::new()
        .procedure("one", handler(async |_: Untouchable| "done").data("for", "few"))
        .procedure("many", async |_: Untouchable| stream::iter([1]))
        .procedure("late", handler(async |_: Untouchable| "done").parallel());
    let never = Never::default();
    let mut wire = Wire::to(Service::new(router, JsonRpc::default()).security(never.clone()));
    for name in ["one", "many", "late"] {
        assert_eq!(code(&wire.ask(request(1, name, json!([1]))).await), FORBIDDEN, "{name}");
    }
    wire.line(r#"{"jsonrpc":"2.0","method":"one"}"#).await;
    wire.line(r#"{"jsonrpc":"2.0","method":"many"}"#).await;
    let answers =
        wire.ask(format!("[{},{}]", request(1, "one", json!([2])), request(2, "one", json!([3])))).await;
    assert!(answers.as_array().unwrap().iter().all(|answer| code(answer) == FORBIDDEN), "{answers}");
    assert_eq!(
        *never.0.lock().unwrap(),
        [
            r#"one [1] Some(String("few"))"#,
            "many [1] None",
            "late [1] None",
            r#"one - Some(String("few"))"#,
            "many - None",
            r#"one [2] Some(String("few"))"#,
            r#"one [3] Some(String("few"))"#,
        ]
    );
}

#[tokio::test]
async fn ending_a_stream_takes_no_leave() {
    let only_opening = Access::new().rule(|call, _| match call.procedure {
        "silent" => Ok(()),
        _ => Err(Fault::new(FaultKind::Forbidden, "no")),
    });
    let router = Router::new().procedure("silent", async || stream::pending::<u8>());
    let mut wire = Wire::to(Service::new(router, JsonRpc::default()).security(only_opening));
    let id = wire.ask(request(1, "silent", json!([]))).await["result"].clone();
    assert_eq!(wire.ask(request(2, "rpc.unsubscribe", json!([id]))).await["result"], true);
}

#[tokio::test]
async fn who_is_not_known_may_be_let_do_nothing() {
    let mut wire = Wire::to(service(access(&shut()).only_known()));
    assert_eq!(code(&wire.ask(ask(1)).await), UNAUTHENTICATED);
    wire.ask(login(2, "bob")).await;
    assert_eq!(wire.ask(ask(3)).await["result"], "bob");
}

/// T28: what is internal is unknown, whatever is said, and whoever says it;
/// security is not even asked.
#[tokio::test]
async fn what_is_internal_is_unknown_to_everybody() {
    let never = Never::default();
    let router = Router::new().procedure("sweep", handler(async || "swept").internal().group("admin"));
    let service = Service::new(router, JsonRpc::default());
    for service in [service.clone().security(never.clone()), service.security(access(&shut()))] {
        let mut wire = Wire::to(service);
        wire.ask(login(1, "ada")).await;
        for spoof in [
            json!({}),
            json!({"internal": true}),
            json!({"identity": {"authorization": "ada"}, "trace": {"caller": "gateway"}}),
            json!({"params": {"internal": true}}),
        ] {
            let mut message = json!({"jsonrpc": "2.0", "id": 2, "method": "sweep"});
            let Value::Object(members) = spoof else { panic!() };
            message.as_object_mut().unwrap().extend(members);
            let answer = wire.ask(message.to_string()).await;
            assert_eq!(answer["error"], json!({"code": -32601, "message": "Method not found"}), "{message}");
        }
    }
    assert_eq!(*never.0.lock().unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_rule_that_panics_fails_one_call() {
    let access = Access::new().rule(|call, _| {
        assert!(call.procedure != "reset", "the rule fails");
        Ok(())
    });
    let mut wire = Wire::to(service(access));
    assert_eq!(code(&wire.ask(request(1, "reset", json!([]))).await), -32603);
    assert_eq!(wire.ask(ask(2)).await["result"], "nobody");
}

/// What is not to be known of does not show by what there is no room for.
#[tokio::test]
async fn a_hidden_stream_is_unknown_where_there_is_no_room() {
    let hidden = Access::new().rule(|_, _| Err(Fault::new(FaultKind::NotFound, "Method not found")));
    let router = Router::new().procedure("secret", async || stream::iter([1]));
    let limits = trunkline::Limits::default().max_streams(0);
    let mut wire = Wire::to(Service::new(router, JsonRpc::default()).security(hidden).limits(limits));
    let mut error = async |name| wire.ask(request(1, name, json!([]))).await["error"].clone();
    assert_eq!(error("secret").await, error("no.such").await);
}

/// Nor does it while it is put off until it is known who calls, nor by what is wrong with
/// its stream.
#[tokio::test]
async fn a_hidden_procedure_that_takes_a_stream_is_unknown() {
    let router = Router::new().procedure("secret", async |_: Incoming<u8>| "told");
    for max_streams in [0, 1] {
        let gate = shut();
        let hidden = access(&gate).rule(|call, _| match call.context.identity().subject() {
            Some("ada") => Ok(()),
            _ => Err(Fault::new(FaultKind::NotFound, "Method not found")),
        });
        let limits = trunkline::Limits::default().max_streams(max_streams);
        let service = Service::new(router.clone(), JsonRpc::default()).security(hidden).limits(limits);
        let mut wire = Wire::to(service);
        let unknown = wire.ask(request(1, "no.such", json!([]))).await["error"].clone();
        assert_eq!(wire.ask(request(1, "secret", json!([]))).await["error"], unknown);
        wire.line(r#"{"jsonrpc":"2.0","method":"secret"}"#).await;
        // more than there is room for, of a call that waits for a login
        wire.line(login(2, "slow-bob")).await;
        wire.line(request(3, "secret", json!([]))).await;
        for n in 0..65 {
            wire.line(
                json!({"jsonrpc": "2.0", "method": "rpc.item", "params": {"call": 3, "item": n}}).to_string(),
            )
            .await;
        }
        wire.line(request(4, "no.such", json!([]))).await;
        gate.add_permits(1);
        assert_eq!(wire.next().await["result"]["subject"], "bob");
        for id in 3..=4 {
            let told = wire.next().await;
            assert_eq!((&told["id"], &told["error"]), (&json!(id), &unknown));
        }
        // who may know of it is told
        wire.ask(login(5, "ada")).await;
        let told = wire.ask(request(6, "secret", json!([]))).await;
        match max_streams {
            0 => assert!(told["error"]["data"].as_str().unwrap().contains("`max_streams`"), "{told}"),
            _ => assert_eq!(told["result"], "told"),
        }
    }
}
