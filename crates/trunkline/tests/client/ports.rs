//! HTTP and WebSocket against the listener that serves both.

use crate::{
    calls::check,
    support::{accept_websocket, router, service, states},
};
use std::{net::SocketAddr, time::Duration};
use tokio::{io::AsyncReadExt, net::TcpListener};
use trunkline::{
    Client, Headers, JsonRpc, Router, Service, Shutdown,
    client::{ConnectionState, Reconnect},
};
use trunkline_net::http::{Endpoint, Http};

pub(crate) async fn serve(service: Service, change: impl FnOnce(Http) -> Http) -> SocketAddr {
    let http = Http::bind("127.0.0.1:0").await.unwrap().endpoint("/", Endpoint::new(service));
    let http = change(http);
    let address = http.address();
    tokio::spawn(http.run(Shutdown::new()));
    address
}

#[tokio::test]
async fn over_http() {
    let address = serve(service(), |http| http).await;
    check(&Client::connect(format!("http://{address}")).await.unwrap()).await;
}

#[tokio::test]
async fn over_a_websocket() {
    let address = serve(service(), |http| http).await;
    let client = Client::builder(format!("ws://{address}"))
        .router(Router::new().procedure("your.name", async || "Ada"))
        .connect()
        .await
        .unwrap();
    check(&client).await;
    assert_eq!(client.call::<String>("greet", ()).await.unwrap(), "hello Ada");
    assert_eq!(client.server().unwrap().connection().transport(), "websocket");
}

#[tokio::test]
async fn headers_are_sent_along() {
    let router = Router::new().procedure("agent", async |headers: Headers| {
        headers.0.get("x-agent").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    });
    let address = serve(Service::new(router, JsonRpc::default()), |http| http).await;
    for scheme in ["http", "ws"] {
        let client = Client::builder(format!("{scheme}://{address}")).header("x-agent", "Ada");
        let client = client.connect().await.unwrap();
        assert_eq!(client.call::<String>("agent", ()).await.unwrap(), "Ada", "{scheme}");
    }
}

#[tokio::test]
async fn a_path_without_a_websocket_is_declined() {
    let address = serve(Service::new(router(), JsonRpc::default()), |http| http).await;
    let error = Client::connect(format!("ws://{address}/nowhere")).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot agree with ws://{address}/nowhere on a connection"));
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("404"), "{source}");
}

#[tokio::test]
async fn a_silent_websocket_is_pinged_and_then_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (observer, mut seen) = states();
    let client = Client::builder(format!("ws://{}", listener.local_addr().unwrap()))
        .keepalive(Duration::from_millis(20))
        .reconnect(Reconnect::never())
        .on_state(observer)
        .connect_lazy()
        .unwrap();
    let mut server = accept_websocket(&listener).await;
    assert_eq!(server.read_u16().await.unwrap(), 0x8980, "a masked ping without content");
    client.states().wait_for(|state| *state == ConnectionState::Closed).await.unwrap();
    drop(client);
    let mut all = vec![];
    while let Some(state) = seen.recv().await {
        all.push(state.to_string());
    }
    let idle = "disconnected: no sign of life for longer than the limit `idle_timeout`";
    assert_eq!(all, ["connecting", "connected", idle, "closed"]);
}

/// A far side that takes what it is sent and never answers a ping is gone, also
/// while there is much to say to it.
#[tokio::test]
async fn a_dead_websocket_is_given_up_though_we_keep_talking_to_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::builder(format!("ws://{}", listener.local_addr().unwrap()))
        .keepalive(Duration::from_millis(20))
        .reconnect(Reconnect::never())
        .connect_lazy()
        .unwrap();
    let mut server = accept_websocket(&listener).await;
    tokio::spawn(async move { tokio::io::copy(&mut server, &mut tokio::io::sink()).await });
    let mut states = client.states();
    let talk = async {
        while client.notify("log", ()).await.is_ok() {
            tokio::task::yield_now().await;
        }
        std::future::pending::<()>().await
    };
    tokio::select! {
        closed = states.wait_for(|state| *state == ConnectionState::Closed) => drop(closed.unwrap()),
        () = talk => unreachable!(),
    }
}
