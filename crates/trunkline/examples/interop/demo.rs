//! The demo service of the JSON-RPC vectors (`tests/vectors/jsonrpc/README.md`).

use serde::{Deserialize, Serialize};
use serde_json::{Number, value::RawValue};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use trunkline::{Fault, FaultKind, Peer, RawArgs, Router, State};

/// Calls by their key, to see which ones have run.
#[derive(Default)]
struct Log(Mutex<HashMap<String, u64>>);

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Subtract {
    minuend: Number,
    subtrahend: Number,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wait {
    ms: u64,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Key {
    key: String,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct CallMe {
    method: String,
    #[serde(default)]
    params: Option<Box<RawValue>>,
}

#[derive(Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
enum CalledBack {
    Ok(Box<RawValue>),
    Error { code: i64, message: String },
}

/// Whole numbers stay whole as long as they fit.
fn combine(
    a: &Number,
    b: &Number,
    whole: fn(i64, i64) -> Option<i64>,
    real: fn(f64, f64) -> f64,
) -> Option<Number> {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) if whole(a, b).is_some() => whole(a, b).map(Number::from),
        _ => Number::from_f64(real(a.as_f64()?, b.as_f64()?)),
    }
}

async fn subtract(Subtract { minuend, subtrahend }: Subtract) -> Result<Number, Fault> {
    let difference = combine(&minuend, &subtrahend, i64::checked_sub, |a, b| a - b);
    difference.ok_or(Fault::new(FaultKind::InvalidArgs, "Invalid params"))
}

async fn sum(numbers: Vec<Number>) -> Result<Number, Fault> {
    let add = |sum: Number, number: &Number| combine(&sum, number, i64::checked_add, |a, b| a + b);
    let sum = numbers.iter().try_fold(Number::from(0), add);
    sum.ok_or(Fault::new(FaultKind::InvalidArgs, "Invalid params"))
}

async fn wait(Wait { ms }: Wait) -> u64 {
    tokio::time::sleep(Duration::from_millis(ms)).await;
    ms
}

async fn log(log: State<Log>, Key { key }: Key) {
    *log.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += 1;
}

async fn log_count(log: State<Log>, Key { key }: Key) -> u64 {
    log.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied().unwrap_or_default()
}

async fn call_me(peer: Peer, CallMe { method, params }: CallMe) -> Result<CalledBack, Fault> {
    Ok(match peer.call(&method, params).await {
        Ok(result) => CalledBack::Ok(result),
        Err(fault) => CalledBack::Error {
            code: fault.code().ok_or_else(|| fault.clone())?,
            message: fault.message().to_owned(),
        },
    })
}

async fn notify_me(peer: Peer, CallMe { method, params }: CallMe) -> Result<&'static str, Fault> {
    peer.notify(&method, params)?;
    Ok("sent")
}

async fn fail(RawArgs(_): RawArgs) -> Result<(), Fault> {
    let reason = HashMap::from([("reason", "requested")]);
    Err(Fault::from("demo failure").with_code(4001).with_data(reason))
}

async fn crash(RawArgs(_): RawArgs) {
    panic!("the secret of the demo service, which must not reach the caller");
}

/// The service; `shared` counts the calls of `log` wherever it is served.
pub(crate) fn router() -> Router {
    let log_state: Arc<Log> = Arc::default();
    let nothing = async |RawArgs(_): RawArgs| ();
    Router::new()
        .shared_state(log_state)
        .procedure("subtract", subtract)
        .procedure("sum", sum)
        .procedure("update", nothing)
        .procedure("notify_hello", nothing)
        .procedure("notify_sum", nothing)
        .procedure("void", nothing)
        .procedure("get_data", async || ("hello", 5))
        .procedure("echo", async |RawArgs(args): RawArgs| args)
        .procedure("zero", async |RawArgs(_): RawArgs| 0)
        .procedure("no", async |RawArgs(_): RawArgs| false)
        .procedure("empty", async |RawArgs(_): RawArgs| "")
        .procedure("fail", fail)
        .procedure("crash", crash)
        .procedure("wait", wait)
        .procedure("log", log)
        .procedure("log_count", log_count)
        .procedure("call_me", call_me)
        .procedure("notify_me", notify_me)
}
