//! T24: user code that panics, wherever that is: it is the affair of one call or stream,
//! and all else goes on.

use crate::support::{TestServer, Wire, client, code, request};
use futures_util::{Stream, StreamExt, stream};
use serde_json::json;
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use trunkline::{Caller, FaultKind, Incoming, Limits, Open, Router};

/// Panics when it is dropped, as far as the compiler knows not always.
struct Bomb(&'static str);

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(self.0.is_empty(), "{}", self.0);
    }
}

/// Items, and what then: an end, nothing, or a panic. Panics when it is dropped.
struct Mined {
    items: std::ops::Range<u8>,
    then: Then,
    _bomb: Bomb,
}

#[derive(Clone, Copy, Debug)]
enum Then {
    Ends,
    Waits,
    Panics,
}

impl Mined {
    fn new(items: u8, then: Then) -> Self {
        Self { items: 0..items, then, _bomb: Bomb("when it is dropped") }
    }
}

impl Stream for Mined {
    type Item = u8;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u8>> {
        match (self.items.next(), self.then) {
            (None, Then::Waits) => Poll::Pending,
            (None, Then::Panics) => panic!("when it is polled"),
            (item, _) => Poll::Ready(item),
        }
    }
}

fn mined() -> Router {
    Router::new()
        .procedure("ping", async || "pong")
        .procedure("ends", async || Mined::new(2, Then::Ends))
        .procedure("panics", async || Mined::new(2, Then::Panics))
        .procedure("waits", async || Mined::new(1, Then::Waits))
        .procedure("up", async |to: u32| stream::iter(0..to))
        .procedure("sum", async |numbers: Incoming<u8>| {
            numbers.fold(0, async |sum, number| sum + u32::from(number.unwrap_or_default())).await
        })
        .procedure("call", async || {
            let _bomb = Bomb("when it is dropped");
            std::future::pending::<()>().await;
        })
}

/// Streams that panic when they are polled, and when they are dropped: at their end, when
/// nobody listens any more, and with their connection.
#[tokio::test]
async fn streams_that_panic_are_broken_off_alone() {
    let client = client(mined(), Limits::default(), Router::new());
    let mut other = client.stream::<u32>("up", (10_000,)).max_waiting(4).await.unwrap();
    assert_eq!(other.next().await, Some(Ok(0)));
    let mut ends = client.stream::<u8>("ends", ()).await.unwrap();
    assert_eq!((ends.next().await, ends.next().await, ends.next().await), (Some(Ok(0)), Some(Ok(1)), None));
    let mut panics = client.stream::<u8>("panics", ()).await.unwrap();
    assert_eq!((panics.next().await, panics.next().await), (Some(Ok(0)), Some(Ok(1))));
    assert_eq!(panics.next().await.unwrap().unwrap_err().kind(), FaultKind::Internal);
    assert_eq!(panics.next().await, None);
    let mut waits = client.stream::<u8>("waits", ()).await.unwrap();
    assert_eq!(waits.next().await, Some(Ok(0)));
    drop(waits);
    assert_eq!(client.call::<String>("ping", ()).await.unwrap(), "pong");
    let rest: Vec<u32> = other.map(Result::unwrap).collect().await;
    assert_eq!(rest, (1..10_000).collect::<Vec<_>>());
}

/// Two panics at once end a program: none may follow another.
#[tokio::test]
async fn a_connection_that_is_dropped_takes_all_that_runs_with_it() {
    for name in ["call", "waits"] {
        let (here, there) = tokio::io::duplex(64 << 10);
        let served = TestServer::new(mined()).serve(there);
        let mut wire = Wire::over(here);
        for id in 1..=3 {
            wire.line(request(id, name, json!([]))).await;
        }
        let opened = if name == "waits" { 6 } else { 0 };
        for _ in 0..opened {
            wire.next().await;
        }
        wire.is_well().await;
        served.abort();
        assert!(served.await.unwrap_err().is_cancelled());
    }
}

/// The streams that a client sends.
#[tokio::test(start_paused = true)]
async fn streams_that_are_sent_and_panic_end_their_call_only() {
    let client = client(mined(), Limits::default(), Router::new());
    let sum = client.call::<u32>("sum", ()).sending(Mined::new(4, Then::Ends)).await;
    assert_eq!(sum.unwrap(), 6, "all items were there");
    let sum = client.call::<u32>("sum", ()).sending(Mined::new(4, Then::Panics)).await;
    assert_eq!(sum.unwrap(), 6, "the handler takes what breaks off for nothing");
    let sum = client.call::<u32>("sum", ()).timeout(Duration::from_secs(1));
    assert_eq!(
        sum.sending(Mined::new(4, Then::Waits)).await.unwrap_err().kind(),
        FaultKind::DeadlineExceeded
    );
    assert_eq!(client.call::<String>("ping", ()).await.unwrap(), "pong");
}

