//! Middleware and guards over a live connection.

use crate::support::{Wire, code, request};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use trunkline::{Fault, FaultKind, Next, OwnedCall, Router};

/// T03 as far as it goes here: a batch is no way round a limit on calls.
#[tokio::test]
async fn middleware_sees_each_item_of_a_batch() {
    let seen: Arc<AtomicUsize> = Arc::default();
    let counter = seen.clone();
    let router =
        Router::new().procedure("ping", async || "pong").layer(move |call: OwnedCall, next: Next| {
            let number = counter.fetch_add(1, Ordering::SeqCst);
            async move {
                if number >= 10 {
                    return Err(Fault::new(FaultKind::Unavailable, "ten calls are enough"));
                }
                next.run(call).await
            }
        });
    let mut wire = Wire::to(router);
    let calls: Vec<String> = (0..100).map(|id| request(id, "ping", json!([]))).collect();
    let answers = wire.ask(format!("[{}]", calls.join(","))).await;
    let passed = answers.as_array().unwrap().iter().filter(|answer| answer["result"] == "pong").count();
    assert_eq!((passed, seen.load(Ordering::SeqCst)), (10, 100));
}

#[tokio::test]
async fn guards_come_before_the_arguments() {
    let inner = Router::new().procedure("secret", async |(n,): (u8,)| n).guard(|call| match call.procedure {
        "in.secret" => Err(Fault::new(FaultKind::Forbidden, "not for you")),
        _ => Ok(()),
    });
    let mut wire = Wire::to(Router::new().scope("in", inner));
    let answer = wire.ask(request(1, "in.secret", json!(["not a number"]))).await;
    assert_eq!((code(&answer), &answer["error"]["message"]), (-32003, &json!("not for you")));
}
