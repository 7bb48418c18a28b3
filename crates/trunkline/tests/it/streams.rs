//! Streams: opened by a call, sent item by item, ended by either side.

mod together;

use crate::support::{Wire, client, code, request, service};
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};
use trunkline::{
    Client, Ended, Fault, FaultKind, Lag, Limits, Next, OwnedCall, Peer, Registration, Router, Subscription,
    handler,
};

/// Streams that count, that break off, that cannot be opened, and that never end.
fn router() -> Router {
    Router::new()
        .procedure("count", async |(to,): (u64,)| stream::iter(1..=to))
        .procedure("breaks", async || stream::iter([Ok(1), Err(Fault::from("broken")), Ok(3)]))
        .procedure("refuses", async || Err::<stream::Empty<u8>, _>(Fault::from("not today")))
        .procedure("silent", async || stream::pending::<u8>())
        .procedure("ping", async || "pong")
        .procedure("flag", async || true)
}

fn item(subscription: &Value, name: &str, result: impl Into<Value>) -> Value {
    let result: Value = result.into();
    json!({"jsonrpc": "2.0", "method": name, "params": {"subscription": subscription, "result": result}})
}

/// Opens a stream and gives its id.
async fn open(wire: &mut Wire, name: &str, params: Value) -> Value {
    let answer = wire.ask(request(1, name, params)).await;
    assert!(answer["result"].is_string(), "{answer}");
    answer["result"].clone()
}

#[tokio::test]
async fn items_follow_the_answer_and_then_the_end() {
    let mut wire = Wire::to(router());
    let id = open(&mut wire, "count", json!([3])).await;
    for n in 1..=3 {
        assert_eq!(wire.next().await, item(&id, "count", n));
    }
    assert_eq!(
        wire.next().await,
        json!({"jsonrpc": "2.0", "method": "rpc.end", "params": {"subscription": id}})
    );
    wire.is_well().await;
}

#[tokio::test]
async fn a_stream_that_breaks_off_says_why() {
    let mut wire = Wire::to(router());
    let id = open(&mut wire, "breaks", json!([])).await;
    assert_eq!(wire.next().await, item(&id, "breaks", 1));
    let last = wire.next().await;
    assert_eq!(last["params"]["subscription"], id);
    assert_eq!(last["params"]["error"]["message"], "broken");
    wire.is_well().await;
}

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

