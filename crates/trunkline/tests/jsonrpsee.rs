//! jsonrpsee's own client against a trunkline server: calls, batches, subscriptions.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use futures_util::stream;
use jsonrpsee::{
    core::{
        client::{ClientT, Subscription, SubscriptionClientT},
        params::BatchRequestBuilder,
    },
    http_client::HttpClient,
    rpc_params,
    ws_client::WsClientBuilder,
};
use std::net::SocketAddr;
use tokio::sync::mpsc;
use trunkline::{Fault, Router, Server, handler};

/// A server, and what is told when a stream of it is dropped.
async fn serve() -> (SocketAddr, mpsc::UnboundedReceiver<()>) {
    struct Tells(mpsc::UnboundedSender<()>);
    impl Drop for Tells {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let (dropped, seen) = mpsc::unbounded_channel();
    let count = move |(to,): (u64,)| {
        let tells = Tells(dropped.clone());
        async move {
            use futures_util::StreamExt;
            stream::iter(1..=to).chain(stream::pending()).inspect(move |_| {
                let _ = &tells;
            })
        }
    };
    let breaks = async || stream::iter([Ok(1), Err(Fault::from("broken"))]);
    let router = Router::new()
        .procedure("add", async |(a, b): (i64, i64)| a + b)
        .procedure("fails", async || Err::<(), _>(Fault::from("no").with_code(4001)))
        .procedure("breaks", breaks)
        .procedure("subscribe_count", handler(count).subscription("count", "unsubscribe_count"));
    let server = Server::new(router).http("127.0.0.1:0").bind().await.unwrap();
    let address = server.addresses()[0];
    tokio::spawn(server.serve());
    (address, seen)
}

async fn calls(client: &impl ClientT) {
    assert_eq!(client.request::<i64, _>("add", rpc_params![2, 3]).await.unwrap(), 5);
    let error = client.request::<(), _>("fails", rpc_params![]).await.unwrap_err();
    assert!(error.to_string().contains("4001"), "{error}");
    let mut batch = BatchRequestBuilder::new();
    batch.insert("add", rpc_params![1, 1]).unwrap();
    batch.insert("fails", rpc_params![]).unwrap();
    batch.insert("add", rpc_params![2, 2]).unwrap();
    let answers = client.batch_request::<i64>(batch).await.unwrap();
    let answers: Vec<_> = answers.into_iter().map(|answer| answer.ok()).collect();
    assert_eq!(answers, [Some(2), None, Some(4)]);
}

#[tokio::test]
async fn it_calls_over_http() {
    let (address, _) = serve().await;
    calls(&HttpClient::builder().build(format!("http://{address}")).unwrap()).await;
}

#[tokio::test]
async fn it_calls_over_a_websocket() {
    let (address, _) = serve().await;
    calls(&WsClientBuilder::new().build(format!("ws://{address}")).await.unwrap()).await;
}

#[tokio::test]
async fn it_subscribes_and_unsubscribes() {
    let (address, mut dropped) = serve().await;
    let client = WsClientBuilder::new().build(format!("ws://{address}")).await.unwrap();
    let mut items: Subscription<u64> =
        client.subscribe("subscribe_count", rpc_params![3], "unsubscribe_count").await.unwrap();
    for n in 1..=3 {
        assert_eq!(items.next().await.unwrap().unwrap(), n);
    }
    items.unsubscribe().await.unwrap();
    dropped.recv().await.unwrap();

    let items: Subscription<u64> =
        client.subscribe("subscribe_count", rpc_params![1], "rpc.unsubscribe").await.unwrap();
    drop(items);
    dropped.recv().await.unwrap();
}

#[tokio::test]
async fn it_hears_that_a_stream_breaks_off() {
    let (address, _) = serve().await;
    let client = WsClientBuilder::new().build(format!("ws://{address}")).await.unwrap();
    let mut items: Subscription<u64> =
        client.subscribe("breaks", rpc_params![], "rpc.unsubscribe").await.unwrap();
    assert_eq!(items.next().await.unwrap().unwrap(), 1);
    assert!(items.next().await.is_none(), "an error is the end for it");
}
