//! The limits that a language keeps to: they are those of the service, and what
//! it keeps of calls under way is bounded.

use crate::support::{Wire, code, request, service};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use trunkline::{
    Client, Context, Fault, FaultKind, Limits, Listener, Peer, RawArgs, Router, Server, Service,
    http::Endpoint,
    jsonrpc::{Id, JsonRpc},
};

/// A router with a procedure that counts its calls.
fn counting() -> (Router, Arc<AtomicUsize>) {
    let runs: Arc<AtomicUsize> = Arc::default();
    let counter = runs.clone();
    let router = Router::new().procedure("hit", move |RawArgs(_): RawArgs| {
        counter.fetch_add(1, Ordering::SeqCst);
        async {}
    });
    (router, runs)
}

#[tokio::test]
async fn the_limits_of_a_service_are_those_of_its_language() {
    let (router, runs) = counting();
    let limits = Limits::default().max_batch(1).max_depth(3);
    let before = Service::new(router, JsonRpc::default()).limits(limits);
    for service in [before.clone(), before.in_language(JsonRpc::strict())] {
        let ask = async |message: &str| {
            let reply = trunkline_net::exchange::answer(message.as_bytes(), &service, Context::local()).await;
            serde_json::from_slice::<Value>(&reply.unwrap()).unwrap()
        };
        let call = request(1, "hit", json!([]));
        assert_eq!(code(&ask(&format!("[{call},{call}]")).await), -32010);
        let deep = request(1, "hit", json!([[[]]]));
        assert_eq!(code(&ask(&deep).await), -32700);
        let mut wire = Wire::to(service.clone());
        assert_eq!(code(&wire.ask(format!("[{call},{call}]")).await), -32010);
        assert_eq!(code(&wire.ask(&deep).await), -32700);
    }
    assert_eq!(runs.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_limits_of_a_server_hold_at_an_endpoint_in_another_language() {
    let (router, runs) = counting();
    let endpoint = |service: &Service| Endpoint::new(service.in_language(JsonRpc::default().any_version()));
    let bound = Server::new(router)
        .limits(Limits::default().max_batch(1))
        .listen(Listener::http("127.0.0.1:0").endpoint("/x", endpoint))
        .bind()
        .await
        .unwrap();
    let address = bound.addresses()[0];
    tokio::spawn(bound.serve());
    let client = Client::connect(format!("ws://{address}/x")).await.unwrap();
    let batch = client.batch().call("hit", ()).unwrap().call("hit", ()).unwrap();
    let answers = batch.send().await.unwrap();
    assert!(answers.iter().all(|answer| answer.is_err()), "{answers:?}");
    assert_eq!(runs.load(Ordering::SeqCst), 0);
}

/// An id is kept while its call runs, and nothing else bounds it.
#[tokio::test]
async fn an_id_over_its_longest_is_refused_and_not_kept() {
    let (router, runs) = counting();
    let mut wire = Wire::to(router);
    let (longest, longer) = ("x".repeat(Id::LONGEST - 2), "x".repeat(Id::LONGEST - 1));
    for round in 1..=2 {
        // the second time, the first looks like the one before it
        assert_eq!(wire.ask(request(&longest, "hit", json!([]))).await["id"], longest);
        let answer = wire.ask(request(&longer, "hit", json!([]))).await;
        assert_eq!((code(&answer), &answer["id"]), (-32600, &Value::Null));
        assert!(answer["error"]["data"].as_str().unwrap().contains("1048576 bytes"), "{answer}");
        let batch = format!("[{},{}]", request(&longer, "no.such", json!([])), request(1, "hit", json!([])));
        let answers = wire.ask(batch).await;
        assert_eq!(
            (code(&answers[0]), &answers[0]["id"], &answers[1]["id"]),
            (-32600, &Value::Null, &json!(1))
        );
        assert_eq!(runs.load(Ordering::SeqCst), 2 * round);
    }
}

/// Not even if it is one of ours by its value.
#[tokio::test]
async fn an_answer_with_an_id_over_the_longest_is_not_ours() {
    let router = Router::new().procedure("ask", async |peer: Peer| peer.call::<u8>("mine", ()).await);
    let service = service(router, Limits::default());
    let peers = service.peers().clone();
    let mut wire = Wire::to(service);
    wire.line(request("a", "ask", json!([]))).await;
    let call = wire.next().await;
    let long = format!("{}.{}", call["id"], "0".repeat(Id::LONGEST));
    for answer in ["\"result\":1", "\"error\":{\"code\":1,\"message\":\"\"}", "\"result\":1,\"error\":1"] {
        wire.line(format!(r#"{{"jsonrpc":"2.0","id":{long},{answer}}}"#)).await;
    }
    wire.is_well().await;
    assert_eq!(peers.all()[0].unmatched_replies(), 3);
    wire.line(format!(r#"{{"jsonrpc":"2.0","id":{},"result":5}}"#, call["id"])).await;
    assert_eq!(wire.next().await["result"], 5);
}

/// Faults that are kept until their batch is done count like results.
#[tokio::test]
async fn max_reply_bounds_the_faults_of_batches_too() {
    let (release, released) = tokio::sync::watch::channel(false);
    let router = Router::new()
        .procedure("fail", async || Err::<(), _>(Fault::from("no").with_data("x".repeat(1000))))
        .procedure("wait", move || {
            let mut released = released.clone();
            async move { released.wait_for(|it| *it).await.is_ok() }
        });
    let mut wire = Wire::to(service(router, Limits::default().max_reply(5000)));
    for _ in 0..10 {
        let calls: Vec<String> = (0..10).map(|id| request(id, "fail", json!([]))).collect();
        wire.line(format!("[{},{}]", request(10, "wait", json!([])), calls.join(","))).await;
    }
    wire.is_well().await;
    release.send(true).unwrap();
    let mut whole = 0;
    for _ in 0..10 {
        let answers = wire.next().await;
        let answers = answers.as_array().unwrap();
        assert_eq!(answers.len(), 11);
        for (id, answer) in answers[1..].iter().enumerate() {
            assert_eq!(answer["id"], id);
            match code(answer) {
                -32000 => whole += 1,
                -32008 => assert!(answer.to_string().len() < 250, "{answer}"),
                other => panic!("{other}"),
            }
        }
    }
    assert!((1..=4).contains(&whole), "{whole} faults of 1,000 bytes were kept");
}

/// What says that there was no room is no longer than what it stands for.
#[tokio::test]
async fn a_short_fault_is_told_as_it_is_however_little_may_be_kept() {
    let (router, _) = counting();
    let mut wire = Wire::to(service(router, Limits::default().max_reply(1)));
    let call = request(1, "no.such", json!([]));
    let answers = wire.ask(format!("[{call},5,{call},{call}]")).await;
    let codes: Vec<i64> = answers.as_array().unwrap().iter().map(code).collect();
    assert_eq!(codes, [-32601, -32600, -32008, -32008]);
}

#[tokio::test]
async fn the_least_limits_that_can_be_set_serve_one_after_the_other() {
    let (router, runs) = counting();
    let limits = Limits::default().max_unsent(0).max_in_flight(0).max_batch(0);
    let mut wire = Wire::to(service(router, limits));
    let call = format!("{}\n", request(1, "hit", json!([])));
    wire.send(call.repeat(10)).await;
    for _ in 0..10 {
        assert_eq!(wire.next().await["result"], json!(null));
    }
    assert_eq!(code(&wire.ask(format!("[{}]", call.trim())).await), -32010);
    assert_eq!(runs.load(Ordering::SeqCst), 10);
    let one = Limits::default().max_reply(0);
    let client = crate::support::client(Router::new().procedure("big", async || 10), one, Router::new());
    assert_eq!(client.call::<u8>("big", ()).await.unwrap_err().kind(), FaultKind::ReplyTooLarge);
}
