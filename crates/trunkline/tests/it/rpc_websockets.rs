//! Streams as events, to those who know `rpc.on` and `rpc.off`.

use crate::support::{Wire, request};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{mpsc, watch};
use trunkline::{Fault, JsonRpc, Limits, Router, Service, rpc_websockets::RpcWebsockets};

/// Bytes that may wait for a subscriber.
const MAX_UNSENT: usize = 10_000;

/// What is sent here are the items of each stream that was opened, in order.
type Senders = Arc<Mutex<Vec<mpsc::UnboundedSender<u64>>>>;

/// A stream of what is sent to it, and how many are open.
fn ticks() -> (Router, Senders, watch::Receiver<usize>) {
    let (open, opened) = watch::channel(0);
    let senders = Arc::new(Mutex::new(vec![]));
    struct Guard(watch::Sender<usize>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.send_modify(|open| *open -= 1);
        }
    }
    let to = senders.clone();
    let router = Router::new()
        .procedure("ticks", move || {
            let (send, items) = mpsc::unbounded_channel();
            to.lock().unwrap().push(send);
            open.send_modify(|open| *open += 1);
            let guard = Guard(open.clone());
            async move {
                stream::unfold((guard, items), |(guard, mut items)| async move {
                    Some((items.recv().await?, (guard, items)))
                })
            }
        })
        .procedure("refuses", async || Err::<stream::Empty<u64>, _>(Fault::from("not today")))
        .procedure("breaks", async || stream::iter([Ok(json!({"n": 1})), Err(Fault::from("broken"))]));
    (router, senders, opened)
}

fn wire(router: Router) -> Wire {
    let protected = Router::new().procedure("secret", async || stream::iter([1]));
    let rpcws = ["ticks", "refuses", "breaks", "flood", "secret", "nowhere"];
    let rpcws = rpcws.into_iter().fold(RpcWebsockets::new().event("feed"), RpcWebsockets::stream);
    let service = Service::new(rpcws.router(router, protected), JsonRpc::rpc_websockets());
    Wire::to(service.limits(Limits::default().max_unsent(MAX_UNSENT)))
}

async fn on(wire: &mut Wire, names: Value) -> Value {
    wire.ask(request(1, "rpc.on", names)).await["result"].clone()
}

async fn off(wire: &mut Wire, names: Value) -> Value {
    wire.ask(request(2, "rpc.off", names)).await["result"].clone()
}

#[tokio::test]
async fn a_stream_reaches_its_subscriber_as_events_until_it_leaves() {
    let (router, senders, mut open) = ticks();
    let mut wire = wire(router);
    assert_eq!(on(&mut wire, json!(["ticks", "feed"])).await, json!({"ticks": "ok", "feed": "ok"}));
    let again = on(&mut wire, json!(["ticks"])).await;
    assert_eq!(again["ticks"], "socket has already been subscribed to event");
    assert_eq!(*open.borrow(), 1);
    let send = senders.lock().unwrap().remove(0);
    for n in 1..=3 {
        send.send(n).unwrap();
        assert_eq!(wire.next().await, json!({"notification": "ticks", "params": [n]}));
    }
    assert_eq!(off(&mut wire, json!(["ticks"])).await["ticks"], "ok");
    open.wait_for(|open| *open == 0).await.unwrap();
    assert_eq!(off(&mut wire, json!(["ticks"])).await["ticks"], "not subscribed");
    // anew, and gone with the connection
    assert_eq!(on(&mut wire, json!(["ticks"])).await["ticks"], "ok");
    assert_eq!(*open.borrow(), 1);
    drop(wire);
    open.wait_for(|open| *open == 0).await.unwrap();
}

#[tokio::test]
async fn a_stream_that_has_ended_can_be_subscribed_to_again() {
    let (router, senders, mut open) = ticks();
    let mut wire = wire(router);
    for n in 1..=3 {
        assert_eq!(on(&mut wire, json!(["ticks"])).await["ticks"], "ok", "{n}");
        let send = senders.lock().unwrap().remove(0);
        send.send(n).unwrap();
        drop(send);
        assert_eq!(wire.next().await["params"], json!([n]));
        open.wait_for(|open| *open == 0).await.unwrap();
    }
    assert_eq!(on(&mut wire, json!(["breaks"])).await["breaks"], "ok");
    assert_eq!(wire.next().await, json!({"notification": "breaks", "params": [{"n": 1}]}));
    wire.is_well().await;
}

#[tokio::test]
async fn who_may_not_have_a_stream_is_told_why() {
    let (router, ..) = ticks();
    let mut wire = wire(router);
    let answer = on(&mut wire, json!(["refuses", "secret", "nowhere", "unknown"])).await;
    assert_eq!(answer["refuses"], "not today");
    assert_eq!(answer["secret"], "Method forbidden");
    assert_eq!(answer["nowhere"], "Method not found");
    assert_eq!(answer["unknown"], "provided event invalid");
}

/// It goes on when the subscriber reads: nothing is lost, and no more is made than
/// there is room for.
#[tokio::test(start_paused = true)]
async fn a_subscriber_who_is_slow_loses_nothing() {
    const ITEMS: usize = 5000;
    let item = |n: usize| format!("{n:01000}");
    let made = Arc::new(AtomicUsize::new(0));
    let counter = made.clone();
    let router = Router::new().procedure("flood", move || {
        let made = counter.clone();
        async move {
            stream::iter(0..ITEMS).map(move |n| {
                made.fetch_add(1, Ordering::Relaxed);
                item(n)
            })
        }
    });
    let mut wire = wire(router);
    assert_eq!(on(&mut wire, json!(["flood"])).await["flood"], "ok");
    // until nobody can do more
    tokio::time::sleep(Duration::from_millis(1)).await;
    let waiting = made.load(Ordering::Relaxed);
    // in the pipe, with whoever reads it, and twice what may be unsent: kept, and handed over
    let room = (64 << 10) + (8 << 10) + 2 * MAX_UNSENT;
    assert!((1..=room / 1000 + 2).contains(&waiting), "{waiting} items wait");
    for n in 0..ITEMS {
        assert_eq!(wire.next().await, json!({"notification": "flood", "params": [item(n)]}));
    }
    wire.is_well().await;
}
