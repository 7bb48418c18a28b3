//! Calls that are made again: none that may have run, unless it may run twice; and all
//! together not many.

use crate::{
    forgetful::Forgetful,
    world::{Handler, LONG, Net, Running, World, gateway, gateway_of, until, work},
};
use futures_util::future::join_all;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};
use trunkline::{Attempt, Client, FaultKind, Identity, Limits, Router, handler};

/// The keys of attempts at calls, and whether there were others before.
type Seen = Arc<Mutex<Vec<(String, bool)>>>;

/// An idempotent procedure `look`, that tells which attempts it has seen.
fn look(seen: &Seen, running: &Running, go: &watch::Sender<bool>) -> Router {
    let (seen, running, go) = (seen.clone(), running.clone(), go.subscribe());
    let look = move |attempt: Attempt| {
        let mut go = go.clone();
        seen.lock().unwrap().push((attempt.key().to_owned(), attempt.is_repeated()));
        running.send_modify(|count| *count += 1);
        async move {
            let _ = go.wait_for(|go| *go).await;
            attempt.key().to_owned()
        }
    };
    Router::new().procedure("look", handler(look).idempotent())
}

/// Who calls has heard by now that `look` may run twice.
async fn introduced(client: Client, go: &watch::Sender<bool>) -> Client {
    go.send_replace(true);
    client.call::<String>("look", ()).await.unwrap();
    go.send_replace(false);
    client
}

pub(crate) async fn a_call_that_may_run_twice_outlives_its_broker<W: World>() {
    let mut world = W::own().await;
    let (net, seen, running, go) =
        (world.net(), Seen::default(), Running::default(), watch::Sender::new(false));
    let handler = Handler::start(&net, look(&seen, &running, &go)).await;
    let client = introduced(gateway(&net, Router::new()), &go).await;
    let calls = (0..10).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.call::<String>("look", ()).timeout(LONG).await })
    });
    let calls: Vec<_> = calls.collect();
    until(&running, 11).await;
    world.lose().await;
    handler.kill().await;
    world.restore().await;
    go.send_replace(true);
    let _other = Handler::start(&net, look(&seen, &running, &go)).await;
    for answer in join_all(calls).await {
        answer.unwrap().unwrap();
    }
    assert_eq!(seen.lock().unwrap().len(), 21, "each has run twice, and no more than that");
}

pub(crate) async fn all_attempts_at_a_call_have_the_same_key<W: World>() {
    let mut world = W::own().await;
    let (net, seen, running, go) =
        (world.net(), Seen::default(), Running::default(), watch::Sender::new(false));
    let handler = Handler::start(&net, look(&seen, &running, &go)).await;
    let client = introduced(gateway(&net, Router::new()), &go).await;
    let call = tokio::spawn(async move { client.call::<String>("look", ()).timeout(LONG).await });
    until(&running, 2).await;
    world.lose().await;
    handler.kill().await;
    world.restore().await;
    go.send_replace(true);
    let _other = Handler::start(&net, look(&seen, &running, &go)).await;
    let key = call.await.unwrap().unwrap();
    let seen = seen.lock().unwrap().split_off(1);
    assert_eq!(seen, [(key.clone(), false), (key, true)]);
}

/// Its broker is lost and comes back while a call runs, and who asked asks again: the one
/// that runs is the answer.
pub(crate) async fn a_call_that_runs_still_is_not_run_twice_by_the_same_server<W: World>() {
    let mut world = W::own().await;
    let (net, seen, running, go) =
        (world.net(), Seen::default(), Running::default(), watch::Sender::new(false));
    let _handler = Handler::start(&net, look(&seen, &running, &go)).await;
    let client = introduced(gateway(&net, Router::new()), &go).await;
    let calling = client.clone();
    let call = tokio::spawn(async move { calling.call::<String>("look", ()).timeout(LONG).await });
    until(&running, 2).await;
    world.lose().await;
    world.restore().await;
    // whoever comes later has come later there, too
    let later = tokio::spawn(async move { client.call::<String>("look", ()).timeout(LONG).await });
    until(&running, 3).await;
    go.send_replace(true);
    call.await.unwrap().unwrap();
    later.await.unwrap().unwrap();
    // elsewhere who asks again may come after the end of the one that ran
    let runs = seen.lock().unwrap().len();
    assert!(runs == 3 || (runs == 4 && !W::IS_MISSED_AT_ONCE), "{runs}");
}

