//! WebSocket over HTTP/1.1.

use crate::support::{Answer, HANDSHAKE, SUM, SUMMED, head_of, plain, start};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
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

/// T14: compression is not agreed on, and a frame that has it all the same ends
/// the connection.
#[tokio::test]
async fn compression_is_offered_in_vain() {
    let server = plain().await;
    let mut stream = server.connect().await;
    let offer = "sec-websocket-extensions: permessage-deflate; client_max_window_bits\n";
    let request = format!("GET / HTTP/1.1\nhost: localhost\n{offer}{HANDSHAKE}\n").replace('\n', "\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = Answer::parse(&String::from_utf8(head_of(&mut stream).await).unwrap());
    assert_eq!((answer.status, answer.header("sec-websocket-extensions")), (101, None));
    let call = |first: u8| {
        let len = u8::try_from(SUM.len()).unwrap();
        // the key is zero, so that masking changes nothing
        [&[first, 0x80 | len, 0, 0, 0, 0], SUM.as_bytes()].concat()
    };
    stream.write_all(&call(0x81)).await.unwrap();
    let mut answered = vec![0; 2 + SUMMED.len()];
    stream.read_exact(&mut answered).await.unwrap();
    assert_eq!(&answered[2..], SUMMED.as_bytes());
    // RSV1 says that the message is compressed
    stream.write_all(&call(0x81 | 0x40)).await.unwrap();
    let mut closed = Vec::new();
    stream.read_to_end(&mut closed).await.unwrap();
    assert_eq!(closed, [0x88, 2, 0x03, 0xea], "closed with 1002, and nothing was run");
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
