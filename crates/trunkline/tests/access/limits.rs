//! How often, and how many at a time.

use crate::{
    support::{Wire, code, request},
    world::{access, login, shut},
};
use futures_util::stream;
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Semaphore, time::advance};
use trunkline::{JsonRpc, Router, Service, access::RateLimit, handler};

const RATE_LIMITED: i64 = -32005;
const BUSY: i64 = -32009;

/// A procedure that counts how often it ran, ten times a minute for each caller.
fn counted(ran: &Arc<AtomicUsize>) -> Service {
    let ran = ran.clone();
    let router = Router::new()
        .procedure("count", move || {
            let ran = ran.clone();
            async move { ran.fetch_add(1, Ordering::Relaxed) }
        })
        .procedure("items", async || stream::iter([1, 2, 3]))
        .guard(RateLimit::new(10, Duration::from_secs(60)).each_caller().guard());
    Service::new(router, JsonRpc::default()).security(access(&shut()))
}

/// T03: one frame, many calls.
#[tokio::test(start_paused = true)]
async fn an_item_of_a_batch_is_a_call() {
    let ran = Arc::default();
    let mut wire = Wire::to(counted(&ran));
    let calls: Vec<String> = (0..1000).map(|id| request(id, "count", json!([]))).collect();
    let answers = wire.ask(format!("[{}]", calls.join(","))).await;
    let answers = answers.as_array().unwrap();
    assert_eq!(ran.load(Ordering::Relaxed), 10);
    assert_eq!(answers.iter().filter(|answer| answer["result"].is_u64()).count(), 10);
    let refused: Vec<&Value> = answers.iter().filter(|answer| answer["error"].is_object()).collect();
    assert_eq!(refused.len(), 990);
    assert!(refused.iter().all(|answer| code(answer) == RATE_LIMITED));
    assert_eq!(
        refused[0]["error"],
        json!({"code": RATE_LIMITED, "message": "Too many calls", "data": {"limit": "10 in 60s", "retry_after_ms": 6000}})
    );
    advance(Duration::from_millis(6000)).await;
    wire.ask(format!("[{}]", calls.join(","))).await;
    assert_eq!(ran.load(Ordering::Relaxed), 11);
}

/// T03: notifications, and the opening of streams.
#[tokio::test(start_paused = true)]
async fn a_notification_is_a_call_and_so_is_a_stream() {
    let ran = Arc::default();
    let mut wire = Wire::to(counted(&ran));
    for _ in 0..8 {
        wire.line(r#"{"jsonrpc":"2.0","method":"count"}"#).await;
    }
    for _ in 0..2 {
        wire.ask(request(1, "items", json!([]))).await;
        for _ in 0..4 {
            wire.next().await;
        }
    }
    assert_eq!(code(&wire.ask(request(1, "items", json!([]))).await), RATE_LIMITED);
    assert_eq!(code(&wire.ask(request(1, "count", json!([]))).await), RATE_LIMITED);
    assert_eq!(ran.load(Ordering::Relaxed), 8);
}

/// Over however many connections.
#[tokio::test(start_paused = true)]
async fn each_caller_has_its_own() {
    let ran = Arc::default();
    let service = counted(&ran);
    for (token, may) in [("ada", 10), ("bob", 10), ("ada", 0)] {
        let mut wire = Wire::to(service.clone());
        wire.ask(login(1, token)).await;
        let before = ran.load(Ordering::Relaxed);
        for id in 0..20 {
            wire.ask(request(id, "count", json!([]))).await;
        }
        assert_eq!(ran.load(Ordering::Relaxed) - before, may, "{token}");
    }
}

/// Who may not call uses nothing up.
#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_let_counts_for_nothing() {
    let limited =
        handler(async || "done").group("admin").guard(RateLimit::new(1, Duration::from_secs(60)).guard());
    let router = Router::new().procedure("reset", limited);
    let mut wire = Wire::to(Service::new(router, JsonRpc::default()).security(access(&shut())));
    let reset = request(1, "reset", json!([]));
    for _ in 0..3 {
        assert_eq!(code(&wire.ask(&reset).await), -32002);
    }
    wire.ask(login(2, "ada")).await;
    assert_eq!(wire.ask(&reset).await["result"], "done");
    assert_eq!(code(&wire.ask(&reset).await), RATE_LIMITED);
}

#[tokio::test]
async fn so_many_run_at_a_time_and_room_is_given_back() {
    let held = Arc::new(Semaphore::new(0));
    let hold = {
        let held = held.clone();
        move || {
            let held = held.clone();
            async move { held.acquire().await.unwrap().forget() }
        }
    };
    let router = Router::new()
        .procedure("hold", handler(hold).max_running(2))
        .procedure("silent", handler(async || stream::pending::<u8>()).max_running(1));
    let service = Service::new(router, JsonRpc::default());
    let (mut one, mut other) = (Wire::to(service.clone()), Wire::to(service));
    let hold = |id: u32| request(id, "hold", json!([]));
    one.line(hold(1)).await;
    one.is_well().await;
    other.line(hold(2)).await;
    let refused = other.ask(hold(3)).await;
    assert_eq!(code(&refused), BUSY);
    assert_eq!(refused["error"]["data"], json!({"limit": 2, "setting": "max_running"}));
    assert_eq!(code(&one.ask(format!("[{}]", hold(4))).await[0]), BUSY);
    // one is given up, one ends
    one.line(r#"{"jsonrpc":"2.0","method":"rpc.cancel","params":{"id":1}}"#).await;
    assert_eq!(code(&one.next().await), -32800);
    held.add_permits(1);
    assert_eq!(other.next().await["id"], 2);
    one.send(format!("{}\n{}\n", hold(5), hold(6))).await;
    one.is_well().await;
    let silent = request(7, "silent", json!([]));
    let id = one.ask(&silent).await["result"].clone();
    assert_eq!(code(&other.ask(&silent).await), BUSY, "a stream takes its room for as long as it is open");
    one.ask(request(8, "rpc.unsubscribe", json!([id]))).await;
    assert!(other.ask(&silent).await["result"].is_string());
}

/// Names that a fallback serves are the stranger's choice.
#[tokio::test(start_paused = true)]
async fn what_a_fallback_serves_is_one_procedure() {
    let each = RateLimit::new(2, Duration::from_secs(60)).each_procedure();
    let inner = Router::new().fallback(async || "moved");
    let router = Router::new()
        .procedure("add", async || 7)
        .fallback(async || "anything")
        .scope("old", inner)
        .guard(each.guard());
    let mut wire = Wire::to(Service::new(router, JsonRpc::default()));
    let mut count = async |prefix: &str| {
        let mut answered = 0;
        for id in 0..50 {
            let answer = wire.ask(request(id, &format!("{prefix}{id}"), json!([]))).await;
            answered += usize::from(answer["result"].is_string());
        }
        answered
    };
    assert_eq!((count("a").await, count("old.a").await), (2, 2));
}

/// However many procedures, and routers, it guards.
#[tokio::test(start_paused = true)]
async fn one_limit_is_one_allowance() {
    let limit = RateLimit::new(3, Duration::from_secs(60));
    let router = Router::new()
        .procedure("a", handler(async || 1).guard(limit.guard()))
        .procedure("b", handler(async || 2).guard(limit.guard()));
    let mut wire = Wire::to(Service::new(router, JsonRpc::default()));
    let mut answered = 0;
    for id in 0..4 {
        for name in ["a", "b"] {
            answered += usize::from(wire.ask(request(id, name, json!([]))).await["result"].is_number());
        }
    }
    assert_eq!(answered, 3);
}