/// A stream that tells when it is dropped.
fn watched() -> (Router, mpsc::UnboundedReceiver<()>) {
    struct Tells(mpsc::UnboundedSender<()>);
    impl Drop for Tells {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let (dropped, seen) = mpsc::unbounded_channel();
    let router = Router::new().procedure("watched", move || {
        let tells = Tells(dropped.clone());
        async move {
            stream::repeat(7_u8).take(1).chain(stream::pending()).map(move |n| {
                let _ = &tells;
                n
            })
        }
    });
    (router, seen)
}

#[tokio::test]
async fn unsubscribing_drops_the_stream() {
    let (router, mut dropped) = watched();
    let mut wire = Wire::to(router);
    let id = open(&mut wire, "watched", json!([])).await;
    assert_eq!(wire.next().await, item(&id, "watched", 7));
    assert_eq!(wire.ask(request(2, "rpc.unsubscribe", json!([id]))).await["result"], true);
    dropped.recv().await.unwrap();
    assert_eq!(wire.ask(request(3, "rpc.unsubscribe", json!([id]))).await["result"], false);
    assert_eq!(wire.ask(request(4, "rpc.unsubscribe", json!({"no": 1}))).await["result"], false);
}

#[tokio::test]
async fn a_connection_that_ends_takes_its_streams_along() {
    let (router, mut dropped) = watched();
    let mut wire = Wire::to(router);
    open(&mut wire, "watched", json!([])).await;
    drop(wire);
    dropped.recv().await.unwrap();
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

#[tokio::test]
async fn shutting_down_breaks_streams_off() {
    let (said, peer) = oneshot::channel();
    let said = std::sync::Mutex::new(Some(said));
    let router = router().procedure("me", move |peer: Peer, ()| {
        let said = said.lock().unwrap().take();
        async move { said.is_some_and(|said| said.send(peer).is_ok()) }
    });
    let mut wire = Wire::to(router);
    let id = open(&mut wire, "silent", json!([])).await;
    wire.ask(request(2, "me", json!([]))).await;
    peer.await.unwrap().close();
    let last = wire.next().await;
    assert_eq!((&last["params"]["subscription"], &last["params"]["error"]["code"]), (&id, &json!(-32009)));
    wire.ended().await;
}

#[tokio::test]
async fn a_panic_ends_only_its_stream() {
    let router = router().procedure("panics", async || {
        stream::iter(0..2_u8).map(|n| if n == 0 { n } else { panic!("on purpose") })
    });
    let mut wire = Wire::to(router);
    let id = open(&mut wire, "panics", json!([])).await;
    assert_eq!(wire.next().await, item(&id, "panics", 0));
    assert_eq!(wire.next().await["params"]["error"]["code"], -32603);
    assert_eq!(wire.ask(request(2, "ping", json!([]))).await["result"], "pong");
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

fn to(router: Router) -> Client {
    client(router, Limits::default(), Router::new())
}

async fn all<T: std::fmt::Debug>(stream: impl Stream<Item = Result<T, Fault>>) -> (Vec<T>, Option<Fault>) {
    let (mut items, mut fault) = (vec![], None);
    let mut stream = std::pin::pin!(stream);
    while let Some(next) = stream.next().await {
        assert!(fault.is_none(), "nothing comes after a fault");
        match next {
            Ok(item) => items.push(item),
            Err(last) => fault = Some(last),
        }
    }
    (items, fault)
}

#[tokio::test]
async fn a_client_hears_all_items_and_the_end() {
    let client = to(router());
    let (items, fault) = all(client.stream::<u64>("count", (100,)).await.unwrap()).await;
    assert_eq!((items, fault.is_none()), ((1..=100).collect(), true));
    let (items, fault) = all(client.stream::<u64>("breaks", ()).await.unwrap()).await;
    assert_eq!((items, fault.unwrap().message()), (vec![1], "broken"));
    assert_eq!(client.stream::<u8>("refuses", ()).await.unwrap_err().message(), "not today");
    let no_stream = client.stream::<u8>("flag", ()).await;
    assert_eq!(no_stream.unwrap_err().kind(), FaultKind::InvalidReply);
}

#[tokio::test]
async fn a_client_that_drops_a_stream_ends_it_there() {
    let (router, mut dropped) = watched();
    let client = to(router);
    let mut stream = client.stream::<u8>("watched", ()).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), 7);
    drop(stream);
    dropped.recv().await.unwrap();

    // one that is given up before it is open too
    let mut opening = client.stream::<u8>("watched", ()).into_future();
    assert!(futures_util::poll!(&mut opening).is_pending());
    drop(opening);
    dropped.recv().await.unwrap();
}

#[tokio::test]
async fn who_is_slow_to_listen_loses_nothing() {
    let client = to(router());
    let stream = client.stream::<u64>("count", (1000,)).max_waiting(10).await.unwrap();
    let _: Result<u8, _> = client.call("none", ()).await;
    let (items, fault) = all(stream).await;
    assert_eq!((items, fault.is_none()), ((1..=1000).collect(), true));
}

/// Another server knows nothing of credit.
#[tokio::test]
async fn who_does_not_listen_to_another_server_in_time_is_told() {
    let (client, mut server) = Wire::to_client();
    let client = client.connect_lazy().unwrap();
    let script = async {
        assert_eq!(server.next().await["method"], "rpc.credit");
        let id = server.expect_call("sub", ()).await;
        let mut said = format!("{}\n", json!({"jsonrpc": "2.0", "id": id, "result": 5}));
        for n in 1..=12 {
            said += &format!("{}\n", item(&json!(5), "whatever", n));
        }
        server.send(said).await;
    };
    let opening = client.stream::<u64>("sub", ()).max_waiting(10).unsubscribe("unsub");
    let (stream, ()) = tokio::join!(opening.into_future(), script);
    let (items, fault) = all(stream.unwrap()).await;
    assert_eq!(items, (1..=10).collect::<Vec<_>>());
    assert!(fault.unwrap().message().contains("`max_waiting`"));
    server.expect_call("unsub", [5]).await;
}

/// A procedure that can be called once, whose stream is of what is sent to it.
fn fed() -> (mpsc::UnboundedSender<u64>, Registration) {
    let (send, items) = mpsc::unbounded_channel::<u64>();
    let items = std::sync::Mutex::new(Some(items));
    let ticks = move || {
        let items = items.lock().unwrap().take();
        async move {
            stream::unfold(items, |mut items| async move {
                let item = items.as_mut()?.recv().await?;
                Some((item, items))
            })
        }
    };
    (send, handler(ticks))
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

fn credit(id: &Value, items: u64) -> String {
    json!({"jsonrpc": "2.0", "method": "rpc.credit", "params": {"subscription": id, "items": items}})
        .to_string()
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

#[tokio::test]
async fn a_client_counts_what_it_missed() {
    let (send, ticks) = fed();
    let router =
        Router::new().procedure("ticks", ticks.lag(Lag::Coalesce)).procedure("ping", async || "pong");
    let client = to(router);
    let mut stream = client.stream::<u64>("ticks", ()).max_waiting(2).await.unwrap();
    for n in 1..=10 {
        send.send(n).unwrap();
    }
    let _: String = client.call("ping", ()).await.unwrap();
    let mut seen = vec![];
    while let Some(item) = stream.next().await {
        seen.push(item.unwrap());
        if seen.last() == Some(&10) {
            break;
        }
    }
    assert_eq!(stream.missed() + seen.len() as u64, 10, "{seen:?}");
    assert!(stream.missed() > 0);
}

#[tokio::test]
async fn a_stream_breaks_off_with_its_connection() {
    let client = to(router());
    let stream: Subscription<u8> = client.stream("silent", ()).await.unwrap();
    client.server().unwrap().abort();
    let (items, fault) = all(stream).await;
    assert_eq!((items.len(), fault.unwrap().kind()), (0, FaultKind::Disconnected));
}

#[tokio::test]
async fn an_item_of_another_type_ends_the_stream() {
    let client = to(router());
    let (items, fault) = all(client.stream::<String>("count", (3,)).await.unwrap()).await;
    assert_eq!((items.len(), fault.unwrap().kind()), (0, FaultKind::InvalidReply));
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

/// A server that gives every stream the same id, which none can be told apart by.
#[tokio::test]
async fn a_stream_whose_id_is_given_to_another_breaks_off() {
    let (client, mut server) = Wire::to_client();
    let client = client.connect_lazy().unwrap();
    let mut open = async || {
        let script = async {
            assert_eq!(server.next().await["method"], "rpc.credit");
            let id = server.expect_call("sub", ()).await;
            server.answer(id, 5).await;
            server.line(item(&json!(5), "sub", 1)).await;
        };
        tokio::join!(client.stream::<u64>("sub", ()).into_future(), script).0.unwrap()
    };
    let mut first = open().await;
    assert_eq!(first.next().await.unwrap().unwrap(), 1);
    let mut second = open().await;
    assert_eq!(second.next().await.unwrap().unwrap(), 1);
    assert_eq!(first.next().await.unwrap().unwrap_err().kind(), FaultKind::InvalidReply);
    assert!(first.next().await.is_none());
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

/// While the server waits for an answer itself, it goes on with what waits for room.
#[tokio::test]
async fn a_stream_goes_on_while_a_call_of_the_server_is_not_answered() {
    let ask = async |peer: Peer| {
        tokio::spawn(async move { peer.call::<u8>("never.answered", ()).await });
    };
    let router = router().procedure("ask", ask);
    let mut wire = Wire::to(service(router, Limits::default().max_unsent(2_000)));
    assert!(wire.ask(request(1, "ask", json!([]))).await.get("result").is_some());
    assert_eq!(wire.next().await["method"], "never.answered");
    let id = open(&mut wire, "count", json!([3000])).await;
    for n in 1..=3000 {
        assert_eq!(wire.next().await, item(&id, "count", n));
    }
}

/// It could not say any more that it does not want it.
#[tokio::test]
async fn who_has_said_all_there_is_to_say_is_told_that_its_streams_end() {
    let mut wire = Wire::to(router());
    let id = open(&mut wire, "silent", json!([])).await;
    wire.finish().await;
    let last = wire.next().await;
    assert_eq!(last["params"]["subscription"], id);
    assert!(last["params"]["error"]["message"].as_str().unwrap().contains("its direction"), "{last}");
    wire.ended().await;
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

/// It may be that nobody is there any more.
#[tokio::test(start_paused = true)]
async fn a_silent_stream_does_not_keep_a_connection_alive() {
    let limits = Limits::default().idle_timeout(Duration::from_secs(5));
    let mut wire = Wire::to(service(router(), limits));
    open(&mut wire, "silent", json!([])).await;
    assert!(matches!(wire.ended().await, Ended::Idle));
}