/// Each attempt has an equal share of the time.
#[tokio::test(start_paused = true)]
async fn who_hears_nothing_asks_again_if_it_may_run_twice() {
    let broker = Forgetful::default();
    let (net, seen, running, go) =
        (Net::on(broker.clone()), Seen::default(), Running::default(), watch::Sender::new(false));
    let first = Handler::start(&net, look(&seen, &running, &go)).await;
    let limits = Limits::default().call_timeout(Duration::from_secs(30));
    let client = gateway_of(net.server(Router::new()).limits(limits), Identity::anonymous());
    let client = introduced(client, &go).await;

    let (before, since) = (broker.requests(), Instant::now());
    let fault = client.call::<String>("look", ()).timeout(LONG).await.unwrap_err();
    assert_eq!((fault.kind(), since.elapsed().as_secs()), (FaultKind::DeadlineExceeded, 30));
    assert_eq!(broker.requests() - before, 3);
    assert_eq!(seen.lock().unwrap().len(), 2, "who runs it still is not to run it again");

    let since = Instant::now();
    let call = tokio::spawn(async move { client.call::<String>("look", ()).timeout(LONG).await });
    until(&running, 3).await;
    first.kill().await;
    go.send_replace(true);
    let _second = Handler::start(&net, look(&seen, &running, &go)).await;
    let key = call.await.unwrap().unwrap();
    assert_eq!(since.elapsed().as_secs(), 10, "a third of the time");
    assert_eq!(seen.lock().unwrap().split_off(2), [(key.clone(), false), (key, true)]);
}

/// Brokers that hold nothing back deliver more than a server takes.
#[tokio::test(start_paused = true)]
async fn a_server_that_has_its_fill_refuses_and_another_is_asked() {
    let (net, full, free) = (Net::on(Forgetful::default()), Running::default(), Running::default());
    let go = watch::Sender::new(false);
    let one = Limits::default().max_in_flight(1).call_timeout(LONG);
    let _full = Handler::with_limits(&net, work(&full, &go), one.clone()).await;
    let client = gateway(&net, Router::new());
    let call = |token: u64| {
        let client = client.clone();
        tokio::spawn(async move { client.call::<u64>("work", token).timeout(LONG).await })
    };
    let first = call(1);
    until(&full, 1).await;
    let fault = call(2).await.unwrap().unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Unavailable);
    assert!(fault.message().contains("has not begun with this one"), "{fault}");
    let _free = Handler::start(&net, work(&free, &go)).await;
    let mut more = Vec::new();
    for number in 1..=10 {
        more.push(call(100));
        until(&free, number).await;
    }
    go.send_replace(true);
    assert_eq!(first.await.unwrap(), Ok(1));
    for call in more {
        assert_eq!(call.await.unwrap(), Ok(100));
    }
}

/// T32.
#[tokio::test(start_paused = true)]
async fn an_outage_does_not_multiply_what_is_asked() {
    let broker = Forgetful::default();
    let (net, running, go) = (Net::on(broker.clone()), Running::default(), watch::Sender::new(false));
    let one = Limits::default().max_in_flight(1).call_timeout(LONG);
    let _full = Handler::with_limits(&net, work(&running, &go), one).await;
    let client = gateway(&net, Router::new());
    let busy = client.clone();
    let _busy = tokio::spawn(async move { busy.call::<u64>("work", 0).timeout(LONG).await });
    until(&running, 1).await;
    let (before, since) = (broker.requests(), Instant::now());
    for _ in 0..20 {
        let calls = (0..100).map(|token: u64| client.call::<u64>("work", token));
        for answer in join_all(calls).await {
            assert_eq!(answer.unwrap_err().kind(), FaultKind::Unavailable);
        }
    }
    let requests = broker.requests() - before;
    // one in ten calls, ten in a second, and those that there was room for from the beginning
    let seconds = usize::try_from(since.elapsed().as_secs()).unwrap();
    let most = 2000 + 200 + 1000 + 10 * (seconds + 1);
    assert!((3000..=most).contains(&requests), "{requests} of {most}");
}
