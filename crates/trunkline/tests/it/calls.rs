//! Calls in both directions, and what belongs to them.

use crate::support::{Wire, client, code, request};
use serde_json::json;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use trunkline::{Fault, FaultKind, Limits, Peer, Router, handler};

#[tokio::test]
async fn answers_come_as_they_become_ready() {
    let (release, released) = tokio::sync::oneshot::channel::<()>();
    let released = Mutex::new(Some(released));
    let router = Router::new()
        .procedure("slow", move || {
            let released = released.lock().unwrap().take();
            async move { released.unwrap().await.is_ok() }
        })
        .procedure("fast", async || "fast");
    let mut wire = Wire::to(router);
    wire.line(request(1, "slow", json!([]))).await;
    assert_eq!(wire.ask(request(2, "fast", json!([]))).await["id"], 2);
    release.send(()).unwrap();
    assert_eq!(wire.next().await, json!({"jsonrpc": "2.0", "id": 1, "result": true}));
}

#[tokio::test]
async fn a_batch_is_answered_whole_and_in_order() {
    let router = Router::new()
        .procedure("later", async |(n,): (u8,)| {
            tokio::task::yield_now().await;
            n
        })
        .procedure("now", async |(n,): (u8,)| n);
    let mut wire = Wire::to(router);
    let batch =
        [request(1, "later", json!([1])), request(2, "now", json!([2])), request(3, "later", json!([3]))];
    let answers = wire.ask(format!("[{}]", batch.join(","))).await;
    let results: Vec<_> = answers.as_array().unwrap().iter().map(|answer| &answer["result"]).collect();
    assert_eq!(results, [1, 2, 3]);
}

#[tokio::test]
async fn the_server_calls_its_caller() {
    async fn greet(peer: Peer) -> Result<String, Fault> {
        let name: String = peer.call("name", ()).await?;
        Ok(format!("hello {name}"))
    }
    let own = Router::new().procedure("name", async || "Ada");
    let client = client(Router::new().procedure("greet", greet), Limits::default(), own);
    assert_eq!(client.call::<String>("greet", ()).await.unwrap(), "hello Ada");
}

/// What a handler says before it answers arrives before its answer; what a task
/// says that it leaves behind arrives after it.
#[tokio::test]
async fn what_is_said_first_arrives_first() {
    let router = Router::new()
        .procedure("before", async |peer: Peer| peer.notify("progress", (50,)))
        .procedure("later", async |peer: Peer| {
            tokio::task::yield_now().await;
            peer.notify("progress", (50,))
        })
        .procedure("fails", async |peer: Peer| {
            peer.notify("progress", (50,))?;
            Err::<(), _>(Fault::from("no"))
        })
        .procedure("after", async |peer: Peer| {
            tokio::spawn(async move { peer.notify("item", (1,)) });
            "subscribed"
        });
    let mut wire = Wire::to(router);
    for name in ["before", "later", "fails"] {
        assert_eq!(wire.ask(request(1, name, json!([]))).await["method"], "progress", "{name}");
        assert_eq!(wire.next().await["id"], 1, "{name}");
    }
    assert_eq!(wire.ask(request(2, "after", json!([]))).await["result"], "subscribed");
    assert_eq!(wire.next().await["method"], "item");
}

