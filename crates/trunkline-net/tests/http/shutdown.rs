//! The end: what is under way is answered, what is idle is closed.

use crate::support::{DRAIN, Gate, SUM, SUMMED, background, plain, response, rest, start};
use std::time::Duration;
use tokio::{io::AsyncWriteExt, time::sleep};
use trunkline_core::Limits;
use trunkline_net::{http::Endpoint, ws::WebSocket};

const HEAD: &str = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";

fn request(document: &str) -> String {
    format!("{HEAD}content-length: {}\r\n\r\n{document}", document.len())
}

#[tokio::test]
async fn requests_under_way_are_answered_and_idle_connections_are_closed() {
    let server = plain().await;
    let mut idle = server.connect().await;
    idle.write_all(request(SUM).as_bytes()).await.unwrap();
    assert_eq!(response(&mut idle).await.body, SUMMED);
    let mut fresh = server.connect().await;
    let mut begun = server.connect().await;
    begun.write_all(b"POST / HT").await.unwrap();
    let mut busy = server.connect().await;
    busy.write_all(request(r#"{"jsonrpc":"2.0","id":1,"method":"wait"}"#).as_bytes()).await.unwrap();
    server.gate.reached.notified().await;

    let shutdown = server.shutdown.clone();
    let ending = background(async move { shutdown.run(DRAIN).await });
    assert_eq!(rest(&mut idle).await, "");
    assert_eq!(rest(&mut fresh).await, "");
    assert_eq!(rest(&mut begun).await, "");
    assert!(!ending.is_finished(), "a call is under way");
    server.gate.opened.notify_one();
    let answer = response(&mut busy).await;
    assert_eq!(answer.body, r#"{"jsonrpc":"2.0","id":1,"result":"done"}"#);
    assert_eq!(rest(&mut busy).await, "");
    ending.await.unwrap();
    server.running.await.unwrap();
}

/// It may be on its way when the shutdown begins, and nobody could tell whether it has run. The
/// clock is stopped: it moves on when nobody has anything to do.
#[tokio::test(start_paused = true)]
async fn a_request_that_comes_just_then_is_answered_as_the_last() {
    let server = plain().await;
    let (mut idle, mut fresh) = (server.connect().await, server.connect().await);
    idle.write_all(request(SUM).as_bytes()).await.unwrap();
    assert_eq!(response(&mut idle).await.header("connection"), None);
    let shutdown = server.shutdown.clone();
    let ending = background(async move { shutdown.run(DRAIN).await });
    // all have noticed
    sleep(Duration::from_millis(1)).await;
    for stream in [&mut idle, &mut fresh] {
        stream.write_all(request(SUM).as_bytes()).await.unwrap();
        let answer = response(stream).await;
        assert_eq!((answer.header("connection"), &*answer.body), (Some("close"), SUMMED));
        assert_eq!(rest(stream).await, "");
    }
    ending.await.unwrap();
}

#[tokio::test]
async fn web_sockets_are_told() {
    let server = plain().await;
    let peer = server.peer("/", WebSocket::client()).await;
    let sum: i64 = peer.call("sum", (1, 2)).await.unwrap();
    assert_eq!(sum, 3);
    server.shutdown.run(DRAIN).await;
    peer.closed().await;
    assert!(server.service.peers().is_empty());
}

#[tokio::test]
async fn web_sockets_of_every_service_are_told() {
    let others = crate::support::service(Limits::default(), &Gate::default());
    let server = start(Limits::default(), |http, endpoint| {
        http.endpoint("/", endpoint).endpoint("/other", Endpoint::new(others.clone()))
    })
    .await;
    let peers =
        [server.peer("/", WebSocket::client()).await, server.peer("/other", WebSocket::client()).await];
    for peer in &peers {
        peer.call::<i64>("sum", (1, 2)).await.unwrap();
    }
    assert_eq!((server.service.peers().len(), others.peers().len()), (1, 1));
    server.shutdown.run(DRAIN).await;
    assert_eq!((server.service.peers().len(), others.peers().len()), (0, 0), "all have gone");
    for peer in peers {
        peer.closed().await;
    }
}
