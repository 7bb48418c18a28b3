//! WebSocket over HTTP/1.1.

use crate::support::{SUM, plain, start};
use trunkline_core::{
    Limits,
    framing::{Lines, Mux},
};
use trunkline_net::ws::WebSocket;

#[tokio::test]
async fn calls_are_answered_and_the_handler_learns_of_the_request() {
    let server = plain().await;
    let peer = server.peer("/?token=1", WebSocket::client()).await;
    let sum: i64 = peer.call("sum", (1, 2)).await.unwrap();
    assert_eq!(sum, 3);
    let who: (String, String, String, String) = peer.call("whoami", ()).await.unwrap();
    assert_eq!(who, ("websocket".into(), "/".into(), "127.0.0.1".into(), String::new()));
    assert_eq!(server.service.peers().len(), 1);
}

#[tokio::test]
async fn messages_may_be_pieces_of_a_stream_of_lines() {
    let server = start(Limits::default(), |http, endpoint| http.endpoint("/", endpoint.lines())).await;
    let peer = server.peer("/", WebSocket::client().carrying(Box::new(Lines::default()))).await;
    let sum: i64 = peer.call("sum", (1, 2)).await.unwrap();
    assert_eq!(sum, 3);
}

#[tokio::test]
async fn messages_may_be_pieces_of_a_mux_stream() {
    let server = start(Limits::default(), |http, endpoint| {
        http.endpoint("/two", endpoint.clone().mux())
            .endpoint("/four", endpoint.mux_with(|| Mux::with_channels(4)))
    })
    .await;
    for path in ["/two", "/four"] {
        let peer = server.peer(path, WebSocket::client().binary().carrying(Box::new(Mux::default()))).await;
        let sum: i64 = peer.call("sum", (1, 2)).await.unwrap();
        assert_eq!(sum, 3, "{path}");
    }
}

#[tokio::test]
async fn a_subprotocol_is_agreed_on_if_it_is_known() {
    let server =
        start(Limits::default(), |http, endpoint| http.endpoint("/", endpoint.subprotocols(["jsonrpc"])))
            .await;
    for (offered, chosen) in [("jsonrpc", Some("jsonrpc")), ("x, jsonrpc", Some("jsonrpc")), ("x", None)] {
        let head = format!("/ HTTP/1.1\nhost: localhost\nsec-websocket-protocol: {offered}");
        let answer = server.upgrade(&head).await;
        assert_eq!((answer.status, answer.header("sec-websocket-protocol")), (101, chosen), "{offered}");
    }
}

#[tokio::test]
async fn an_endpoint_may_have_one_of_both_only() {
    let server = start(Limits::default(), |http, endpoint| {
        http.endpoint("/post", endpoint.clone().only_post()).endpoint("/ws", endpoint.only_websocket())
    })
    .await;
    assert_eq!(server.upgrade("/post HTTP/1.1\nhost: localhost").await.status, 405);
    let answer = server.post("/ws", SUM).await;
    assert_eq!((answer.status, answer.header("upgrade")), (426, Some("websocket")), "{answer:?}");
    assert_eq!(server.upgrade("/ws HTTP/1.1\nhost: localhost").await.status, 101);
}

#[tokio::test]
async fn a_wrong_handshake_is_told_what_is_wrong() {
    let server = plain().await;
    let head = "GET /\nhost: localhost\nupgrade: websocket\nsec-websocket-version: 12";
    let answer = server.ask(head, "").await;
    assert_eq!(answer.status, 426, "{answer:?}");
}

#[tokio::test]
async fn web_sockets_count_as_connections() {
    let limits = Limits::default().max_connections(1);
    let server = start(limits, |http, endpoint| http.endpoint("/", endpoint)).await;
    let peer = server.peer("/", WebSocket::client()).await;
    let sum: i64 = peer.call("sum", (1, 2)).await.unwrap();
    assert_eq!(sum, 3);
    assert_eq!(server.raw(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").await, "");
}
