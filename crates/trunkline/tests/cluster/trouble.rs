//! Brokers that are lost, and servers that are killed.

use crate::world::{Handler, Joins, LONG, Running, gateway, gateway_of, on_each_broker, until, work};
use std::time::Duration;
use tokio::{sync::watch, time::Instant};
use trunkline::{FaultKind, Identity, Limits, Router, Server, broker::Memory, handler};

on_each_broker! {
    what_may_have_run_on_a_server_that_was_killed_is_not_run_again,
    what_may_run_twice_is_run_elsewhere,
}

fn ping() -> Router {
    Router::new().procedure("ping", async || "pong")
}

#[tokio::test(start_paused = true)]
async fn calls_wait_for_a_broker_that_is_lost() {
    let broker = Memory::new();
    let _handler = Handler::start(&broker, ping()).await;
    let client = gateway(&broker, Router::new().procedure("here", async || 1));
    assert_eq!(client.call::<String>("ping", ()).await.as_deref(), Ok("pong"));
    broker.lose();
    let calling = client.clone();
    let waiting = tokio::spawn(async move { calling.call::<String>("ping", ()).await });
    assert_eq!(client.call::<u8>("here", ()).await, Ok(1), "what is here needs no broker");
    assert!(!waiting.is_finished());
    broker.restore();
    assert_eq!(waiting.await.unwrap().as_deref(), Ok("pong"));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_in_vain_says_for_what() {
    let broker = Memory::new();
    broker.lose();
    let _handler = Handler::start(&broker, ping()).await;
    let limits = Limits::default().call_timeout(Duration::from_secs(100));
    let server = Server::new(Router::new()).limits(limits).broker(broker.clone());
    let client = gateway_of(server, Identity::anonymous());
    let since = Instant::now();
    let fault = client.call::<String>("ping", ()).timeout(LONG).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Unavailable);
    assert_eq!(fault.message(), "the broker of this network cannot be reached");
    assert_eq!(since.elapsed().as_secs(), 90, "before its time is up");
    broker.restore();
    assert_eq!(client.call::<String>("ping", ()).await.as_deref(), Ok("pong"));
}

#[tokio::test(start_paused = true)]
async fn a_call_under_way_ends_when_the_broker_is_lost() {
    let (broker, running) = (Memory::new(), Running::default());
    let go = watch::Sender::new(false);
    let _handler = Handler::start(&broker, work(&running, &go)).await;
    let client = gateway(&broker, Router::new());
    let calling = client.clone();
    let call = tokio::spawn(async move { calling.call::<u64>("work", 1).timeout(LONG).await });
    until(&running, 1).await;
    let since = Instant::now();
    broker.lose();
    let fault = call.await.unwrap().unwrap_err();
    assert!(fault.message().starts_with("the broker was lost before the answer came"), "{fault}");
    assert_eq!(since.elapsed(), Duration::ZERO);
    broker.restore();
    go.send_replace(true);
    assert_eq!(client.call::<u64>("work", 2).await, Ok(2));
    until(&running, 0).await;
}

async fn what_may_have_run_on_a_server_that_was_killed_is_not_run_again(broker: impl Joins) {
    let (old, new) = (Running::default(), Running::default());
    let go = watch::Sender::new(false);
    let killed = Handler::start(&broker, work(&old, &go)).await;
    let client = gateway(&broker, Router::new());
    let call = tokio::spawn(async move { client.call::<u64>("work", 1).timeout(LONG).await });
    until(&old, 1).await;
    let mut ran = new.subscribe();
    let _other = Handler::start(&broker, work(&new, &go)).await;
    let since = Instant::now();
    killed.kill().await;
    let fault = call.await.unwrap().unwrap_err();
    assert!(fault.message().starts_with("the node that had taken this call is gone"), "{fault}");
    assert!(since.elapsed() < LONG, "not by its deadline");
    until(&old, 0).await;
    assert!(!ran.has_changed().unwrap() && *ran.borrow_and_update() == 0);
}

async fn what_may_run_twice_is_run_elsewhere(broker: impl Joins) {
    let running = Running::default();
    let stuck = running.clone();
    let stuck = handler(move || {
        stuck.send_modify(|count| *count += 1);
        std::future::pending::<u8>()
    });
    let killed = Handler::start(&broker, Router::new().procedure("look", stuck.idempotent())).await;
    let client = gateway(&broker, Router::new());
    let call = tokio::spawn(async move { client.call::<u8>("look", ()).timeout(LONG).await });
    until(&running, 1).await;
    let look = handler(async || 7_u8).idempotent();
    let _other = Handler::start(&broker, Router::new().procedure("look", look)).await;
    killed.kill().await;
    assert_eq!(call.await.unwrap(), Ok(7));
}
