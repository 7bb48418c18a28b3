//! Brokers that are lost, and servers that are killed.

use crate::world::{Handler, LONG, Net, Running, World, gateway, gateway_of, until, work};
use std::time::Duration;
use tokio::{sync::watch, time::Instant};
use trunkline::{FaultKind, Identity, Limits, Router, broker::Memory, handler};

fn ping() -> Router {
    Router::new().procedure("ping", async || "pong")
}

pub(crate) async fn calls_wait_for_a_broker_that_is_lost<W: World>() {
    let mut world = W::own().await;
    let net = world.net();
    let _handler = Handler::start(&net, ping()).await;
    let client = gateway(&net, Router::new().procedure("here", async || 1));
    assert_eq!(client.call::<String>("ping", ()).await.as_deref(), Ok("pong"));
    for _ in 0..2 {
        world.lose().await;
        let calling = client.clone();
        let waiting = tokio::spawn(async move { calling.call::<String>("ping", ()).await });
        assert_eq!(client.call::<u8>("here", ()).await, Ok(1), "what is here needs no broker");
        world.restore().await;
        match waiting.await.unwrap() {
            Err(fault) if !W::IS_MISSED_AT_ONCE => {
                assert!(fault.message().starts_with("the broker was lost before the answer came"), "{fault}");
            }
            answer => assert_eq!(answer.as_deref(), Ok("pong")),
        }
        assert_eq!(client.call::<String>("ping", ()).await.as_deref(), Ok("pong"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_in_vain_says_for_what() {
    let broker = Memory::new();
    let net = Net::on(broker.clone());
    let _handler = Handler::start(&net, ping()).await;
    broker.lose();
    let limits = Limits::default().call_timeout(Duration::from_secs(100));
    let client = gateway_of(net.server(Router::new()).limits(limits), Identity::anonymous());
    let since = Instant::now();
    let fault = client.call::<String>("ping", ()).timeout(LONG).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Unavailable);
    assert_eq!(fault.message(), "the broker of this network cannot be reached");
    assert_eq!(since.elapsed().as_secs(), 90, "before its time is up");
    broker.restore();
    assert_eq!(client.call::<String>("ping", ()).await.as_deref(), Ok("pong"));
}

/// A call that has waited has no more time than it had, also where it runs.
#[tokio::test(start_paused = true)]
async fn the_time_that_a_call_has_waited_is_spent() {
    let broker = Memory::new();
    let (net, running) = (Net::on(broker.clone()), Running::default());
    let go = watch::Sender::new(false);
    let _handler = Handler::start(&net, work(&running, &go)).await;
    broker.lose();
    let limits = Limits::default().call_timeout(Duration::from_secs(100));
    let client = gateway_of(net.server(Router::new()).limits(limits), Identity::anonymous());
    let since = Instant::now();
    let call = tokio::spawn(async move { client.call::<u64>("work", 1).timeout(LONG).await });
    tokio::time::sleep(Duration::from_secs(80)).await;
    broker.restore();
    until(&running, 1).await;
    // nobody tells the handler: the broker is lost again
    broker.lose();
    let fault = call.await.unwrap().unwrap_err();
    assert!(fault.message().starts_with("the broker was lost before the answer came"), "{fault}");
    until(&running, 0).await;
    assert_eq!(since.elapsed().as_secs(), 100);
}

pub(crate) async fn a_call_under_way_ends_when_the_broker_is_lost<W: World>() {
    let mut world = W::own().await;
    let (net, running) = (world.net(), Running::default());
    let go = watch::Sender::new(false);
    let _handler = Handler::start(&net, work(&running, &go)).await;
    let client = gateway(&net, Router::new());
    let calling = client.clone();
    let call = tokio::spawn(async move { calling.call::<u64>("work", 1).timeout(LONG).await });
    until(&running, 1).await;
    world.lose().await;
    let fault = call.await.unwrap().unwrap_err();
    assert!(fault.message().starts_with("the broker was lost before the answer came"), "{fault}");
    world.restore().await;
    go.send_replace(true);
    assert_eq!(client.call::<u64>("work", 2).await, Ok(2));
    until(&running, 0).await;
}

/// Servers are not back at the very moment that their broker is.
#[tokio::test(start_paused = true)]
async fn what_nobody_has_when_the_broker_comes_back_is_waited_for() {
    let broker = Memory::new();
    let net = Net::on(broker.clone());
    let handler = Handler::start(&net, ping()).await;
    let client = gateway(&net, Router::new());
    assert_eq!(client.call::<String>("ping", ()).await.as_deref(), Ok("pong"));
    broker.lose();
    handler.kill().await;
    broker.restore();
    let calling = client.clone();
    let waiting = tokio::spawn(async move { calling.call::<String>("ping", ()).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let handler = Handler::start(&net, ping()).await;
    assert_eq!(waiting.await.unwrap().as_deref(), Ok("pong"));
    handler.kill().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let since = Instant::now();
    assert_eq!(client.call::<String>("ping", ()).await.unwrap_err().kind(), FaultKind::NotFound);
    assert_eq!(since.elapsed(), Duration::ZERO);
}

pub(crate) async fn what_may_have_run_on_a_server_that_was_killed_is_not_run_again<W: World>() {
    let (net, old, new) = (W::any().await.net(), Running::default(), Running::default());
    let go = watch::Sender::new(false);
    let killed = Handler::start(&net, work(&old, &go)).await;
    let client = gateway(&net, Router::new());
    let time = if W::REDELIVERS { LONG } else { Duration::from_secs(2) };
    let call = tokio::spawn(async move { client.call::<u64>("work", 1).timeout(time).await });
    until(&old, 1).await;
    let mut ran = new.subscribe();
    let _other = Handler::start(&net, work(&new, &go)).await;
    killed.kill().await;
    let fault = call.await.unwrap().unwrap_err();
    match W::REDELIVERS {
        true => assert!(fault.message().starts_with("the node that had taken this call is gone"), "{fault}"),
        false => assert_eq!(fault.kind(), FaultKind::DeadlineExceeded, "{fault}"),
    }
    until(&old, 0).await;
    assert!(!ran.has_changed().unwrap() && *ran.borrow_and_update() == 0);
}

pub(crate) async fn what_may_run_twice_is_run_elsewhere<W: World>() {
    let (net, running) = (W::any().await.net(), Running::default());
    let (stuck, go) = (running.clone(), watch::Sender::new(true));
    let may = go.subscribe();
    let stuck = handler(move || {
        let (stuck, mut may) = (stuck.clone(), may.clone());
        async move {
            stuck.send_modify(|count| *count += 1);
            let _ = may.wait_for(|may| *may).await;
            5_u8
        }
    });
    let killed = Handler::start(&net, Router::new().procedure("look", stuck.idempotent())).await;
    // where nothing is delivered again, the caller asks again when a third of the time is over
    let limits = Limits::default().call_timeout(if W::REDELIVERS { LONG } else { Duration::from_secs(6) });
    let client = gateway_of(net.server(Router::new()).limits(limits), Identity::anonymous());
    assert_eq!(client.call::<u8>("look", ()).await, Ok(5));
    go.send_replace(false);
    let call = tokio::spawn(async move { client.call::<u8>("look", ()).timeout(LONG).await });
    until(&running, 2).await;
    let look = handler(async || 7_u8).idempotent();
    let _other = Handler::start(&net, Router::new().procedure("look", look)).await;
    killed.kill().await;
    assert_eq!(call.await.unwrap(), Ok(7));
}
