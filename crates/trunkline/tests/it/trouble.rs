//! Trouble of our own making: panics, values that cannot be written, races.

use crate::support::{Wire, client, code, request, service};
use serde_json::json;
use std::{
    collections::HashMap,
    error::Error,
    sync::{Arc, Mutex},
    time::Duration,
};
use trunkline::{
    Answer, Call, Extract, Fault, FaultKind, Hooks, Limits, Next, Open, OwnedCall, Peer, Router,
};

struct Explosive;

impl Extract for Explosive {
    fn extract(_: &Call<'_>) -> Result<Self, Fault> {
        panic!("in the extractor")
    }
}

impl serde::Serialize for Explosive {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("in the serializer")
    }
}

/// Panics, as far as the compiler knows not always.
fn explode(place: &str) {
    if !place.is_empty() {
        panic!("{place}");
    }
}

/// T24: wherever a panic happens, it is the fault of that one call.
#[tokio::test]
async fn a_panic_is_the_fault_of_one_call() {
    let layered = Router::new()
        .procedure("layered", async || ())
        .layer(async |_: OwnedCall, _: Next| -> Answer { panic!("in the middleware") });
    let guarded = Router::new().procedure("guarded", async || ()).guard(|_| panic!("in the guard"));
    let router = Router::new()
        .procedure("handler", async || explode("in the handler"))
        .procedure("later", async || {
            tokio::task::yield_now().await;
            explode("later in the handler");
        })
        .procedure("extractor", async |_: Explosive| ())
        .procedure("serializer", async || Open(Explosive))
        .procedure("parallel", trunkline::handler(async || explode("on another task")).parallel())
        .procedure("ping", async || "pong")
        .merge(layered)
        .merge(guarded);
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = seen.clone();
    let hooks = Hooks::default().on_fault(move |report| {
        let source = report.fault.source().map(ToString::to_string).unwrap_or_default();
        log.lock().unwrap().push(source);
    });
    let mut wire = Wire::to(service(router, Limits::default()).hooks(hooks));
    let names = ["handler", "later", "extractor", "serializer", "parallel", "layered", "guarded"];
    for name in names {
        let answer = wire.ask(request(1, name, json!([]))).await;
        assert_eq!(
            (code(&answer), &answer["error"]["message"]),
            (-32603, &json!("Internal error")),
            "{name}"
        );
        assert_eq!(wire.ask(request(2, "ping", json!([]))).await["result"], "pong");
    }
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), names.len());
    assert!(seen.iter().all(|source| source.contains("panicked")), "{seen:?}");
}

/// The same where an answer is decoded, and where a handler is dropped.
#[tokio::test]
async fn panics_at_the_edges_are_of_one_call_too() {
    struct Evil;

    impl<'de> serde::Deserialize<'de> for Evil {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            panic!("in the deserializer")
        }
    }

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            explode("when it is dropped");
        }
    }

    let (release, released) = tokio::sync::watch::channel(false);
    let router = Router::new()
        .procedure("ping", async || "pong")
        .procedure("bomb", async || {
            let _bomb = Bomb;
            std::future::pending::<()>().await;
        })
        .procedure("wait", move || {
            let mut released = released.clone();
            async move { released.wait_for(|it| *it).await.is_ok() }
        });
    let client = client(router, Limits::default(), Router::new());
    let mut other = Box::pin(client.call::<bool>("wait", ()));
    assert!(futures_util::poll!(&mut other).is_pending());
    let fault = client.call::<Evil>("ping", ()).await.map(drop).unwrap_err();
    assert_eq!(fault.kind(), FaultKind::InvalidReply);
    {
        let mut bomb = Box::pin(client.call::<()>("bomb", ()));
        assert!(futures_util::poll!(&mut bomb).is_pending());
        assert_eq!(client.call::<String>("ping", ()).await.unwrap(), "pong");
    }
    assert_eq!(client.call::<String>("ping", ()).await.unwrap(), "pong");
    release.send(true).unwrap();
    assert!(other.await.unwrap());
}

/// Nothing stops a blocking handler, so one that is cancelled keeps its place
/// until it has ended.
#[tokio::test]
async fn blocking_calls_that_are_cancelled_keep_their_place() {
    const MOST: usize = 4;
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let (tell, mut started) = tokio::sync::mpsc::unbounded_channel();
    let work = trunkline::handler(move |id: u32| {
        let (gate, tell) = (gate.clone(), tell.clone());
        async move {
            let _ = tell.send(id);
            let _ = gate.lock().unwrap().recv();
        }
    });
    let router = Router::new().procedure("work", work.blocking());
    let mut wire = Wire::to(service(router, Limits::default().max_in_flight(MOST).max_batch(0)));
    for id in 0..MOST {
        wire.line(request(id, "work", json!([id]))).await;
        started.recv().await.unwrap();
        wire.line(json!({"jsonrpc": "2.0", "method": "rpc.cancel", "params": {"id": id}}).to_string()).await;
        assert_eq!(wire.next().await["id"], id);
    }
    let answer = wire.ask(request(9, "work", json!([9]))).await;
    assert!(
        answer["error"]["data"].as_str().is_some_and(|data| data.contains("`max_in_flight`")),
        "{answer}"
    );
    drop(release);
    // a place is free again once one has ended; when, no event tells
    loop {
        let answer = wire.ask(request(10, "work", json!([10]))).await;
        if answer.get("result").is_some() {
            break;
        }
    }
}