/// Arguments that panic when they are written: nothing is sent, nobody waits.
#[tokio::test]
async fn arguments_that_panic_are_none() {
    struct Explosive;
    impl serde::Serialize for Explosive {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("when it is written")
        }
    }
    let relay = async |caller: Caller| caller.call::<()>("ping", Open(Explosive)).await;
    let client = client(mined().procedure("relay", relay), Limits::default(), Router::new());
    let refused = [
        client.call::<()>("ping", Open(Explosive)).await.unwrap_err(),
        client.stream::<u8>("ends", Open(Explosive)).await.map(drop).unwrap_err(),
        client.batch().call("ping", Open(Explosive)).map(drop).unwrap_err(),
        client.call::<()>("relay", ()).await.unwrap_err(),
    ];
    for fault in refused {
        assert_eq!(fault.kind(), FaultKind::InvalidArgs, "{fault}");
        assert!(fault.message().contains("panicked, in an implementation of Serialize"), "{fault}");
    }
    assert_eq!(client.notify("ping", Open(Explosive)).await.unwrap_err().kind(), FaultKind::Internal);
    assert_eq!(client.call::<String>("ping", ()).await.unwrap(), "pong");
    // it would wait for the answers of calls that were never made
    client.close().await;
}

/// Items that panic when they are dropped, for which there was no room.
#[tokio::test]
async fn items_that_panic_are_of_their_stream_only() {
    struct Item(Bomb);
    impl<'de> serde::Deserialize<'de> for Item {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            u8::deserialize(from).map(|_| Self(Bomb("when it is dropped")))
        }
    }
    let (client, mut server) = Wire::to_client();
    let client = client.connect_lazy().unwrap();
    let opening = async { client.stream::<Item>("bombs", ()).max_waiting(1).await.unwrap() };
    let serving = async {
        assert_eq!(server.next().await["method"], "rpc.credit");
        assert_eq!(server.next().await["id"], 1);
        let item = |n: u8| {
            let params = json!({"subscription": "s", "result": n});
            json!({"jsonrpc": "2.0", "method": "bombs", "params": params})
        };
        let answer = json!({"jsonrpc": "2.0", "id": 1, "result": "s"});
        server.send(format!("{answer}\n{}\n{}\n{}\n", item(1), item(2), item(3))).await;
        assert_eq!(server.next().await["method"], "rpc.unsubscribe");
    };
    let (mut bombs, ()) = tokio::join!(opening, serving);
    let Item(bomb) = bombs.next().await.unwrap().unwrap();
    std::mem::forget(bomb);
    assert_eq!(bombs.next().await.unwrap().map(drop).unwrap_err().kind(), FaultKind::Unavailable);
    let answering = async {
        let id = server.expect_call("ping", ()).await;
        server.answer(id, "pong").await;
    };
    let (pong, ()) = tokio::join!(async { client.call::<String>("ping", ()).await }, answering);
    assert_eq!(pong.unwrap(), "pong");
}

/// What is called inside of a call panics for whoever called it, and for nobody else.
#[tokio::test]
async fn a_panic_inside_of_a_call_is_contained() {
    let router = mined().procedure("give.up", async |caller: Caller| {
        let mut call = Box::pin(caller.call::<()>("call", ()));
        assert!(futures_util::poll!(&mut call).is_pending());
        drop(call);
        let mut waits = caller.stream::<u8>("waits", ()).await?;
        assert_eq!(waits.next().await, Some(Ok(0)));
        drop(waits);
        let mut ends = caller.stream::<u8>("ends", ()).await?;
        while ends.next().await.is_some() {}
        let panics = caller.stream::<u8>("panics", ()).await?.collect::<Vec<_>>().await;
        Ok::<_, trunkline::Fault>(panics.len())
    });
    let mut wire = Wire::to(router);
    assert_eq!(wire.ask(request(1, "give.up", json!([]))).await["result"], 3);
    assert_eq!(code(&wire.ask(request(2, "nope", json!([]))).await), -32601);
}
