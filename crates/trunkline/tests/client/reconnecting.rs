//! Connections that are lost, and made anew.

use crate::support::{accept, listen, nobody, service, states, tcp};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, runtime::Runtime, sync::mpsc};
use trunkline::{
    Client, FaultKind, JsonRpc, Router, Service, Shutdown,
    client::{ConnectionState, Reconnect},
    framing::Lines,
};
use trunkline_net::listen::{StreamListener, Streams};

fn quickly() -> Reconnect {
    Reconnect::backoff(Duration::from_millis(1), Duration::from_millis(5))
}

/// A server in a runtime of its own, so that it can be killed.
async fn killable(address: SocketAddr, router: Router) -> (Runtime, SocketAddr) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let bound = runtime.spawn(async move {
        let socket = StreamListener::tcp(address).await.unwrap();
        let address = socket.address().unwrap();
        let service = Service::new(router, JsonRpc::default());
        let streams = Streams::new(socket, service, Arc::new(|_| Box::new(Lines::default())));
        tokio::spawn(streams.run(Shutdown::new()));
        address
    });
    let address = bound.await.unwrap();
    (runtime, address)
}

async fn kill(runtime: Runtime) {
    tokio::task::spawn_blocking(move || drop(runtime)).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_killed_and_restarted() {
    let (begun, mut beginning) = mpsc::unbounded_channel();
    let router = Router::new().procedure("add", |(a, b): (i64, i64)| async move { a + b }).procedure(
        "stuck",
        move || {
            let _ = begun.send(());
            std::future::pending::<()>()
        },
    );
    let (server, address) = killable("127.0.0.1:0".parse().unwrap(), router.clone()).await;
    let (observer, mut seen) = states();
    let client = Client::builder(format!("tcp://{address}"))
        .reconnect(quickly())
        .on_state(observer)
        .connect()
        .await
        .unwrap();
    assert_eq!(client.state(), ConnectionState::Connected);
    assert_eq!(client.call::<i64>("add", (1, 2)).await.unwrap(), 3);

    let stuck = tokio::spawn({
        let client = client.clone();
        async move { client.call::<()>("stuck", ()).await }
    });
    beginning.recv().await.unwrap();
    kill(server).await;
    let fault = stuck.await.unwrap().unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Disconnected);

    // made while there is no server at all
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.call::<i64>("add", (3, 4)).await }
    });
    let notifying = tokio::spawn({
        let client = client.clone();
        async move { client.notify("add", (3, 4)).await }
    });
    client.states().wait_for(|state| matches!(state, ConnectionState::Disconnected { .. })).await.unwrap();
    let (server, _) = killable(address, router).await;
    assert_eq!(waiting.await.unwrap().unwrap(), 7);
    notifying.await.unwrap().unwrap();
    assert_eq!(client.call::<i64>("add", (5, 6)).await.unwrap(), 11);
    assert!(beginning.try_recv().is_err(), "what was in flight is not repeated");

    client.close().await;
    kill(server).await;
    seen.close();
    let mut before = ConnectionState::Connecting;
    assert_eq!(seen.recv().await, Some(before.clone()));
    let mut connected = 0;
    while let Some(state) = seen.recv().await {
        let follows = match (&before, &state) {
            (ConnectionState::Connecting, ConnectionState::Connected) => {
                connected += 1;
                true
            }
            (
                ConnectionState::Connecting | ConnectionState::Connected,
                ConnectionState::Disconnected { reason },
            ) => !reason.is_empty(),
            (ConnectionState::Disconnected { .. }, ConnectionState::Connecting)
            | (ConnectionState::Connected, ConnectionState::Closed) => true,
            _ => false,
        };
        assert!(follows, "{before} was followed by {state}");
        before = state;
    }
    assert_eq!((before, connected), (ConnectionState::Closed, 2));
}

#[tokio::test]
async fn a_client_may_be_there_before_its_server() {
    let address = nobody().await;
    let client = Client::builder(format!("tcp://{address}")).reconnect(quickly()).connect_lazy().unwrap();
    let mut states = client.states();
    let state =
        states.wait_for(|state| matches!(state, ConnectionState::Disconnected { .. })).await.unwrap().clone();
    assert!(state.to_string().contains("is a server listening there?: "), "{state}");
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.batch().call("add", (3, 4))?.send().await?.get::<i64>(0) }
    });
    let socket = StreamListener::tcp(address).await.unwrap();
    crate::support::run(socket, &service());
    assert_eq!(waiting.await.unwrap().unwrap(), 7);
}

#[tokio::test]
async fn a_call_waits_for_a_connection_until_its_deadline() {
    let address = nobody().await;
    let client = Client::builder(format!("tcp://{address}")).reconnect(quickly()).connect_lazy().unwrap();
    client.states().wait_for(|state| matches!(state, ConnectionState::Disconnected { .. })).await.unwrap();
    let fault = client.call::<i64>("add", (1, 2)).timeout(Duration::from_millis(20)).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::DeadlineExceeded);
    assert!(fault.message().contains("before the call could be made"), "{fault}");
}

#[tokio::test]
async fn attempts_can_be_counted() {
    let (observer, mut seen) = states();
    let address = nobody().await;
    let client = Client::builder(format!("tcp://{address}"))
        .reconnect(quickly().attempts(2))
        .on_state(observer)
        .connect_lazy()
        .unwrap();
    let fault = client.call::<i64>("add", (1, 2)).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Disconnected);
    assert!(fault.message().contains("cannot connect to tcp://"), "{fault}");
    let mut attempts = 0;
    loop {
        match seen.recv().await.unwrap() {
            ConnectionState::Connecting => attempts += 1,
            ConnectionState::Closed => break,
            _ => {}
        }
    }
    assert_eq!(attempts, 3, "the first, and two more");
}

#[tokio::test]
async fn a_server_that_hangs_up_again_and_again_costs_pauses() {
    let (listener, address) = listen().await;
    let client = Client::builder(&address).reconnect(quickly()).connect().await.unwrap();
    for _ in 0..5 {
        drop(accept(&listener).await);
    }
    let mut server = accept(&listener).await;
    let calling = tokio::spawn(async move { client.call::<i64>("now", ()).await });
    let id = server.expect_call("now", ()).await;
    server.answer(id, 1).await;
    assert_eq!(calling.await.unwrap().unwrap(), 1);
}

#[tokio::test]
async fn a_client_that_is_dropped_stops_trying() {
    let address = nobody().await;
    let (observer, mut seen) = states();
    let client =
        Client::builder(format!("tcp://{address}")).reconnect(quickly()).on_state(observer).connect_lazy();
    drop(client.unwrap());
    while seen.recv().await.is_some() {}
    // it does not even notice a server that comes now
    let listener = TcpListener::bind(address).await.unwrap();
    let live = Client::connect(format!("tcp://{address}")).await.unwrap();
    accept(&listener).await;
    drop(live);
}

#[tokio::test]
async fn a_waiting_call_goes_to_the_new_connection_even_if_the_old_one_was_broken_off_here() {
    let client = Client::builder(format!("tcp://{}", tcp(&service()).await))
        .reconnect(quickly())
        .connect()
        .await
        .unwrap();
    let before = client.server().unwrap();
    before.abort();
    assert_eq!(client.call::<i64>("add", (1, 2)).await.unwrap(), 3);
    assert_ne!(client.server().unwrap(), before);
}