/// A batch is admitted whole, so its blocking calls have a place each.
#[tokio::test]
async fn a_batch_of_blocking_calls_runs_whole() {
    let work = trunkline::handler(async |id: u32| id).blocking();
    let router = Router::new().procedure("work", work);
    let mut wire = Wire::to(service(router, Limits::default().max_in_flight(1)));
    let calls: Vec<String> = (0..5).map(|id| request(id, "work", json!([id]))).collect();
    let answers = wire.ask(format!("[{}]", calls.join(","))).await;
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 5);
    assert!(answers.iter().all(|answer| answer["result"] == answer["id"]), "{answers:?}");
}

/// T25: what cannot be written is a fault in time, never silence.
#[tokio::test]
async fn a_value_that_cannot_be_written_is_a_fault() {
    let router = Router::new()
        .procedure("map", async || HashMap::from([((1, 2), 3)]))
        .procedure("nan", async || (f64::NAN, f64::INFINITY, 1.5))
        .procedure("text", async || Err::<(), _>("x".repeat(1 << 20)));
    let mut wire = Wire::to(router);
    assert_eq!(code(&wire.ask(request(1, "map", json!([]))).await), -32603);
    assert_eq!(wire.ask(request(2, "nan", json!([]))).await["result"], json!([null, null, 1.5]));
    assert_eq!(code(&wire.ask(request(3, "text", json!([]))).await), -32000);
    wire.is_well().await;
}

/// What is internal stays at home, and reaches the hooks whole.
#[tokio::test]
async fn the_source_of_a_fault_is_for_the_hooks_only() {
    let router =
        Router::new().procedure("leak", async || Err::<(), _>(Fault::internal("password: swordfish")));
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = seen.clone();
    let hooks = Hooks::default().on_fault(move |report| {
        log.lock().unwrap().push(format!("{} {}", report.procedure, report.fault.source().unwrap()));
    });
    let mut wire = Wire::to(service(router, Limits::default()).hooks(hooks));
    let answer = wire.ask(request(1, "leak", json!([]))).await;
    assert!(!answer.to_string().contains("swordfish"));
    assert_eq!(*seen.lock().unwrap(), ["leak password: swordfish"]);
}

/// T29: a call that is given up and its answer cross on the way, in every order:
/// one outcome each, nothing left behind, the connection well.
#[tokio::test]
async fn giving_up_and_answering_may_cross() {
    let router = Router::new().procedure("after", async |(turns,): (u32,)| {
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        turns
    });
    let client = client(router, Limits::default(), Router::new());
    let mut seed = 1u32;
    let mut next = |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) % below
    };
    let (mut answered, mut given_up) = (0, 0);
    for _ in 0..20_000 {
        let (turns, patience) = (next(12), next(24));
        let impatient = async {
            for _ in 0..patience {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            answer = client.call::<u32>("after", (turns,)) => {
                assert_eq!(answer.unwrap(), turns);
                answered += 1;
            }
            () = impatient => given_up += 1,
        }
    }
    assert!(answered > 1000 && given_up > 1000, "{answered} answered, {given_up} given up");
    assert_eq!(client.call::<u32>("after", (0,)).await.unwrap(), 0);
}

/// A handler that is never done does not outlive its connection.
#[tokio::test(start_paused = true)]
async fn a_lost_connection_cancels_its_calls() {
    let (dropped, mut seen) = tokio::sync::mpsc::channel::<()>(1);
    let router = Router::new().procedure("wait", move || {
        let dropped = dropped.clone();
        async move {
            let _held = dropped;
            std::future::pending::<()>().await;
        }
    });
    let client = client(router, Limits::default(), Router::new());
    let call = client.call::<()>("wait", ()).timeout(Duration::from_secs(1));
    assert_eq!(call.await.unwrap_err().kind(), FaultKind::DeadlineExceeded);
    drop(client);
    assert!(seen.recv().await.is_none(), "every sender is gone with its handler");
}

/// A peer that has said all it has to say still gets its answers, but is not
/// asked anything any more: such a call fails at once.
#[tokio::test]
async fn nobody_is_asked_who_will_not_answer() {
    let (release, released) = tokio::sync::watch::channel(false);
    let router = Router::new().procedure("ask", move |peer: Peer| {
        let mut released = released.clone();
        async move {
            let first = peer.call::<u8>("number", ()).await.unwrap_err();
            released.wait_for(|it| *it).await.map_err(Fault::internal)?;
            let second = peer.call::<u8>("number", ()).await.unwrap_err();
            Ok::<_, Fault>([first, second].iter().all(|it| it.kind() == FaultKind::Disconnected))
        }
    });
    let mut wire = Wire::to(router);
    wire.line(request(1, "ask", json!([]))).await;
    assert_eq!(wire.next().await["method"], "number");
    wire.finish().await;
    release.send(true).unwrap();
    assert_eq!(wire.next().await["result"], true);
}
