//! Middleware and guards over a live connection.

use crate::support::{Wire, code, request, service};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use trunkline::{Fault, FaultKind, Limits, Next, Open, OwnedCall, Registration, Router, handler};

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

/// A reply stops at the limit where it is written, not where it leaves.
#[tokio::test]
async fn middleware_does_not_put_off_max_reply() {
    struct Row(Arc<AtomicUsize>);
    impl serde::Serialize for Row {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.fetch_add(1, Ordering::SeqCst);
            serializer.serialize_str(&"x".repeat(1000))
        }
    }
    for run in [Registration::parallel, |inline| inline] {
        let rows: Arc<AtomicUsize> = Arc::default();
        let written = rows.clone();
        let many = handler(move || {
            let rows = rows.clone();
            async move { (0..1000).map(|_| Open(Row(rows.clone()))).collect::<Vec<_>>() }
        });
        let router = Router::new()
            .procedure("rows", run(many))
            .layer(async |call: OwnedCall, next: Next| next.run(call).await);
        let mut wire = Wire::to(service(router, Limits::default().max_reply(10_000)));
        let answer = wire.ask(request(1, "rows", json!([]))).await;
        assert_eq!(code(&answer), -32008);
        assert!(answer["error"]["data"].as_str().unwrap().contains("over 10000 bytes"), "{answer}");
        assert_eq!(written.load(Ordering::SeqCst), 10);
    }
}