#[tokio::test]
async fn a_cancelled_call_is_dropped_and_answered() {
    struct Dropped(Arc<AtomicUsize>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let dropped: Arc<AtomicUsize> = Arc::default();
    let counter = dropped.clone();
    let router = Router::new().procedure("wait", move || {
        let guard = Dropped(counter.clone());
        async move {
            std::future::pending::<()>().await;
            drop(guard);
        }
    });
    for (id, cancel) in [
        (json!(7), r#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":7}}"#),
        (json!("a"), r#"{"jsonrpc":"2.0","method":"rpc.cancel","params":["a"]}"#),
    ] {
        let mut wire = Wire::to(router.clone());
        wire.line(request(&id, "wait", json!([]))).await;
        // another id, or another type of id, is another call
        wire.line(r#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":"7"}}"#).await;
        wire.is_well().await;
        let before = dropped.load(Ordering::SeqCst);
        let answer = wire.ask(cancel).await;
        assert_eq!((code(&answer), &answer["id"]), (-32800, &id));
        assert_eq!(dropped.load(Ordering::SeqCst), before + 1, "the handler was dropped");
        wire.line(cancel).await;
        wire.is_well().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_runs_for_too_long_is_ended() {
    let router = Router::new().procedure("for.ever", async || std::future::pending::<()>().await).procedure(
        "short",
        handler(async || std::future::pending::<()>().await).timeout(Duration::from_secs(1)),
    );
    let mut wire = Wire::to(router);
    wire.line(request(1, "for.ever", json!([]))).await;
    let start = tokio::time::Instant::now();
    let short = wire.ask(request(2, "short", json!([]))).await;
    assert_eq!((code(&short), &short["id"]), (-32001, &json!(2)));
    assert!(start.elapsed() < Duration::from_secs(2));
    let long = wire.next().await;
    assert_eq!((code(&long), &long["id"]), (-32001, &json!(1)));
    assert!(start.elapsed() >= Duration::from_secs(60));
}

#[tokio::test]
async fn calls_run_elsewhere_when_told_to() {
    let name = || std::thread::current().name().map(str::to_owned);
    let router = Router::new()
        .procedure("parallel", handler(async |(a, b): (i64, i64)| a + b).parallel())
        .procedure("blocking", handler(move || async move { name() }).blocking());
    let mut wire = Wire::to(router);
    assert_eq!(wire.ask(request(1, "parallel", json!([1, 2]))).await["result"], 3);
    let thread = wire.ask(request(2, "blocking", json!([]))).await["result"].clone();
    assert_ne!(thread, json!(std::thread::current().name()));
}

/// T31: deadlines that make no sense are clamped, and never panic.
#[tokio::test(start_paused = true)]
async fn deadlines_of_any_length_are_sound() {
    let router = Router::new()
        .procedure("ping", async || "pong")
        .procedure("for.ever", async || std::future::pending::<()>().await);
    let client = client(router, Limits::default(), Router::new());
    let ping = |timeout| client.call::<String>("ping", ()).timeout(timeout);
    assert_eq!(ping(Duration::MAX).await.unwrap(), "pong");
    let none = client.call::<()>("for.ever", ()).timeout(Duration::ZERO).await.unwrap_err();
    assert_eq!(none.kind(), FaultKind::DeadlineExceeded);
    // the server's own limit holds, whatever the caller is ready to wait
    let clamped = client.call::<()>("for.ever", ()).timeout(Duration::MAX).await.unwrap_err();
    assert_eq!(clamped.kind(), FaultKind::DeadlineExceeded);
}

/// T42: notifications and calls start in the order in which they came.
#[tokio::test]
async fn calls_start_in_order() {
    let seen: Arc<Mutex<Vec<u32>>> = Arc::default();
    let log = seen.clone();
    let router = Router::new().procedure("n", move |(n,): (u32,)| {
        log.lock().unwrap().push(n);
        async move {
            if n % 3 == 0 {
                tokio::task::yield_now().await;
            }
        }
    });
    let client = client(router.procedure("done", async || ()), Limits::default(), Router::new());
    const COUNT: u32 = 100_000;
    for n in 0..COUNT {
        while client.notify("n", (n,)).await.is_err() {
            tokio::task::yield_now().await;
        }
    }
    client.call::<()>("done", ()).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), (0..COUNT).collect::<Vec<_>>());
}

/// T43: two sides that call each other in turn, fifty deep, one call at a time on
/// each: it ends, with an answer or a fault that says why.
#[tokio::test(start_paused = true)]
async fn calling_each_other_in_turn_never_hangs() {
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    struct Depth(u32);
    async fn descend(peer: Peer, Depth(depth): Depth) -> Result<u32, Fault> {
        if depth == 0 { Ok(0) } else { Ok(peer.call::<u32>("descend", (depth - 1,)).await? + 1) }
    }
    let router =
        || Router::new().procedure("descend", |peer: Peer, (depth,): (u32,)| descend(peer, Depth(depth)));
    for (limit, expected) in [(64, Ok(50)), (1, Err(()))] {
        let client = client(router(), Limits::default().max_in_flight(limit), router());
        let deepest = client.call::<u32>("descend", (50,)).await;
        match expected {
            Ok(depth) => assert_eq!(deepest.unwrap(), depth),
            Err(()) => {
                let fault = deepest.unwrap_err();
                let kinds = [FaultKind::DeadlineExceeded, FaultKind::Unavailable];
                assert!(kinds.contains(&fault.kind()), "{fault:?}");
            }
        }
    }
}
