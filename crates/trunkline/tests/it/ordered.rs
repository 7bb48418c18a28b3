//! Calls that run one after another.

use crate::support::Wire;
use crate::support::{client, request};
use serde_json::json;
use std::sync::{Arc, Mutex};
use trunkline::{Fault, Limits, Registration, Router, handler};

#[derive(Clone, Default)]
struct Log {
    begun_and_ended: Arc<Mutex<Vec<(u32, bool)>>>,
}

impl Log {
    /// A procedure that takes some turns, the fewer the later it is called.
    fn procedure(&self) -> Registration {
        let log = self.clone();
        handler(move |(n,): (u32,)| {
            let log = log.clone();
            async move {
                log.begun_and_ended.lock().unwrap().push((n, true));
                for _ in n..20 {
                    tokio::task::yield_now().await;
                }
                log.begun_and_ended.lock().unwrap().push((n, false));
            }
        })
    }
}

/// Wherever they run, and of however many procedures they are.
#[tokio::test]
async fn ordered_calls_begin_when_those_before_them_are_done() {
    let log = Log::default();
    let router = Router::new()
        .procedure("0", log.procedure().ordered())
        .procedure("1", log.procedure().ordered().parallel())
        .procedure("2", log.procedure().ordered().blocking())
        .procedure("done", handler(async || ()).ordered());
    let client = client(router, Limits::default(), Router::new());
    for n in 0..20_u32 {
        client.notify(&(n % 3).to_string(), (n,)).await.unwrap();
    }
    client.call::<()>("done", ()).await.unwrap();
    let expected: Vec<_> = (0..20).flat_map(|n| [(n, true), (n, false)]).collect();
    assert_eq!(*log.begun_and_ended.lock().unwrap(), expected);
}

#[tokio::test]
async fn without_it_they_overlap() {
    let log = Log::default();
    let router = Router::new().procedure("0", log.procedure());
    let client = client(router, Limits::default(), Router::new());
    let (_, last) = tokio::join!(biased; client.call::<()>("0", (0,)), client.call::<()>("0", (20,)));
    last.unwrap();
    assert_eq!(log.begun_and_ended.lock().unwrap()[..2], [(0, true), (20, true)]);
}

/// A failure, a panic and a cancellation hold up nobody.
#[tokio::test]
async fn whatever_ends_a_call_the_next_one_has_its_turn() {
    let router = Router::new()
        .procedure("stuck", handler(async || std::future::pending::<()>().await).ordered())
        .procedure("fails", handler(async || Err::<(), _>(Fault::from("no"))).ordered())
        .procedure("panics", handler(async || -> () { panic!("on purpose") }).ordered())
        .procedure("last", handler(async || ()).ordered());
    let mut wire = Wire::to(router);
    for (id, name) in ["stuck", "fails", "panics", "last"].into_iter().enumerate() {
        wire.line(request(id, name, json!([]))).await;
    }
    wire.line(r#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":0}}"#).await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(wire.next().await["id"].clone());
    }
    assert_eq!(ids, [0, 1, 2, 3]);
}
