//! Calls, notifications and batches, over every stream there is.

use crate::support::{router, service, tcp, tcp_with_content_length};
use futures_util::future::join_all;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::mpsc;
use trunkline::{
    Client, Fault, FaultKind, Limits, Link, Router, client::Answers, serve, testing::TestServer,
};
use trunkline_net::listen::StreamListener;

/// What must work over every transport.
pub(crate) async fn check(client: &Client) {
    let sum: i64 = client.call("add", (2, 3)).await.unwrap();
    assert_eq!(sum, 5);
    let value = json!({"a": [1, "ü"]});
    assert_eq!(client.call::<serde_json::Value>("echo", &value).await.unwrap(), value);
    let fault = client.call::<()>("refuse", ()).await.unwrap_err();
    assert_eq!((fault.kind(), fault.code(), fault.message()), (FaultKind::Failed, Some(7), "no"));
    let fault = client.call::<()>("nowhere", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::NotFound);
    let fault = client.call::<String>("add", (2, 3)).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::InvalidReply);
    assert!(fault.message().contains("expected type"), "{fault}");
    let fault = client.call::<()>("add", std::collections::HashMap::from([((1, 2), 3)])).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::InvalidArgs);
    check_batch(
        &client
            .batch()
            .call("add", (1, 2))
            .unwrap()
            .notify("add", (0, 0))
            .unwrap()
            .call("refuse", ())
            .unwrap()
            .call("add", (3, 4))
            .unwrap()
            .send()
            .await
            .unwrap(),
    );
}

fn check_batch(answers: &Answers) {
    assert_eq!(answers.len(), 3);
    assert_eq!(answers.get::<i64>(0).unwrap(), 3);
    assert_eq!(answers[1].as_ref().unwrap_err().code(), Some(7));
    assert_eq!(answers.get::<i64>(2).unwrap(), 7);
    assert_eq!(answers.get::<String>(2).unwrap_err().kind(), FaultKind::InvalidReply);
}

#[tokio::test]
async fn over_tcp() {
    let client = Client::connect(format!("tcp://{}", tcp(&service()).await)).await.unwrap();
    check(&client).await;
    assert_eq!(client.server().unwrap().connection().transport(), "tcp");
}

#[tokio::test]
async fn over_tcp_with_content_length() {
    let address = format!("tcp://{}", tcp_with_content_length(&service()).await);
    check(&Client::builder(address).content_length().connect().await.unwrap()).await;
}

#[tokio::test]
async fn over_a_unix_socket() {
    let path = std::env::temp_dir().join(format!("trunkline-client-{}.socket", std::process::id()));
    crate::support::run(StreamListener::unix(&path).await.unwrap(), &service());
    check(&Client::connect(format!("unix:{}", path.display())).await.unwrap()).await;
    check(&Client::connect(format!("unix://{}", path.display())).await.unwrap()).await;
}

#[tokio::test]
async fn in_this_process() {
    let (here, there) = Link::pair();
    tokio::spawn(async move { serve(there, &service()).await });
    check(&Client::over(here).connect().await.unwrap()).await;
    let server = TestServer::new(router());
    check(&server.client()).await;
    check(&server.builder().connect().await.unwrap()).await;
    check(&server.websocket().connect().await.unwrap()).await;
    check(&server.http().connect().await.unwrap()).await;
}

#[tokio::test]
async fn thousands_at_once_on_one_connection() {
    let client = Client::connect(format!("tcp://{}", tcp(&service()).await)).await.unwrap();
    let calls = (0..5_000_i64).map(|n| {
        let client = client.clone();
        tokio::spawn(async move { client.call::<i64>("add", (n, 1)).await })
    });
    for (n, sum) in (0..).zip(join_all(calls).await) {
        assert_eq!(sum.unwrap().unwrap(), n + 1_i64);
    }
}

#[tokio::test]
async fn the_server_calls_the_client() {
    let client = Client::builder(format!("tcp://{}", tcp(&service()).await))
        .router(Router::new().procedure("your.name", async || "Ada"))
        .connect()
        .await
        .unwrap();
    assert_eq!(client.call::<String>("greet", ()).await.unwrap(), "hello Ada");
}

#[tokio::test]
async fn a_client_that_serves_nothing_says_so() {
    let client = TestServer::new(router()).client();
    let fault = client.call::<String>("greet", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::NotFound);
}

#[tokio::test]
async fn notifications_arrive_in_order() {
    let (heard, mut hearing) = mpsc::unbounded_channel();
    let router = Router::new().procedure("note", move |(n,): (u32,)| {
        let sent = heard.send(n);
        async move { sent.map_err(|_| Fault::from("nobody listens")) }
    });
    let client = TestServer::new(router).client();
    for n in 0..100 {
        client.notify("note", (n,)).await.unwrap();
    }
    for n in 0..100 {
        assert_eq!(hearing.recv().await, Some(n));
    }
}

#[tokio::test]
async fn batches_without_calls() {
    let client = TestServer::new(router()).client();
    assert!(client.batch().send().await.unwrap().is_empty());
    let answers = client.batch().notify("add", (1, 2)).unwrap().send().await.unwrap();
    assert!(answers.is_empty());
    assert_eq!(client.call::<i64>("add", (1, 1)).await.unwrap(), 2);
}

#[tokio::test]
async fn a_batch_over_the_limit_is_not_sent() {
    let client =
        TestServer::new(router()).builder().limits(Limits::default().max_batch(1)).connect().await.unwrap();
    let batch = client.batch().call("add", (1, 2)).unwrap().call("add", (1, 2)).unwrap();
    let fault = batch.send().await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::RequestTooLarge);
    assert!(fault.message().contains("`max_batch`"));
}

#[tokio::test]
async fn the_futures_of_calls_may_move_between_threads() {
    fn movable<F: Future + Send>(future: F) -> F {
        future
    }
    let client = Arc::new(TestServer::new(router()).client());
    movable(client.notify("add", vec![1, 2])).await.unwrap();
    let sum: i64 = movable(client.call("add", &[1, 2])).await.unwrap();
    assert_eq!(sum, 3);
    movable(client.batch().call("add", (1, 2)).unwrap().send()).await.unwrap();
    movable(client.close()).await;
}
