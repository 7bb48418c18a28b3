//! The handshake, alone and end to end.

use super::*;
use http::{Method, Request, StatusCode, header, request::Builder};
use hyper::{ext::Protocol, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use trunkline_core::Limits;

const NONE: [&str; 0] = [];

/// The request of RFC 6455, section 1.3.
fn request() -> Builder {
    Request::get("/chat")
        .header("Host", "server.example.com")
        .header("Upgrade", "websocket")
        .header("Connection", "Upgrade")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Sec-WebSocket-Protocol", "chat, superchat")
        .header("Sec-WebSocket-Version", "13")
}

/// That request with one header changed, or taken away.
fn with(name: &'static str, value: &'static str) -> Request<()> {
    let mut request = request().body(()).unwrap();
    request.headers_mut().remove(name);
    if !value.is_empty() {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request
}

#[test]
fn the_handshake_of_the_rfc_is_accepted() {
    let response = accept(&request().body(()).unwrap(), &["superchat"]).unwrap();
    assert_eq!(response.status(), 101);
    assert_eq!(response.headers()["upgrade"], "websocket");
    assert_eq!(response.headers()["connection"], "Upgrade");
    assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(response.headers()["sec-websocket-protocol"], "superchat");
}

#[test]
fn the_first_subprotocol_of_the_client_that_is_allowed_is_chosen() {
    let mut request = request().body(()).unwrap();
    request.headers_mut().append("sec-websocket-protocol", "third".parse().unwrap());
    for (allowed, chosen) in [
        (&["superchat", "chat"][..], Some("chat")),
        (&["third"], Some("third")),
        (&["CHAT"], None),
        (&[], None),
    ] {
        let response = accept(&request, allowed).unwrap();
        let value = response.headers().get("sec-websocket-protocol").map(|value| value.to_str().unwrap());
        assert_eq!(value, chosen, "{allowed:?}");
    }
}

#[test]
fn headers_are_read_as_lists_in_any_case() {
    assert!(accept(&with("connection", "keep-alive , upgRADE"), &NONE).is_ok());
    assert!(accept(&with("upgrade", "h2c, WebSocket"), &NONE).is_ok());
}

#[test]
fn what_is_no_handshake_is_refused() {
    for (name, value, refusal) in [
        ("upgrade", "", Refusal::NotRequested),
        ("upgrade", "websockets", Refusal::NotRequested),
        ("connection", "", Refusal::NotRequested),
        ("connection", "keep-alive", Refusal::NotRequested),
        ("sec-websocket-version", "", Refusal::Version),
        ("sec-websocket-version", "8", Refusal::Version),
        ("sec-websocket-key", "", Refusal::Key),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ", Refusal::Key),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25j", Refusal::Key),
        ("sec-websocket-key", "not base64 at all, is it", Refusal::Key),
    ] {
        assert_eq!(accept(&with(name, value), &NONE).unwrap_err(), refusal, "{name}: {value}");
    }
    let post = request().method(Method::POST).body(()).unwrap();
    assert_eq!(accept(&post, &NONE).unwrap_err(), Refusal::Method);
    let old = request().version(http::Version::HTTP_10).body(()).unwrap();
    assert_eq!(accept(&old, &NONE).unwrap_err(), Refusal::NotRequested);
    let twice = request().header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==").body(()).unwrap();
    assert_eq!(accept(&twice, &NONE).unwrap_err(), Refusal::Key);
}

#[test]
fn a_refusal_says_what_would_do() {
    let response = Refusal::Version.response();
    assert_eq!(response.status(), StatusCode::UPGRADE_REQUIRED);
    assert_eq!(response.headers()["sec-websocket-version"], "13");
    assert_eq!(response.headers()["upgrade"], "websocket");
    assert_eq!(response.body(), "the header Sec-WebSocket-Version must be 13");
    assert_eq!(Refusal::Method.response().headers()["allow"], "GET");
}

#[test]
fn http2_asks_by_extended_connect() {
    let connect = |protocol| {
        let request = Request::connect("https://server.example.com/chat").version(http::Version::HTTP_2);
        let request = request.header("sec-websocket-version", "13").header("sec-websocket-protocol", "chat");
        request.extension(Protocol::from_static(protocol)).body(()).unwrap()
    };
    assert!(is_requested(&connect("websocket")) && !is_requested(&connect("connect-udp")));
    let response = accept(&connect("websocket"), &["chat"]).unwrap();
    assert_eq!(
        (response.status(), &response.headers()["sec-websocket-protocol"]),
        (StatusCode::OK, &"chat".parse().unwrap())
    );
    assert_eq!(response.headers().len(), 1, "nothing of an upgrade, which HTTP/2 does not have");
    assert_eq!(accept(&connect("connect-udp"), &["chat"]).unwrap_err(), Refusal::Protocol);
    assert_eq!(Refusal::Protocol.status(), StatusCode::NOT_IMPLEMENTED);
    let mut plain = connect("websocket");
    plain.headers_mut().remove("sec-websocket-version");
    assert_eq!(accept(&plain, &NONE).unwrap_err(), Refusal::Version);
}

#[tokio::test]
async fn a_stream_of_http2_becomes_a_websocket() {
    let (near, far) = duplex(4096);
    let service = service_fn(|mut request: Request<hyper::body::Incoming>| async move {
        let response = accept(&request, &NONE).unwrap();
        tokio::spawn(async move {
            let mut io = TokioIo::new(hyper::upgrade::on(&mut request).await.unwrap());
            let number = io.read_u8().await.unwrap();
            io.write_all(&[number + 1]).await.unwrap();
        });
        Ok::<_, Infallible>(response.map(|()| String::new()))
    });
    let mut server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    server.enable_connect_protocol();
    tokio::spawn(async move { server.serve_connection(TokioIo::new(far), service).await });
    let client = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    let (mut sender, connection) = client.handshake(TokioIo::new(near)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::connect("http://host/path").header("sec-websocket-version", "13");
    let request = request.extension(Protocol::from_static("websocket")).body(String::new()).unwrap();
    // the server says in its settings that it knows extended CONNECT, and they must have come
    sender.ready().await.unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut io = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
    io.write_all(&[41]).await.unwrap();
    assert_eq!(io.read_u8().await.unwrap(), 42);
}

/// A server that accepts, then says `more`, then sends back what it hears.
async fn serve(io: DuplexStream, more: &'static [u8]) {
    let service = service_fn(move |mut request: Request<hyper::body::Incoming>| async move {
        let response = match accept(&request, &["jsonrpc"]) {
            Ok(response) => response.map(|()| String::new()),
            Err(refusal) => return Ok::<_, Infallible>(refusal.response()),
        };
        tokio::spawn(async move {
            let mut io = TokioIo::new(hyper::upgrade::on(&mut request).await.unwrap());
            io.write_all(more).await.unwrap();
            let (mut read, mut write) = tokio::io::split(io);
            tokio::io::copy(&mut read, &mut write).await.unwrap();
        });
        Ok(response)
    });
    http1::Builder::new().serve_connection(TokioIo::new(io), service).with_upgrades().await.unwrap();
}

#[tokio::test]
async fn client_and_server_agree() {
    let (near, far) = duplex(4096);
    tokio::spawn(serve(far, b"hello"));
    let headers = HeaderMap::from_iter([(header::SEC_WEBSOCKET_PROTOCOL, "x, jsonrpc".parse().unwrap())]);
    let uri = "ws://user:secret@host:1/path?query".parse().unwrap();
    let connected = connect(near, &uri, &headers, &Limits::default()).await.unwrap();
    assert_eq!(connected.response.headers()["sec-websocket-protocol"], "jsonrpc");
    let mut io = connected.io;
    let mut seen = connected.leftover.to_vec();
    io.write_all(b"!").await.unwrap();
    while seen.len() < 6 {
        seen.push(io.read_u8().await.unwrap());
    }
    assert_eq!(seen, b"hello!");
}

/// What the client makes of a server that answers so; `{}` stands for the right proof.
async fn answered(answer: &str) -> Result<Connected<DuplexStream>, ConnectError> {
    let (near, mut far) = duplex(4096);
    let answer = answer.to_owned();
    let server = async move {
        let mut request = vec![];
        while !request.ends_with(b"\r\n\r\n") {
            request.push(far.read_u8().await.unwrap());
        }
        let request = String::from_utf8(request).unwrap();
        assert!(request.starts_with("GET /path?query HTTP/1.1\r\nhost: host:1\r\n"), "{request}");
        let (_, key) = request.split_once("sec-websocket-key: ").unwrap();
        let proof = accept_value(key.lines().next().unwrap().as_bytes());
        // a client that has seen enough does not read the rest
        let _ = far.write_all(answer.replace("{}", &proof).as_bytes()).await;
    };
    let (uri, headers, limits) =
        ("ws://host:1/path?query".parse().unwrap(), HeaderMap::new(), Limits::default());
    let (connected, ()) = tokio::join!(connect(near, &uri, &headers, &limits), server);
    connected
}

#[tokio::test]
async fn what_the_server_sends_after_its_answer_is_not_lost() {
    let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n\
                  Sec-WebSocket-Accept: {}\r\n\r\n\u{1}first";
    assert_eq!(answered(answer).await.unwrap().leftover, "\u{1}first");
}

#[tokio::test]
async fn an_answer_that_agrees_to_something_else_is_an_error() {
    let switch = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    for (headers, wrong) in [
        ("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", "sec-websocket-accept"),
        ("", "sec-websocket-accept"),
        ("Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Extensions: x\r\n", "sec-websocket-extensions"),
        ("Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: x\r\n", "sec-websocket-protocol"),
    ] {
        let error = answered(&format!("{switch}{headers}\r\n")).await.unwrap_err();
        assert!(matches!(&error, ConnectError::Header(name) if name == wrong), "{headers}: {error}");
    }
    let other = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n";
    assert!(matches!(answered(other).await.unwrap_err(), ConnectError::Header(header::UPGRADE)));
}

#[tokio::test]
async fn a_server_that_declines_or_talks_nonsense_is_an_error() {
    let declined = answered("HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nnope").await.unwrap_err();
    assert!(matches!(declined, ConnectError::Declined(StatusCode::FORBIDDEN)), "{declined}");
    assert!(matches!(answered("nonsense\r\n\r\n").await.unwrap_err(), ConnectError::Http(_)));
    assert!(matches!(answered("").await.unwrap_err(), ConnectError::Http(_)));
    let endless = format!("HTTP/1.1 101 Switching Protocols\r\nX: {}", "x".repeat(100 << 10));
    assert!(matches!(answered(&endless).await.unwrap_err(), ConnectError::Http(_)));
    let nowhere =
        connect(duplex(1).0, &"/path".parse().unwrap(), &HeaderMap::new(), &Limits::default()).await;
    assert!(matches!(nowhere.unwrap_err(), ConnectError::Address(_)));
}
