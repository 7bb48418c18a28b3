//! What a call for a stream comes to.

use super::*;

#[tokio::test]
async fn what_cannot_be_opened_is_a_fault() {
    let mut wire = Wire::to(router());
    assert_eq!(wire.ask(request(1, "refuses", json!([]))).await["error"]["message"], "not today");
    assert_eq!(code(&wire.ask(request(1, "count", json!(["x"]))).await), -32602);
    let in_batch = wire.ask(format!("[{}]", request(1, "count", json!([1])))).await;
    assert!(in_batch[0]["error"]["message"].as_str().unwrap().contains("batch"), "{in_batch}");
    wire.line(r#"{"jsonrpc":"2.0","method":"count","params":[1]}"#).await;
    wire.is_well().await;
}

#[tokio::test]
async fn names_of_the_ethereum_world_are_kept() {
    let blocks = async |(what,): (String,)| match &*what {
        "newHeads" => Ok(stream::iter([json!({"number": "0x1"})]).chain(stream::pending())),
        other => Err(Fault::from(format!("no such subscription: {other}"))),
    };
    let router = Router::new()
        .procedure("eth_subscribe", handler(blocks).subscription("eth_subscription", "eth_unsubscribe"));
    let mut wire = Wire::to(router);
    let id = open(&mut wire, "eth_subscribe", json!(["newHeads"])).await;
    assert!(id.as_str().unwrap().starts_with("0x"));
    assert_eq!(wire.next().await, item(&id, "eth_subscription", json!({"number": "0x1"})));
    assert_eq!(wire.ask(request(2, "eth_unsubscribe", json!([id]))).await["result"], true);
}

/// To ethers, what is neither an answer nor an item is an error, and an item that is
/// none an exception that nobody catches.
#[tokio::test]
async fn who_knows_items_only_is_told_nothing_else() {
    let ends = handler(async || stream::iter([1])).items_only();
    let breaks = handler(async || stream::iter([Ok(1), Err(Fault::from("broken"))])).items_only();
    let misses = handler(async || stream::iter(1..=10)).lag(Lag::DropOldest(2)).items_only();
    let router =
        Router::new().procedure("ends", ends).procedure("breaks", breaks).procedure("misses", misses);

    let mut wire = Wire::to(router.clone());
    for name in ["ends", "breaks"] {
        let id = open(&mut wire, name, json!([])).await;
        assert_eq!(wire.next().await, item(&id, name, 1));
        wire.is_well().await;
    }

    // trunkline's own clients know more than items
    let client = client(router, Limits::default(), Router::new());
    let heard = client.stream::<u64>("ends", ()).await.unwrap().collect::<Vec<_>>().await;
    assert_eq!(heard, [Ok(1)]);
    let heard = client.stream::<u64>("breaks", ()).await.unwrap().collect::<Vec<_>>().await;
    assert_eq!(heard.last().unwrap().as_ref().unwrap_err().message(), "broken");
    let mut stream = client.stream::<u64>("misses", ()).max_waiting(1).await.unwrap();
    let mut heard = 0;
    while stream.next().await.is_some() {
        heard += 1;
    }
    assert_eq!(stream.missed() + heard, 10);
    assert!(stream.missed() > 0);
}

#[tokio::test]
async fn streams_are_limited_and_calls_are_not_held_up_by_them() {
    let mut wire = Wire::to(service(router(), Limits::default().max_streams(2).max_in_flight(1)));
    let first = open(&mut wire, "silent", json!([])).await;
    open(&mut wire, "silent", json!([])).await;
    let refused = wire.ask(request(1, "silent", json!([]))).await;
    assert_eq!(code(&refused), -32009);
    assert!(refused["error"]["data"].as_str().unwrap().contains("`max_streams`"), "{refused}");
    assert_eq!(wire.ask(request(2, "ping", json!([]))).await["result"], "pong");
    wire.ask(request(3, "rpc.unsubscribe", json!([first]))).await;
    open(&mut wire, "silent", json!([])).await;
}

#[tokio::test]
async fn a_middleware_sees_a_stream_being_opened() {
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = seen.clone();
    let router = router().layer(move |call: OwnedCall, next: Next| {
        counter.fetch_add(1, Ordering::Relaxed);
        async move { next.run(call).await }
    });
    let mut wire = Wire::to(router);
    let id = open(&mut wire, "count", json!([2])).await;
    for n in 1..=2 {
        assert_eq!(wire.next().await, item(&id, "count", n));
    }
    assert_eq!(seen.load(Ordering::Relaxed), 1);
}

#[test]
#[should_panic(expected = "what gives a stream runs on the task of its connection")]
fn a_stream_cannot_be_parallel() {
    let _ = Router::new().procedure("s", handler(async || stream::empty::<u8>()).parallel()).seal();
}

#[tokio::test]
async fn a_stream_that_opens_too_late_for_a_shutdown_is_refused() {
    let (release, released) = oneshot::channel::<()>();
    let released = std::sync::Mutex::new(Some(released));
    let (said, peer) = oneshot::channel();
    let said = std::sync::Mutex::new(Some(said));
    let slow = move |peer: Peer, ()| {
        let (said, released) = (said.lock().unwrap().take(), released.lock().unwrap().take());
        async move {
            said.unwrap().send(peer).unwrap();
            released.unwrap().await.unwrap();
            stream::pending::<u8>()
        }
    };
    let mut wire = Wire::to(Router::new().procedure("slow", slow));
    wire.line(request(1, "slow", json!([]))).await;
    peer.await.unwrap().close();
    release.send(()).unwrap();
    assert_eq!(code(&wire.next().await), -32009);
    wire.ended().await;
}
