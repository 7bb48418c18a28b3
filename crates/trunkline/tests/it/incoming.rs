//! Streams that a caller sends with its call, as the side that serves it hears them.

mod callers;
mod ending;
mod order;
mod progress;
mod room;

use crate::support::{Tells, Wire, client, code, request, service};
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::mpsc;
use trunkline::{Client, Context, Fault, FaultKind, Incoming, Limits, Peer, Router, handler};

/// Items that may be sent at first.
const WINDOW: usize = 64;

async fn sum(mut numbers: Incoming<i64>) -> Result<i64, Fault> {
    let mut sum = 0;
    while let Some(number) = numbers.next().await {
        sum += number?;
    }
    Ok(sum)
}

async fn running_sum(numbers: Incoming<i64>, (start,): (i64,)) -> impl Stream<Item = Result<i64, Fault>> {
    numbers.scan(start, |sum, number| {
        let next = number.map(|number| {
            *sum += number;
            *sum
        });
        std::future::ready(Some(next))
    })
}

/// Takes so many items, and then none, for ever.
async fn stuck(mut numbers: Incoming<i64>, (taken,): (usize,)) {
    for _ in 0..taken {
        let _ = numbers.next().await;
    }
    std::future::pending::<()>().await;
}

fn router() -> Router {
    Router::new()
        .procedure("sum", sum)
        .procedure("sum.elsewhere", handler(sum).parallel())
        .procedure("sum.blocking", handler(sum).blocking())
        .procedure("running_sum", running_sum)
        .procedure("stuck", stuck)
        .procedure("stuck.stream", async |numbers: Incoming<i64>, ()| {
            stream::pending::<u8>().map(move |it| {
                let _ = &numbers;
                it
            })
        })
        .procedure("first", async |mut numbers: Incoming<i64>| numbers.next().await.transpose())
        .procedure("declines", async |mut numbers: Incoming<i64>| {
            let first = numbers.next().await.transpose();
            drop(numbers);
            tokio::task::yield_now().await;
            first
        })
        .procedure("panics", async |mut numbers: Incoming<i64>| -> Result<(), Fault> {
            numbers.next().await;
            panic!("on purpose")
        })
        .procedure("ping", async || "pong")
}

fn item(call: impl Into<Value>, item: impl Into<Value>) -> String {
    json!({"jsonrpc": "2.0", "method": "rpc.item", "params": {"call": call.into(), "item": item.into()}})
        .to_string()
}

fn end(call: impl Into<Value>) -> String {
    json!({"jsonrpc": "2.0", "method": "rpc.end", "params": {"call": call.into()}}).to_string()
}

fn says(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "method": method, "params": params})
}

#[tokio::test]
async fn items_follow_the_call_and_the_answer_follows_them() {
    let mut wire = Wire::to(router());
    for name in ["sum", "sum.elsewhere", "sum.blocking"] {
        wire.line(request(name, name, json!([]))).await;
        for n in 1..=3 {
            wire.line(item(name, n)).await;
        }
        let answer = wire.ask(end(name)).await;
        assert_eq!((&answer["id"], &answer["result"]), (&json!(name), &json!(6)));
    }
}

#[tokio::test]
async fn items_of_no_call_are_nothing() {
    let mut wire = Wire::to(router());
    wire.line(item(1, 1)).await;
    wire.line(end(1)).await;
    wire.line(request(1, "sum", json!([]))).await;
    for call in
        [json!(2), json!("1"), json!(1.0), json!(null), json!([1]), json!({}), json!("x".repeat(10_000))]
    {
        wire.line(item(call.clone(), 10)).await;
        wire.line(end(call)).await;
    }
    for params in ["{}", r#"{"call":1}"#, r#"{"call":1,"item":1,"items":1}"#, "[1,2]"] {
        wire.line(format!(r#"{{"jsonrpc":"2.0","method":"rpc.item","params":{params}}}"#)).await;
    }
    // credit of calls that nobody made
    wire.line(says("rpc.more", json!({"call": 1, "items": u64::MAX})).to_string()).await;
    wire.line(says("rpc.enough", json!({"call": 1})).to_string()).await;
    wire.line(item(1, 5)).await;
    assert_eq!(wire.ask(end(1)).await["result"], 5);
    wire.line(request(2, "ping", json!([]))).await;
    wire.line(item(2, 5)).await;
    assert_eq!(wire.next().await["result"], "pong");
    wire.is_well().await;
}

#[tokio::test]
async fn where_no_items_can_follow_the_call_is_refused() {
    let mut wire = Wire::to(router());
    let told = wire.ask(format!("[{}]", request(1, "sum", json!([])))).await;
    assert!(told[0]["error"]["message"].as_str().unwrap().contains("not in a batch"), "{told}");
    wire.line(r#"{"jsonrpc":"2.0","method":"sum"}"#).await;
    wire.is_well().await;

    let service = crate::support::service(router(), Limits::default());
    let call = request(1, "sum", json!([]));
    let told = trunkline_net::exchange::answer(call.as_bytes(), &service, trunkline::Context::local()).await;
    let told: Value = serde_json::from_slice(&told.unwrap()).unwrap();
    assert!(told["error"]["message"].as_str().unwrap().contains("takes a connection"), "{told}");
}

#[tokio::test]
async fn two_calls_of_one_id_cannot_both_have_a_stream() {
    let mut wire = Wire::to(router());
    wire.line(request(1, "sum", json!([]))).await;
    assert_eq!(code(&wire.ask(request(1, "sum", json!([]))).await), -32600);
    wire.line(item(1, 5)).await;
    assert_eq!(wire.ask(end(1)).await["result"], 5);
    wire.line(request(1, "sum", json!([]))).await;
    wire.line(item(1, 6)).await;
    assert_eq!(wire.ask(end(1)).await["result"], 6, "an id may be used again");
}

fn numbers(to: i64) -> impl Stream<Item = i64> + Send + 'static {
    stream::iter(1..=to)
}

/// A check of the arguments stands between a call and its handler, not before the stream.
#[tokio::test]
async fn arguments_beside_a_stream_are_checked() {
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    struct Factor {
        #[schemars(range(min = 1, max = 10))]
        factor: i64,
    }
    let router = Router::new()
        .procedure("scaled", async |numbers: Incoming<i64>, Factor { factor }: Factor| {
            sum(numbers).await.map(|sum| sum * factor)
        });
    let mut wire = Wire::to(router);
    wire.line(request(1, "scaled", json!({"factor": 3}))).await;
    wire.line(item(1, 14)).await;
    assert_eq!(wire.ask(end(1)).await["result"], 42);
    let refused = wire.ask(request(2, "scaled", json!({"factor": 11}))).await;
    assert_eq!(code(&refused), -32602, "{refused}");
    wire.line(item(2, 14)).await;
    wire.line(end(2)).await;
    wire.is_well().await;
}
