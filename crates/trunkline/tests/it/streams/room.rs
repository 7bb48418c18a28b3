//! Callers that are slow: credit, lag policies, and what waits on a connection.

use super::*;

/// Items of a caller who does not read are not made before there is room for them.
#[tokio::test]
async fn a_caller_who_does_not_read_holds_up_only_its_own_stream() {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = made.clone();
    let router = Router::new().procedure("flood", move || {
        let made = counter.clone();
        async move {
            stream::repeat_with(move || {
                made.fetch_add(1, Ordering::Relaxed);
                "x".repeat(1000)
            })
        }
    });
    let mut wire = Wire::to(service(router, Limits::default().max_unsent(100_000)));
    let id = open(&mut wire, "flood", json!([])).await;
    tokio::task::yield_now().await;
    for _ in 0..500 {
        assert_eq!(wire.next().await["params"]["subscription"], id);
    }
    // what the pipe holds, what waits to be sent, and what one turn may add
    let most = 500 + (64_000 + 100_000 + 64_000) / 1000;
    assert!(made.load(Ordering::Relaxed) <= most, "{} items were made", made.load(Ordering::Relaxed));
}

/// T11: who subscribes to more than anybody could read, and reads nothing, is
/// closed after a while, whatever is done with what it does not read.
#[tokio::test(start_paused = true)]
async fn a_caller_who_never_reads_its_stream_is_closed() {
    for lag in [Lag::Block, Lag::DropOldest(2), Lag::DropNewest(2), Lag::Coalesce] {
        let made = Arc::new(AtomicUsize::new(0));
        let counter = made.clone();
        let flood = move || {
            let made = counter.clone();
            async move {
                stream::repeat(made).then(async |made| {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    made.fetch_add(1, Ordering::Relaxed);
                    "x".repeat(20_000)
                })
            }
        };
        let router = Router::new().procedure("flood", handler(flood).lag(lag));
        let limits = Limits::default().max_unsent(100_000).stall_timeout(Duration::from_secs(5));
        let mut wire = Wire::to(service(router, limits));
        wire.line(request(1, "flood", json!([]))).await;
        assert!(matches!(wire.ended().await, Ended::Stalled));
        let made = made.load(Ordering::Relaxed);
        match lag {
            Lag::Block => assert!(made < 12, "{made} items of 20,000 bytes were made"),
            _ => assert!(made > 100, "{made} items were made, of which most were left out"),
        }
    }
}

/// Opens a stream for which there is room for two items, and lets the server have
/// its way with what comes in the meantime.
async fn two_items(lag: Lag) -> (Wire, mpsc::UnboundedSender<u64>, Value) {
    let (send, ticks) = fed();
    let mut wire = Wire::to(Router::new().procedure("ticks", ticks.lag(lag)));
    wire.line(r#"{"jsonrpc":"2.0","method":"rpc.credit","params":{"call":1,"items":2}}"#).await;
    let id = open(&mut wire, "ticks", json!([])).await;
    for n in 1..=6 {
        send.send(n).unwrap();
    }
    for n in 1..=2 {
        assert_eq!(wire.next().await, item(&id, "ticks", n));
    }
    (wire, send, id)
}

#[tokio::test]
async fn without_credit_a_stream_waits() {
    let (mut wire, _send, id) = two_items(Lag::Block).await;
    wire.is_well().await;
    wire.line(credit(&id, 2)).await;
    for n in 3..=4 {
        assert_eq!(wire.next().await, item(&id, "ticks", n));
    }
    wire.is_well().await;
}

#[tokio::test]
async fn without_credit_items_are_left_out_as_the_policy_says() {
    for (lag, expected, missed) in [
        (Lag::DropOldest(2), vec![5, 6], 2),
        (Lag::DropNewest(2), vec![3, 4], 2),
        (Lag::Coalesce, vec![6], 3),
        (Lag::DropOldest(9), vec![3, 4, 5, 6], 0),
    ] {
        let (mut wire, send, id) = two_items(lag).await;
        wire.is_well().await;
        wire.line(credit(&id, 100)).await;
        if missed > 0 {
            let told = wire.next().await;
            assert_eq!(told["method"], "rpc.missed", "{lag:?}: {told}");
            assert_eq!(told["params"], json!({"subscription": id, "items": missed}), "{lag:?}");
        }
        for n in expected {
            assert_eq!(wire.next().await, item(&id, "ticks", n), "{lag:?}");
        }
        send.send(7).unwrap();
        assert_eq!(wire.next().await, item(&id, "ticks", 7), "{lag:?}");
        drop(send);
        assert_eq!(wire.next().await["method"], "rpc.end", "{lag:?}");
    }
    let (mut wire, ..) = two_items(Lag::Close(3)).await;
    let told = wire.next().await;
    assert!(told["params"]["error"]["message"].as_str().unwrap().contains("lag policy"), "{told}");
}

/// The stream that each of so many items is of, as they come.
async fn turns(wire: &mut Wire, items: usize) -> Vec<Value> {
    let mut turns = vec![];
    for _ in 0..items {
        turns.push(wire.next().await["params"]["subscription"].clone());
    }
    turns
}

#[tokio::test]
async fn streams_that_wait_for_room_all_have_their_turn() {
    let flood = async || stream::repeat_with(|| "x".repeat(1000));
    let mut wire =
        Wire::to(service(Router::new().procedure("flood", flood), Limits::default().max_unsent(50_000)));
    let first = open(&mut wire, "flood", json!([])).await;
    let mut ids = vec![first];
    for n in 2..=5 {
        wire.line(request(n, "flood", json!([]))).await;
        let id = loop {
            let next = wire.next().await;
            if next["id"] == n {
                break next["result"].clone();
            }
        };
        ids.push(id);
    }
    let turns = turns(&mut wire, 3000).await;
    for id in ids {
        let share = turns.iter().filter(|turn| **turn == id).count();
        assert!(share > 100, "{id} had {share} of 3,000 items");
    }
}

#[tokio::test]
async fn credit_for_calls_that_open_nothing_is_not_in_the_way() {
    let mut wire = Wire::to(service(router(), Limits::default().max_in_flight(4)));
    for n in 0..20 {
        wire.line(
            json!({"jsonrpc": "2.0", "method": "rpc.credit", "params": {"call": n, "items": 1}}).to_string(),
        )
        .await;
        wire.ask(request(n, "ping", json!([]))).await;
    }
    wire.line(r#"{"jsonrpc":"2.0","method":"rpc.credit","params":{"call":1,"items":2}}"#).await;
    let id = open(&mut wire, "count", json!([9])).await;
    for n in 1..=2 {
        assert_eq!(wire.next().await, item(&id, "count", n));
    }
    wire.is_well().await;
}
