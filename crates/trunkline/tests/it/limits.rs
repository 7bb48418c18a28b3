//! Each limit: the fault it causes, and that neighbours live.

use crate::support::{Wire, client, code, request, service};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::io::AsyncReadExt;
use trunkline::{Ended, Fault, FaultKind, Limits, Listener, Peer, RawArgs, Router, Server};

/// T02: once the answers of a batch are over the limit, the rest of it does not run.
#[tokio::test]
async fn max_reply_stops_a_batch_early() {
    let runs: Arc<AtomicUsize> = Arc::default();
    let counter = runs.clone();
    let router = Router::new().procedure("big", move || {
        counter.fetch_add(1, Ordering::SeqCst);
        async { "x".repeat(1000) }
    });
    let mut wire = Wire::to(service(router, Limits::default().max_reply(5000)));
    let calls: Vec<String> = (0..100).map(|id| request(id, "big", json!([]))).collect();
    let answers = wire.ask(format!("[{}]", calls.join(","))).await;
    assert_eq!(answers.as_array().unwrap().len(), 100);
    assert_eq!(code(&answers[99]), -32008);
    assert!(runs.load(Ordering::SeqCst) <= 6, "{} calls ran", runs.load(Ordering::SeqCst));
    wire.is_well().await;
}

/// T25: an answer over the limit becomes a fault that names it.
#[tokio::test]
async fn max_reply_bounds_one_answer() {
    let router = Router::new().procedure("big", async |(n,): (usize,)| "x".repeat(n));
    let mut wire = Wire::to(service(router, Limits::default().max_reply(1000)));
    let answer = wire.ask(request(1, "big", json!([100 << 20]))).await;
    assert_eq!((code(&answer), &answer["id"]), (-32008, &json!(1)));
    assert!(answer["error"]["data"].as_str().unwrap().contains("`max_reply`"));
    assert_eq!(wire.ask(request(2, "big", json!([900]))).await["result"], "x".repeat(900));
}

#[tokio::test]
async fn max_depth_is_counted_over_the_whole_message() {
    let router = Router::new().procedure("echo", async |RawArgs(args): RawArgs| args);
    let mut wire = Wire::to(service(router, Limits::default().max_depth(4)));
    assert_eq!(wire.ask(request(1, "echo", json!([[[1]]]))).await["result"], json!([[[1]]]));
    let answer = wire.ask(request(2, "echo", json!([[[[1]]]]))).await;
    assert_eq!(code(&answer), -32700);
    assert!(answer["error"]["data"].as_str().unwrap().contains('4'), "{answer}");
}

/// Calls beyond the limit wait in the connection, which is not read meanwhile.
#[tokio::test]
async fn max_in_flight_holds_back_and_loses_nothing() {
    let (running, most): (Arc<AtomicUsize>, Arc<AtomicUsize>) = Default::default();
    let (now, highest) = (running.clone(), most.clone());
    let router = Router::new().procedure("work", move || {
        highest.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let now = now.clone();
        async move {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            now.fetch_sub(1, Ordering::SeqCst);
        }
    });
    let mut wire = Wire::to(service(router, Limits::default().max_in_flight(8)));
    let calls: Vec<String> = (0..500).map(|id| request(id, "work", json!([]))).collect();
    wire.line(calls.join("\n")).await;
    for _ in 0..500 {
        assert_eq!(wire.next().await["result"], json!(null));
    }
    assert_eq!(most.load(Ordering::SeqCst), 8);
}

/// T11: a peer that never reads stops being read, and is closed after a while.
#[tokio::test(start_paused = true)]
async fn a_peer_that_never_reads_is_closed() {
    let runs: Arc<AtomicUsize> = Arc::default();
    let counter = runs.clone();
    let router = Router::new().procedure("big", move || {
        counter.fetch_add(1, Ordering::SeqCst);
        async { "x".repeat(10_000) }
    });
    let mut wire = Wire::to(service(router, Limits::default().stall_timeout(Duration::from_secs(5))));
    let call = format!("{}\n", request(1, "big", json!([])));
    let flood = call.repeat(10_000);
    tokio::select! {
        () = wire.send(&flood) => panic!("the server went on reading"),
        () = tokio::time::sleep(Duration::from_secs(4)) => {}
    }
    let ran = runs.load(Ordering::SeqCst);
    assert!(ran < 60, "{ran} calls of 10,000 bytes ran for a peer that does not read");
    assert!(matches!(wire.ended().await, Ended::Stalled));
}

