//! Streams: opened by a call, sent item by item, ended by either side.

mod listening;
mod opening;
mod room;
mod together;

use crate::support::{Tells, Wire, client, code, request, service};
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

/// A stream that tells when it is dropped.
fn watched() -> (Router, mpsc::UnboundedReceiver<()>) {
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

fn credit(id: &Value, items: u64) -> String {
    json!({"jsonrpc": "2.0", "method": "rpc.credit", "params": {"subscription": id, "items": items}})
        .to_string()
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

/// It may be that nobody is there any more.
#[tokio::test(start_paused = true)]
async fn a_silent_stream_does_not_keep_a_connection_alive() {
    let limits = Limits::default().idle_timeout(Duration::from_secs(5));
    let mut wire = Wire::to(service(router(), limits));
    open(&mut wire, "silent", json!([])).await;
    assert!(matches!(wire.ended().await, Ended::Idle));
}
