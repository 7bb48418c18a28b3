//! How a client ends.

use crate::support::{nobody, service, states};
use std::{sync::Arc, time::Duration};
use tokio::sync::{Notify, mpsc};
use trunkline::{
    Client, FaultKind, Hooks, Limits, Link, Router, Server, client::ConnectionState, serve,
    testing::TestServer,
};

#[tokio::test]
async fn calls_under_way_are_finished() {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let router = Router::new().procedure("slow", {
        let (begun, go_on) = (begun.clone(), go_on.clone());
        move || {
            let (begun, go_on) = (begun.clone(), go_on.clone());
            async move {
                begun.notify_one();
                go_on.notified().await;
                42
            }
        }
    });
    let (observer, mut seen) = states();
    let client = TestServer::new(router).builder().on_state(observer).connect().await.unwrap();
    let calling = tokio::spawn({
        let client = client.clone();
        async move { client.call::<i64>("slow", ()).await }
    });
    begun.notified().await;
    let closing = tokio::spawn({
        let client = client.clone();
        async move { client.close().await }
    });
    // no more calls, from the moment that closing has begun
    while client.server().is_some() {
        tokio::task::yield_now().await;
    }
    let fault = client.call::<i64>("slow", ()).await.unwrap_err();
    assert_eq!((fault.kind(), fault.message()), (FaultKind::Disconnected, "the client is closed"));
    let fault = client.notify("slow", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Disconnected);
    assert!(!closing.is_finished() && !calling.is_finished());
    go_on.notify_one();
    assert_eq!(calling.await.unwrap().unwrap(), 42);
    closing.await.unwrap();
    assert_eq!(client.state(), ConnectionState::Closed);
    client.close().await;
    drop(client);
    let mut all = vec![];
    while let Some(state) = seen.recv().await {
        all.push(state);
    }
    assert_eq!(all, [ConnectionState::Connecting, ConnectionState::Connected, ConnectionState::Closed]);
}

#[tokio::test(start_paused = true)]
async fn calls_that_take_too_long_are_broken_off() {
    let router = Router::new().procedure("stuck", std::future::pending::<()>);
    let limits = Limits::default().drain_timeout(Duration::from_secs(5));
    let client = TestServer::new(router).builder().limits(limits).connect().await.unwrap();
    let calling = tokio::spawn({
        let client = client.clone();
        async move { client.call::<()>("stuck", ()).await }
    });
    tokio::task::yield_now().await;
    client.close().await;
    assert_eq!(calling.await.unwrap().unwrap_err().kind(), FaultKind::Disconnected);
    assert_eq!(client.state(), ConnectionState::Closed);
}

#[tokio::test]
async fn the_last_words_of_a_client_that_is_dropped_arrive() {
    let (heard, mut hearing) = mpsc::unbounded_channel();
    let gone = heard.clone();
    let router = Router::new().procedure("last.words", move |(words,): (String,)| {
        let _ = heard.send(words);
        async {}
    });
    let hooks = Hooks::default().on_disconnect(move |_, _| drop(gone.send("gone".into())));
    let client = TestServer::new(Server::new(router).hooks(hooks)).client();
    let clone = client.clone();
    drop(client);
    clone.notify("last.words", ("goodbye",)).await.unwrap();
    drop(clone);
    assert_eq!(hearing.recv().await.unwrap(), "goodbye");
    assert_eq!(hearing.recv().await.unwrap(), "gone");
}

#[tokio::test]
async fn a_link_that_is_lost_is_not_made_anew() {
    let (observer, mut seen) = states();
    let (here, there) = Link::pair();
    let service = service();
    let peers = service.peers().clone();
    tokio::spawn(async move { serve(there, &service).await });
    let client = Client::over(here).on_state(observer).connect().await.unwrap();
    client.call::<i64>("add", (1, 2)).await.unwrap();
    peers.all()[0].abort();
    let fault = client.call::<i64>("add", (1, 2)).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Disconnected);
    let mut states = client.states();
    states.wait_for(|state| *state == ConnectionState::Closed).await.unwrap();
    assert_eq!(seen.recv().await, Some(ConnectionState::Connecting));
    assert_eq!(seen.recv().await, Some(ConnectionState::Connected));
    assert!(
        matches!(seen.recv().await, Some(ConnectionState::Disconnected { reason }) if !reason.is_empty())
    );
    assert_eq!(seen.recv().await, Some(ConnectionState::Closed));
}

#[tokio::test(start_paused = true)]
async fn silence_does_not_end_a_connection_without_pings() {
    let limits = Limits::default().idle_timeout(Duration::MAX);
    let client = TestServer::new(service().limits(limits)).client();
    tokio::time::sleep(Duration::from_secs(1_000_000)).await;
    assert_eq!(client.call::<i64>("add", (1, 2)).await.unwrap(), 3);
}

#[tokio::test]
async fn a_client_that_has_no_connection_yet_can_be_closed() {
    let client = Client::builder(format!("tcp://{}", nobody().await)).connect_lazy().unwrap();
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.call::<i64>("add", (1, 2)).await }
    });
    client.states().wait_for(|state| matches!(state, ConnectionState::Disconnected { .. })).await.unwrap();
    client.close().await;
    assert_eq!(client.state(), ConnectionState::Closed);
    assert_eq!(waiting.await.unwrap().unwrap_err().message(), "the client is closed");
}
