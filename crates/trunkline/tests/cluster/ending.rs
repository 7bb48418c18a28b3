//! Calls that are given up, or out of time, and servers that stop.

use crate::world::{Handler, LONG, Net, One, Running, World, gateway, gateway_of, until, work};
use futures_util::future::{join, join_all};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{mpsc::unbounded_channel, oneshot, watch},
    task::yield_now,
    time::Instant,
};
use trunkline::{
    Caller, Client, ConnectionId, Context, Fault, FaultKind, Identity, Limits, Router, client::Reconnect,
};

pub(crate) async fn a_call_that_its_client_gives_up_ends_where_it_runs<W: World>() {
    let (net, running) = (W::any().await.net(), Running::default());
    let go = watch::Sender::new(false);
    let _handler = Handler::start(&net, work(&running, &go)).await;
    let client = gateway(&net, Router::new());
    let call = tokio::spawn(async move { client.call::<u64>("work", 1).timeout(LONG).await });
    until(&running, 1).await;
    let since = Instant::now();
    call.abort();
    until(&running, 0).await;
    assert!(since.elapsed() < LONG, "not by its deadline");
}

/// T30.
pub(crate) async fn a_chain_that_is_given_up_anywhere_ends_everywhere<W: World>() {
    let (net, running) = (W::any().await.net(), Running::default());
    let mut handlers = Vec::new();
    for hop in 1..=4 {
        let counted = running.clone();
        let work = move |caller: Caller| {
            let one = One::of(&counted);
            async move {
                let _one = one;
                match hop {
                    4 => std::future::pending().await,
                    _ => caller.call::<()>(&format!("hop{}", hop + 1), ()).await,
                }
            }
        };
        handlers.push(Handler::start(&net, Router::new().procedure(&format!("hop{hop}"), work)).await);
    }
    let client = gateway(&net, Router::new());
    for turns in 0..100 {
        let caller = client.clone();
        let call = tokio::spawn(async move { caller.call::<()>("hop1", ()).timeout(LONG).await });
        for _ in 0..turns {
            yield_now().await;
        }
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
        // what was on its way has come to its end once the broker is asked for something else
        assert_eq!(client.call::<()>("nobody", ()).await.unwrap_err().kind(), FaultKind::NotFound);
        until(&running, 0).await;
    }
    let whole = tokio::spawn(async move { client.call::<()>("hop1", ()).timeout(LONG).await });
    until(&running, 4).await;
    whole.abort();
    until(&running, 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_has_the_time_that_its_gateway_gives_it() {
    let (net, running) = (Net::new(), Running::default());
    let go = watch::Sender::new(false);
    let _handler = Handler::start(&net, work(&running, &go)).await;
    let limits = Limits::default().call_timeout(Duration::from_secs(5));
    let server = net.server(Router::new()).limits(limits);
    let client = gateway_of(server, Identity::anonymous());
    let since = Instant::now();
    let fault = client.call::<u64>("work", 1).timeout(LONG).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::DeadlineExceeded);
    until(&running, 0).await;
    assert_eq!(since.elapsed().as_secs(), 5);
}

/// T35.
pub(crate) async fn servers_are_replaced_under_load_and_no_call_is_lost_or_runs_twice<W: World>() {
    let (ran, next) = (Arc::new(Mutex::new(Vec::new())), AtomicU64::new(0));
    let net = W::any().await.net();
    let work = || {
        let ran = ran.clone();
        Router::new().procedure("work", move |token: u64| {
            ran.lock().unwrap().push(token);
            async move {
                yield_now().await;
                token
            }
        })
    };
    let client = gateway(&net, Router::new());
    let mut serving = Handler::start(&net, work()).await;
    let (done, is_done) = watch::channel(false);
    let load = join_all((0..16).map(|_| async {
        while !*is_done.borrow() {
            let token = next.fetch_add(1, Ordering::Relaxed);
            assert_eq!(client.call::<u64>("work", token).await, Ok(token));
        }
    }));
    let replacing = async {
        for _ in 0..5 {
            let new = Handler::start(&net, work()).await;
            std::mem::replace(&mut serving, new).stop().await;
        }
        done.send_replace(true);
    };
    join(load, replacing).await;
    let mut ran = ran.lock().unwrap().clone();
    ran.sort_unstable();
    assert_eq!(ran, (0..next.into_inner()).collect::<Vec<_>>());
}

/// Brokers elsewhere hear of it later, and until then may bring it more.
#[tokio::test(start_paused = true)]
async fn a_server_that_stops_finishes_what_it_has_taken_and_takes_no_more() {
    let (net, old, new) = (Net::new(), Running::default(), Running::default());
    let go = watch::Sender::new(false);
    let leaving = Handler::start(&net, work(&old, &go)).await;
    let client = gateway(&net, Router::new());
    let call = |tokens: std::ops::Range<u64>| {
        let client = client.clone();
        tokio::spawn(async move {
            join_all(tokens.map(|token| client.call::<u64>("work", token).timeout(LONG))).await
        })
    };
    let first = call(0..10);
    until(&old, 10).await;
    let _staying = Handler::start(&net, work(&new, &go)).await;
    let stopped = tokio::spawn(leaving.stop());
    // it has its turn, in which it says that it takes no more
    yield_now().await;
    yield_now().await;
    let second = call(10..20);
    until(&new, 10).await;
    assert_eq!(*old.borrow(), 10);
    go.send_replace(true);
    let answers: Result<Vec<u64>, _> =
        first.await.unwrap().into_iter().chain(second.await.unwrap()).collect();
    assert_eq!(answers.unwrap(), (0..20).collect::<Vec<_>>());
    stopped.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_waits_only_as_long_as_it_may() {
    let (net, running) = (Net::new(), Running::default());
    let go = watch::Sender::new(false);
    let limits = Limits::default().call_timeout(LONG).drain_timeout(Duration::from_secs(7));
    let handler = Handler::with_limits(&net, work(&running, &go), limits).await;
    let client = gateway(&net, Router::new());
    let call =
        tokio::spawn(async move { client.call::<u64>("work", 1).timeout(Duration::from_secs(60)).await });
    until(&running, 1).await;
    let since = Instant::now();
    handler.stop().await;
    assert_eq!(since.elapsed().as_secs(), 7);
    until(&running, 0).await;
    // nobody is left to be told that it was broken off
    assert_eq!(call.await.unwrap().unwrap_err().kind(), FaultKind::DeadlineExceeded);
}

/// A client that a server holds is there for all others for as long as it is there.
pub(crate) async fn clients_of_a_server_that_stops_are_reached_until_they_are_gone<W: World>() {
    let net = W::any().await.net();
    let (running, go) = (Running::default(), watch::Sender::new(false));
    let own = Router::new().procedure("id", async |context: Context| context.connection().id());
    let limits = Limits::default().call_timeout(LONG).drain_timeout(LONG);
    let server = net.server(own.merge(work(&running, &go))).limits(limits.clone()).tcp("127.0.0.1:0");
    let bound = server.bind().await.unwrap();
    bound.joined().await;
    let (address, (stop, stopped)) = (bound.addresses()[0], oneshot::channel::<()>());
    let stopping = tokio::spawn(bound.serve_until(stopped));
    let (tell, mut told) = unbounded_channel();
    let heard = Router::new().procedure("said", move |text: String| {
        let sent = tell.send(text);
        async move { sent.map_err(Fault::internal) }
    });
    let client = Client::builder(format!("tcp://{address}")).router(heard).limits(limits);
    let client = client.reconnect(Reconnect::never()).connect().await.unwrap();
    let id: ConnectionId = client.call("id", ()).await.unwrap();
    let elsewhere = net.server(Router::new());
    let cluster = elsewhere.cluster();
    let elsewhere = elsewhere.bind().await.unwrap();
    elsewhere.joined().await;
    let _elsewhere = tokio::spawn(elsewhere.serve());
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.call::<u64>("work", 1).timeout(LONG).await }
    });
    until(&running, 1).await;
    drop(stop);
    while client.call::<ConnectionId>("id", ()).await.is_ok() {}
    // what it served to others, nobody serves once it has told the broker so
    while cluster_call(&net).await != Some(FaultKind::NotFound) {}
    assert_eq!(cluster.send_to(id, "said", "to you").await, Ok(()));
    assert_eq!(told.recv().await.as_deref(), Some("to you"));
    assert_eq!(cluster.broadcast("said", "to all"), Ok(()));
    assert_eq!(told.recv().await.as_deref(), Some("to all"));
    go.send_replace(true);
    assert_eq!(call.await.unwrap(), Ok(1));
    stopping.await.unwrap();
    let fault = cluster.send_to(id, "said", "again").await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::NotFound);
}

/// Why `id` cannot be called by way of the network, if it cannot.
async fn cluster_call(net: &Net) -> Option<FaultKind> {
    gateway(net, Router::new()).call::<ConnectionId>("id", ()).await.err().map(|fault| fault.kind())
}
