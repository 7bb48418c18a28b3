//! HTTP/2 with prior knowledge, and WebSocket over it (RFC 8441).

use crate::support::{DRAIN, SUM, SUMMED, Server, background, drive, plain, start};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client::conn::http2::{self, SendRequest},
    ext::Protocol,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::time::Duration;
use tokio::time::Instant;
use trunkline_core::{Connection, Limits};
use trunkline_net::{Link, Peer, ws::WebSocket};

type Sender = SendRequest<Full<Bytes>>;

async fn connect(server: &Server) -> Sender {
    let io = TokioIo::new(server.connect().await);
    let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn post(document: &str) -> Request<Full<Bytes>> {
    Request::post("http://localhost/")
        .header("content-type", "application/json")
        .body(Full::new(document.to_owned().into()))
        .unwrap()
}

async fn text(response: Response<Incoming>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn calls_of_one_connection_run_at_the_same_time() {
    let server = plain().await;
    let mut sender = connect(&server).await;
    let waiting = background(sender.send_request(post(r#"{"jsonrpc":"2.0","id":7,"method":"wait"}"#)));
    server.gate.reached.notified().await;
    let answer = sender.send_request(post(SUM)).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(text(answer).await, SUMMED);
    server.gate.opened.notify_one();
    let answer = waiting.await.unwrap().unwrap();
    assert_eq!(text(answer).await, r#"{"jsonrpc":"2.0","id":7,"result":"done"}"#);
}

#[tokio::test]
async fn the_rules_are_those_of_http_1() {
    let server =
        start(Limits::default().max_message(100), |http, endpoint| http.endpoint("/", endpoint)).await;
    let mut sender = connect(&server).await;
    let request = |method: &str, uri: &str, content_type: &str, body: String| {
        let request = Request::builder().method(method).uri(uri).header("content-type", content_type);
        request.body(Full::new(Bytes::from(body))).unwrap()
    };
    let json = "application/json";
    let encoded = |mut request: Request<Full<Bytes>>| {
        request.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
        request
    };
    for (request, status) in [
        (request("POST", "http://localhost/", json, SUM.to_owned()), 200),
        (request("POST", "http://localhost/", json, "x".repeat(101)), 413),
        (request("POST", "http://localhost/", "text/plain", SUM.to_owned()), 415),
        (encoded(request("POST", "http://localhost/", json, SUM.to_owned())), 415),
        (request("PUT", "http://localhost/", json, SUM.to_owned()), 405),
        (request("POST", "http://localhost/other", json, SUM.to_owned()), 404),
        (request("POST", "http://evil.example/", json, SUM.to_owned()), 403),
        (request("GET", "http://localhost/health", json, String::new()), 200),
    ] {
        let what = format!("{request:?}");
        assert_eq!(sender.send_request(request).await.unwrap().status(), status, "{what}");
    }
}

/// Opens a WebSocket on a stream of an HTTP/2 connection.
async fn open(sender: &mut Sender, origin: Option<&str>) -> Result<Peer, u16> {
    let mut request = Request::connect("http://localhost/").header("sec-websocket-version", "13");
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    let mut request = request.body(Full::default()).unwrap();
    request.extensions_mut().insert(Protocol::from_static("websocket"));
    let mut response = sender.send_request(request).await.unwrap();
    if response.status() != 200 {
        return Err(response.status().as_u16());
    }
    let io = TokioIo::new(hyper::upgrade::on(&mut response).await.unwrap());
    Ok(drive(Link::new(io, WebSocket::client(), Connection::new("websocket", "jsonrpc"))))
}

#[tokio::test]
async fn web_sockets_share_a_connection_with_calls() {
    let server = plain().await;
    let mut sender = connect(&server).await;
    let peers = [open(&mut sender, None).await.unwrap(), open(&mut sender, None).await.unwrap()];
    for peer in &peers {
        let sum: i64 = peer.call("sum", (1, 2)).await.unwrap();
        assert_eq!(sum, 3);
    }
    assert_eq!(text(sender.send_request(post(SUM)).await.unwrap()).await, SUMMED);
    assert_eq!(server.service.peers().len(), 2);
    server.shutdown.run(DRAIN).await;
    for peer in peers {
        peer.closed().await;
    }
}

#[tokio::test]
async fn pages_of_other_origins_get_no_web_socket() {
    let server = plain().await;
    let mut sender = connect(&server).await;
    assert_eq!(open(&mut sender, Some("http://evil.example")).await.err(), Some(403));
    assert!(open(&mut sender, Some("http://localhost")).await.is_ok());
}

#[tokio::test]
async fn other_protocols_than_web_socket_are_not_spoken() {
    let server = start(Limits::default(), |http, endpoint| {
        http.endpoint("/", endpoint.clone())
            .endpoint("/post", endpoint.clone().only_post())
            .endpoint("/ws", endpoint.only_websocket())
    })
    .await;
    let mut sender = connect(&server).await;
    // the server says in its settings that it knows extended CONNECT, and they must have come
    assert_eq!(text(sender.send_request(post(SUM)).await.unwrap()).await, SUMMED);
    for (protocol, path, status) in [
        ("connect-udp", "/", 501),
        ("connect-udp", "/post", 501),
        ("connect-udp", "/ws", 501),
        ("connect-udp", "/nothing", 404),
        ("websocket", "/post", 405),
        ("websocket", "/ws", 200),
    ] {
        let request = Request::connect(format!("http://localhost{path}"));
        let request = request.header("sec-websocket-version", "13");
        let mut request = request.body(Full::default()).unwrap();
        request.extensions_mut().insert(Protocol::from_static(protocol));
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.status(), status, "{protocol} at {path}");
    }
}

#[tokio::test]
async fn web_sockets_of_a_connection_are_counted() {
    let limits = Limits::default().max_connections(1);
    let server = start(limits, |http, endpoint| http.endpoint("/", endpoint)).await;
    let mut sender = connect(&server).await;
    let first = open(&mut sender, None).await.unwrap();
    assert_eq!(open(&mut sender, None).await.err(), Some(503));
    drop(first);
}

#[tokio::test]
async fn shutting_down_finishes_what_is_under_way() {
    let server = plain().await;
    let mut sender = connect(&server).await;
    let waiting = background(sender.send_request(post(r#"{"jsonrpc":"2.0","id":7,"method":"wait"}"#)));
    server.gate.reached.notified().await;
    let shutdown = server.shutdown.clone();
    let ending = background(async move { shutdown.run(DRAIN).await });
    server.shutdown.begun().await;
    server.gate.opened.notify_one();
    assert!(text(waiting.await.unwrap().unwrap()).await.contains("done"));
    ending.await.unwrap();
    assert!(sender.ready().await.is_err(), "the connection is closed");
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    // a stopped clock does not wait for the answers to pings
    let limits = Limits::default()
        .idle_timeout(Duration::from_secs(100))
        .call_timeout(Duration::from_secs(500))
        .stall_timeout(Duration::from_secs(100_000));
    let server = start(limits, |http, endpoint| http.endpoint("/", endpoint)).await;
    let mut sender = connect(&server).await;
    let waiting = sender.send_request(post(r#"{"jsonrpc":"2.0","id":7,"method":"wait"}"#));
    assert!(text(waiting.await.unwrap()).await.contains("Deadline exceeded"), "after 500 s, not 100");
    let since = Instant::now();
    while sender.ready().await.is_ok() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let elapsed = since.elapsed().as_secs();
    assert!((99..=103).contains(&elapsed), "closed after {elapsed} s");
}