/// The same while it owes us an answer, which might come behind its calls.
#[tokio::test(start_paused = true)]
async fn a_peer_that_never_reads_is_closed_whatever_it_owes() {
    let runs: Arc<AtomicUsize> = Arc::default();
    let counter = runs.clone();
    let router = Router::new()
        .procedure("ask", async |peer: Peer| peer.call::<()>("never", ()).timeout(Duration::MAX).await)
        .procedure("big", move || {
            counter.fetch_add(1, Ordering::SeqCst);
            async { "x".repeat(10_000) }
        });
    let limits = Limits::default().stall_timeout(Duration::from_secs(5)).max_unsent(100_000);
    let mut wire = Wire::to(service(router, limits));
    wire.line(request(0, "ask", json!([]))).await;
    assert_eq!(wire.next().await["method"], "never");
    let flood = format!("{}\n", request(1, "big", json!([]))).repeat(100_000);
    tokio::select! {
        () = wire.send(&flood) => panic!("the server went on reading"),
        () = tokio::time::sleep(Duration::from_secs(4)) => {}
    }
    let ran = runs.load(Ordering::SeqCst);
    assert!(ran < 60, "{ran} calls of 10,000 bytes ran for a peer that does not read");
    assert!(matches!(wire.ended().await, Ended::Stalled));
}

/// The same for one that is answered at a pace, because it sends no line feeds:
/// what is held back for it counts too.
#[tokio::test(start_paused = true)]
async fn a_paced_peer_that_never_reads_is_closed() {
    let runs: Arc<AtomicUsize> = Arc::default();
    let counter = runs.clone();
    let router = Router::new().procedure("big", move || {
        counter.fetch_add(1, Ordering::SeqCst);
        async { "x".repeat(10_000) }
    });
    let mut wire = Wire::to(service(router, Limits::default().stall_timeout(Duration::from_secs(5))));
    let flood = request(1, "big", json!([])).repeat(10_000);
    tokio::select! {
        () = wire.send(&flood) => panic!("the server went on reading"),
        () = tokio::time::sleep(Duration::from_secs(4)) => {}
    }
    let ran = runs.load(Ordering::SeqCst);
    assert!(ran < 100, "{ran} calls of 10,000 bytes ran for a peer that does not read");
    assert!(matches!(wire.ended().await, Ended::Stalled));
}

/// What is kept for all batches under way together is bounded, however many
/// there are and whenever their calls are done.
#[tokio::test]
async fn max_reply_bounds_all_batches_together() {
    let (work, may_work) = tokio::sync::watch::channel(false);
    let (release, released) = tokio::sync::watch::channel(false);
    let router = Router::new()
        .procedure("big", move || {
            let mut may_work = may_work.clone();
            async move { may_work.wait_for(|it| *it).await.map(|_| "x".repeat(1000)).map_err(Fault::internal) }
        })
        .procedure("wait", move || {
            let mut released = released.clone();
            async move { released.wait_for(|it| *it).await.is_ok() }
        });
    let mut wire = Wire::to(service(router, Limits::default().max_reply(5000)));
    for _ in 0..10 {
        let calls: Vec<String> = (0..10).map(|id| request(id, "big", json!([]))).collect();
        wire.line(format!("[{},{}]", calls.join(","), request(10, "wait", json!([])))).await;
    }
    wire.is_well().await;
    work.send(true).unwrap();
    wire.is_well().await;
    release.send(true).unwrap();
    let mut passed = 0;
    for _ in 0..10 {
        let answers = wire.next().await;
        let answers = answers.as_array().unwrap();
        assert_eq!(answers.len(), 11);
        passed += answers[..10].iter().filter(|answer| answer["result"].is_string()).count();
        assert!(answers.iter().all(|answer| !answer["result"].is_null() || code(answer) == -32008));
    }
    assert!((1..=5).contains(&passed), "{passed} answers of 1,000 bytes were kept");
}

