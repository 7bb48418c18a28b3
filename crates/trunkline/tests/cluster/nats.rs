//! Servers that are joined by a NATS server of each test's own.

#[path = "../../../trunkline-net/tests/brokers/nats/server.rs"]
mod server;

use self::server::Server as NatsServer;
use crate::world::{LONG, Running, gateway_of, until, work};
use std::sync::{Arc, Mutex};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};
use trunkline::{Client, FaultKind, Identity, Limits, Router, Server, broker::Nats};

fn joined(nats: &NatsServer, router: Router) -> Server {
    let limits = Limits::default().call_timeout(LONG).drain_timeout(LONG);
    Server::new(router).limits(limits).broker(Nats::new(&nats.uri()).unwrap())
}

fn gateway(nats: &NatsServer) -> Client {
    gateway_of(joined(nats, Router::new()), Identity::anonymous())
}

/// A server that has `router`, from now on, and how to stop it.
async fn serve(nats: &NatsServer, router: Router) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let sign = format!("sign.{:016x}", rand::random::<u64>());
    let bound = joined(nats, router.procedure(&sign, async || ())).bind().await.unwrap();
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(bound.serve_until(stopped));
    let asks = gateway(nats);
    while let Err(fault) = asks.call::<()>(&sign, ()).await {
        assert_eq!(fault.kind(), FaultKind::NotFound, "{fault}");
    }
    (stop, served)
}

#[tokio::test]
async fn each_call_runs_once_also_while_servers_are_replaced() {
    let (nats, ran) = (NatsServer::start(&[]), Arc::new(Mutex::new(Vec::new())));
    let router = || {
        let ran = ran.clone();
        Router::new().procedure("work", move |token: u64| {
            ran.lock().unwrap().push(token);
            async move {
                tokio::task::yield_now().await;
                token
            }
        })
    };
    let _staying = serve(&nats, router()).await;
    let (client, mut calls) = (gateway(&nats), Vec::new());
    for round in 0..5 {
        let (stop, served) = serve(&nats, router()).await;
        for number in 0..200 {
            let (client, token) = (client.clone(), round * 200 + number);
            calls.push(tokio::spawn(async move { client.call::<u64>("work", token).await }));
            if number == 100 {
                tokio::task::yield_now().await;
            }
        }
        stop.send(()).unwrap();
        served.await.unwrap();
    }
    for (token, call) in (0..).zip(calls) {
        assert_eq!(call.await.unwrap(), Ok(token));
    }
    let mut ran = ran.lock().unwrap().clone();
    ran.sort_unstable();
    assert_eq!(ran, (0..1000).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_nobody_has_does_not_exist_and_that_is_said_at_once() {
    let nats = NatsServer::start(&[]);
    let fault = gateway(&nats).call::<()>("no such * > thing", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::NotFound);
}

#[tokio::test]
async fn a_call_that_its_client_gives_up_ends_where_it_runs() {
    let (nats, running) = (NatsServer::start(&[]), Running::default());
    let go = watch::Sender::new(false);
    let _handler = serve(&nats, work(&running, &go)).await;
    let client = gateway(&nats);
    let call = tokio::spawn(async move { client.call::<u64>("work", 1).timeout(LONG).await });
    until(&running, 1).await;
    call.abort();
    until(&running, 0).await;
}

#[tokio::test]
async fn a_call_under_way_ends_when_nats_is_killed_and_the_next_waits_for_its_return() {
    let (mut nats, running) = (NatsServer::start(&[]), Running::default());
    let go = watch::Sender::new(false);
    let _handler = serve(&nats, work(&running, &go)).await;
    let client = gateway(&nats);
    let calling = client.clone();
    let call = tokio::spawn(async move { calling.call::<u64>("work", 1).timeout(LONG).await });
    until(&running, 1).await;
    nats.kill();
    let fault = call.await.unwrap().unwrap_err();
    assert!(fault.message().starts_with("the broker was lost before the answer came"), "{fault}");
    let calling = client.clone();
    let waiting = tokio::spawn(async move { calling.call::<u64>("work", 2).timeout(LONG).await });
    go.send_replace(true);
    nats.restart();
    // of two that come back, one is first: whoever asks may find that nobody is there yet
    match waiting.await.unwrap() {
        Ok(answer) => assert_eq!(answer, 2),
        Err(fault) => assert_eq!(fault.kind(), FaultKind::NotFound),
    }
    while let Err(fault) = client.call::<u64>("work", 3).await {
        assert_eq!(fault.kind(), FaultKind::NotFound);
    }
}

#[tokio::test]
async fn a_server_that_hangs_for_a_moment_delays_calls_and_no_more() {
    let nats = NatsServer::start(&[]);
    let _handler = serve(&nats, Router::new().procedure("ping", async || "pong")).await;
    let client = gateway(&nats);
    assert_eq!(client.call::<String>("ping", ()).await.as_deref(), Ok("pong"));
    nats.stop();
    let call = tokio::spawn(async move { client.call::<String>("ping", ()).await });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!call.is_finished());
    nats.resume();
    assert_eq!(call.await.unwrap().as_deref(), Ok("pong"));
}

#[tokio::test]
async fn what_is_over_the_bound_of_the_server_is_refused() {
    let nats = NatsServer::start(&[]);
    let large = || Router::new().procedure("large", async |size: usize| "x".repeat(size));
    let _handler = serve(&nats, large()).await;
    let client = gateway(&nats);
    assert_eq!(client.call::<String>("large", 1 << 19).await.unwrap().len(), 1 << 19);
    let fault = client.call::<String>("large", 2 << 20).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::ReplyTooLarge);
    let fault = client.call::<String>("large", "x".repeat(3 << 19)).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::RequestTooLarge, "{fault}");
}
