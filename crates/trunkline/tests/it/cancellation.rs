//! Work that nobody waits for any more ends, however far away it is done.

use crate::support::{TestServer, Wire, client, request, service};
use serde_json::json;
use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use trunkline::{Client, Ended, Limits, Router};

/// So long that nothing in here ends by the clock.
const LONG: Duration = Duration::from_secs(24 * 60 * 60);

/// How many handlers run, all servers together.
type Running = watch::Sender<usize>;

/// Counts as one for as long as it is there.
struct One(Running);

impl One {
    fn of(running: &Running) -> Self {
        running.send_modify(|count| *count += 1);
        Self(running.clone())
    }
}

impl Drop for One {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Waits until so many run; a test that would wait for ever fails.
async fn until(running: &Running, wanted: usize) {
    let mut counts = running.subscribe();
    let there = counts.wait_for(|count| *count == wanted);
    tokio::time::timeout(Duration::from_secs(600), there).await.expect("it comes to that").unwrap();
}

/// A client of a server that hands its calls on to a server, and so on: `hops`
/// of them, the last of which never answers.
fn chain(hops: usize, running: &Running) -> Client {
    let next = (hops > 1).then(|| chain(hops - 1, running));
    let (counted, after) = (running.clone(), next.clone());
    let router = Router::new()
        .procedure("work", move || {
            let (one, next) = (One::of(&counted), after.clone());
            async move {
                let _one = one;
                match next {
                    Some(next) => next.call::<()>("work", ()).timeout(LONG).await,
                    None => std::future::pending().await,
                }
            }
        })
        .procedure("through", move || {
            let next = next.clone();
            async move {
                match next {
                    Some(next) => next.call::<usize>("through", ()).await.map(|hops| hops + 1),
                    None => Ok(1),
                }
            }
        });
    client(router, Limits::default().call_timeout(LONG), Router::new())
}

/// T30: a call over four servers is given up at a hundred points of its way.
#[tokio::test]
async fn whoever_gives_up_ends_all_that_was_done_for_it() {
    let running = watch::Sender::new(0);
    let client = chain(4, &running);
    assert_eq!(client.call::<usize>("through", ()).await.unwrap(), 4);
    let mut deepest = 0;
    for point in 0..100 {
        {
            let mut call = pin!(client.call::<()>("work", ()).into_future());
            for _ in 0..point {
                let polled = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await;
                assert!(polled.is_pending(), "the last one never answers");
                tokio::task::yield_now().await;
            }
            deepest = deepest.max(*running.borrow());
        }
        // what comes after it on the same connections has passed all servers
        assert_eq!(client.call::<usize>("through", ()).await.unwrap(), 4);
        until(&running, 0).await;
    }
    assert_eq!(deepest, 4, "some were given up at the far end");
}

/// T30: so does a server that goes away in the midst of it.
#[tokio::test]
async fn a_server_that_vanishes_ends_all_that_it_has_asked_for() {
    let running = watch::Sender::new(0);
    let next = chain(3, &running);
    let router = Router::new().procedure("work", move || {
        let next = next.clone();
        async move { next.call::<()>("work", ()).timeout(LONG).await }
    });
    let limits = Limits::default().call_timeout(LONG);
    let (here, there) = tokio::io::duplex(64 << 10);
    let served = TestServer::new(service(router, limits)).serve(there);
    let mut wire = Wire::over(here);
    for id in 0..10 {
        wire.line(request(id, "work", json!([]))).await;
    }
    until(&running, 30).await;
    served.abort();
    until(&running, 0).await;
}

/// T30: a caller who hangs up has ended its direction, and might still read: what it has
/// asked for goes on, but no longer than calls may take.
#[tokio::test(start_paused = true)]
async fn calls_of_a_caller_who_vanishes_end_at_their_deadline() {
    let running = watch::Sender::new(0);
    let next = chain(3, &running);
    let counted = running.clone();
    let router = Router::new().procedure("work", move || {
        let (one, next) = (One::of(&counted), next.clone());
        async move {
            let _one = one;
            next.call::<()>("work", ()).timeout(LONG).await
        }
    });
    let limits = Limits::default().call_timeout(Duration::from_secs(9));
    let (here, there) = tokio::io::duplex(64 << 10);
    let served = TestServer::new(service(router, limits)).serve(there);
    let mut wire = Wire::over(here);
    let begun = Instant::now();
    for id in 0..10 {
        wire.line(request(id, "work", json!([]))).await;
    }
    until(&running, 40).await;
    drop(wire);
    sleep(Duration::from_secs(8)).await;
    assert_eq!(*running.borrow(), 40, "an answer may be waited for");
    until(&running, 0).await;
    assert_eq!(begun.elapsed().as_secs(), 9);
    // which is when it shows that nobody reads
    let ended = served.await.unwrap();
    assert!(matches!(ended, Ended::Broken(_)), "{ended}");
    assert_eq!(begun.elapsed().as_secs(), 9);
}