#[tokio::test]
async fn max_unsent_bounds_what_is_sent_to_a_peer_that_does_not_read() {
    let router = Router::new().procedure("flood", async |peer: Peer| {
        let mut sent = 0;
        loop {
            match peer.notify("news", "x".repeat(10_000)) {
                Ok(()) => sent += 1,
                Err(fault) => return (sent, format!("{:?}: {fault}", fault.kind())),
            }
        }
    });
    let mut wire = Wire::to(service(router, Limits::default().max_unsent(100_000)));
    wire.line(request(1, "flood", json!([]))).await;
    let mut news = 0;
    let answer = loop {
        let message = wire.next().await;
        if message["method"] != "news" {
            break message;
        }
        news += 1;
    };
    assert_eq!(answer["result"][0], news);
    assert!(news <= 12, "{news} notifications of 10,000 bytes");
    assert!(answer["result"][1].as_str().unwrap().contains("`max_unsent`"));
}

#[tokio::test(start_paused = true)]
async fn message_timeout_ends_a_message_that_never_ends() {
    let mut wire = Wire::to(Router::new());
    wire.send("{\"jsonrpc\":").await;
    assert!(matches!(wire.ended().await, Ended::SlowMessage));
}

#[tokio::test(start_paused = true)]
async fn idle_timeout_ends_a_silent_connection_but_not_a_busy_one() {
    let wire = Wire::to(Router::new());
    assert!(matches!(wire.ended().await, Ended::Idle));

    let wait = async || tokio::time::sleep(Duration::from_secs(50)).await;
    let limits = Limits::default().idle_timeout(Duration::from_secs(20));
    let mut busy = Wire::to(service(Router::new().procedure("wait", wait), limits));
    assert_eq!(busy.ask(request(1, "wait", json!([]))).await["result"], json!(null));
}

#[tokio::test]
async fn max_connections_refuses_the_next_and_serves_the_rest() {
    let router = Router::new().procedure("ping", async || "pong");
    let server = Server::new(router)
        .limits(Limits::default().max_connections(2))
        .listen(Listener::tcp("127.0.0.1:0"))
        .bind()
        .await
        .unwrap();
    let address = format!("tcp://{}", server.addresses()[0]);
    let socket = server.addresses()[0];
    tokio::spawn(server.serve());
    let one = trunkline::Client::connect(&address).await.unwrap();
    let two = trunkline::Client::connect(&address).await.unwrap();
    assert_eq!(one.call::<String>("ping", ()).await.unwrap(), "pong");
    assert_eq!(two.call::<String>("ping", ()).await.unwrap(), "pong");
    let mut third = tokio::net::TcpStream::connect(socket).await.unwrap();
    let mut nothing = [0];
    assert!(matches!(third.read(&mut nothing).await, Ok(0) | Err(_)), "the third is closed");
    assert_eq!(one.call::<String>("ping", ()).await.unwrap(), "pong");
}

/// A drain finishes what runs and refuses what is new.
#[tokio::test]
async fn a_drain_finishes_calls_under_way() {
    let (release, released) = tokio::sync::watch::channel(false);
    let router = Router::new().procedure("wait", move || {
        let mut released = released.clone();
        async move { released.wait_for(|it| *it).await.is_ok() }
    });
    let service = service(router, Limits::default());
    let peers = service.peers().clone();
    let mut wire = Wire::to(service);
    wire.line(request(1, "wait", json!([]))).await;
    wire.is_well().await;
    peers.all()[0].close();
    let refused = wire.ask(request(2, "wait", json!([]))).await;
    assert_eq!(code(&refused), -32009);
    release.send(true).unwrap();
    assert_eq!(wire.next().await["result"], true);
    assert!(matches!(wire.ended().await, Ended::Here));
}

#[tokio::test]
async fn a_call_over_a_closed_connection_fails_at_once() {
    let client = client(Router::new(), Limits::default(), Router::new());
    let fault = client.call::<()>("no.such", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::NotFound);
    client.close().await;
    let fault = client.call::<()>("no.such", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Disconnected);
}
