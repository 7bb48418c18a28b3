//! POST: media types, sizes, statuses, and what handlers learn of it.

use crate::support::{Answer, SUM, SUMMED, Server, plain, response, start};
use tokio::io::AsyncWriteExt;
use trunkline_core::Limits;

const TOO_BIG: &str = r#""code":-32007"#;

#[tokio::test]
async fn a_call_is_answered_with_200_whatever_comes_of_it() {
    let server = plain().await;
    for (document, reply) in [
        (SUM, SUMMED),
        (r#"{"jsonrpc":"2.0","id":"x","method":"nope"}"#, r#""code":-32601"#),
        ("{bad", r#""code":-32700"#),
        ("", r#""code":-32700"#),
        ("[]", r#""code":-32600"#),
    ] {
        let answer = server.post("/", document).await;
        assert_eq!(answer.status, 200, "{document}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(answer.body.contains(reply), "{document}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_notification_is_answered_with_204_and_nothing() {
    let server = plain().await;
    let answer = server.post("/", r#"{"jsonrpc":"2.0","method":"sum","params":[1,2]}"#).await;
    assert_eq!((answer.status, &*answer.body), (204, ""));
    assert_eq!(answer.header("content-type"), None);
}

#[tokio::test]
async fn only_media_types_of_json_rpc_are_taken() {
    let server = plain().await;
    for fine in [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/json;x=y",
        "application/json-rpc",
        "application/jsonrequest ; q",
    ] {
        assert_eq!(server.ask(&format!("POST /\ncontent-type: {fine}"), SUM).await.status, 200, "{fine}");
    }
    for wrong in
        ["text/plain", "application/jsonp", "text/json", "x application/json", "application/problem+json", ""]
    {
        let answer = server.ask(&format!("POST /\ncontent-type: {wrong}"), SUM).await;
        assert_eq!(answer.status, 415, "{wrong}");
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    }
    assert_eq!(server.ask("POST /", SUM).await.status, 415, "no media type at all");
}

/// T14: nothing is ever decompressed, so nothing can swell.
#[tokio::test]
async fn a_compressed_body_is_refused() {
    let server = plain().await;
    let head = "POST /\ncontent-type: application/json\ncontent-encoding:";
    for coding in
        ["gzip", "GZIP", "br", "zstd", "deflate", "x-unheard-of", "identity, gzip", "gzip, identity"]
    {
        // that the body may well be read shows that it is not looked at
        let answer = server.ask(&format!("{head} {coding}"), SUM).await;
        assert_eq!(answer.status, 415, "{coding}");
        assert_eq!(answer.header("accept-encoding"), Some("identity"));
        assert!(answer.body.contains("Content-Encoding"), "{}", answer.body);
    }
    let answer = server.ask(&format!("{head} identity\ncontent-encoding: gzip"), SUM).await;
    assert_eq!(answer.status, 415, "in a second header");
    for plain in ["identity", "Identity", ""] {
        assert_eq!(server.ask(&format!("{head} {plain}"), SUM).await.body, SUMMED, "{plain}");
    }
}

/// What gzip makes of [`SUM`].
const ZIPPED: &str = "1f8b0800000000000203ab56ca2acecf2b2a4856b25232d23350d251ca4c51b232d451ca4d2dc9c8\
                      0732958a4b7381a205894589b9c54a56d1863a46b1b5004a1645ab36000000";

/// T14: nor is anything looked into for what it may be.
#[tokio::test]
async fn a_compressed_body_that_is_not_said_to_be_one_is_no_json() {
    let server = plain().await;
    let zipped: Vec<u8> =
        (0..ZIPPED.len()).step_by(2).map(|at| u8::from_str_radix(&ZIPPED[at..at + 2], 16).unwrap()).collect();
    let head =
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let whole = format!("{head}content-length: {}\r\n\r\n", zipped.len());
    let chunked = format!("{head}transfer-encoding: gzip, chunked\r\n\r\n{:x}\r\n", zipped.len());
    for (head, end) in [(whole, ""), (chunked, "\r\n0\r\n\r\n")] {
        let request = [head.as_bytes(), &zipped, end.as_bytes()].concat();
        let answer = Answer::parse(&server.raw(&request).await);
        assert!(answer.body.contains(r#""code":-32700"#), "{answer:?}");
    }
}

#[tokio::test]
async fn other_methods_are_told_which_one_there_is() {
    let server = plain().await;
    for method in ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"] {
        let answer = server.ask(&format!("{method} /"), "").await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method}");
    }
}

#[tokio::test]
async fn a_path_is_an_endpoint_or_nothing() {
    let server = start(Limits::default(), |http, endpoint| {
        http.endpoint("/", endpoint.clone()).endpoint("/rpc", endpoint.only_post())
    })
    .await;
    assert_eq!(server.post("/rpc", SUM).await.body, SUMMED);
    assert_eq!(server.post("/rpc?x=1", SUM).await.body, SUMMED);
    for path in ["/rpc/", "/RPC", "/other", "//"] {
        let answer = server.post(path, SUM).await;
        assert_eq!((answer.status, &*answer.body), (404, "not found"), "{path}");
    }
}

#[tokio::test]
async fn statuses_are_mapped_if_asked_for() {
    let server =
        start(Limits::default(), |http, endpoint| http.endpoint("/", endpoint.mapped_status())).await;
    for (document, status) in [
        (SUM, 200),
        (r#"{"jsonrpc":"2.0","id":1,"method":"nope"}"#, 404),
        (r#"{"jsonrpc":"2.0","id":1,"method":"sum"}"#, 500),
        ("{bad", 500),
        ("{}", 400),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"nope"}]"#, 200),
    ] {
        assert_eq!(server.post("/", document).await.status, status, "{document}");
    }
}

async fn small() -> Server {
    start(Limits::default().max_message(100), |http, endpoint| http.endpoint("/", endpoint)).await
}

/// A call of so many bytes.
fn padded(len: usize) -> String {
    format!("{SUM}{}", " ".repeat(len - SUM.len()))
}

#[tokio::test]
async fn a_body_at_the_limit_is_taken_and_one_byte_more_is_not() {
    let server = small().await;
    assert_eq!(server.post("/", &padded(100)).await.body, SUMMED);
    let answer = server.post("/", &padded(101)).await;
    assert_eq!(answer.status, 413);
    assert!(answer.body.contains(TOO_BIG), "{}", answer.body);
}

#[tokio::test]
async fn a_length_over_the_limit_is_refused_before_any_body_arrives() {
    let server = small().await;
    let head = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    for expect in ["", "expect: 100-continue\r\n"] {
        let mut stream = server.connect().await;
        let request = format!("{head}{expect}content-length: 99999999999\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = response(&mut stream).await;
        assert_eq!(answer.status, 413, "{expect}");
        assert!(answer.body.contains(TOO_BIG), "{}", answer.body);
    }
}

#[tokio::test]
async fn one_who_expects_to_be_told_to_go_on_is_told() {
    let server = plain().await;
    let mut stream = server.connect().await;
    let head = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let request = format!("{head}expect: 100-continue\r\ncontent-length: {}\r\n\r\n", SUM.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    assert_eq!(response(&mut stream).await.status, 100);
    stream.write_all(SUM.as_bytes()).await.unwrap();
    assert_eq!(response(&mut stream).await.body, SUMMED);
}

/// A chunked request whose chunks are these.
fn chunked(chunks: &[&str]) -> String {
    let mut request = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                       transfer-encoding: chunked\r\n\r\n"
        .to_owned();
    for chunk in chunks {
        request += &format!("{:x}\r\n{chunk}\r\n", chunk.len());
    }
    request
}

#[tokio::test]
async fn chunks_are_put_together() {
    let server = plain().await;
    let (one, two) = SUM.split_at(20);
    for chunks in [vec![SUM], vec![one, two], SUM.split_inclusive(|_| true).collect()] {
        let mut stream = server.connect().await;
        stream.write_all(format!("{}0\r\n\r\n", chunked(&chunks)).as_bytes()).await.unwrap();
        assert_eq!(response(&mut stream).await.body, SUMMED);
    }
}

#[tokio::test]
async fn chunks_over_the_limit_are_refused_as_soon_as_they_are_and_the_connection_serves_on() {
    let server = small().await;
    let mut stream = server.connect().await;
    let (begin, more) = (padded(90), " ".repeat(20));
    stream.write_all(chunked(&[&begin, &more]).as_bytes()).await.unwrap();
    let answer = response(&mut stream).await;
    assert_eq!(answer.status, 413, "although the last chunk has not come");
    assert!(answer.body.contains(TOO_BIG), "{}", answer.body);
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    stream.write_all(format!("{}0\r\n\r\n", chunked(&[SUM])).as_bytes()).await.unwrap();
    assert_eq!(response(&mut stream).await.body, SUMMED);
}

#[tokio::test]
async fn a_long_reply_arrives_whole() {
    let server = plain().await;
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"blob","params":[1000000]}"#;
    let answer = server.post("/", call).await;
    let head = r#"{"jsonrpc":"2.0","id":1,"result":""#;
    assert_eq!(answer.body, format!("{head}{}\"}}", "x".repeat(1_000_000)));
}

#[tokio::test]
async fn the_handler_learns_where_the_call_came_from() {
    let server = plain().await;
    let head = "POST /?q=1\ncontent-type: application/json\nuser-agent: tester";
    let answer = server.ask(head, r#"{"jsonrpc":"2.0","id":1,"method":"whoami"}"#).await;
    assert_eq!(answer.body, r#"{"jsonrpc":"2.0","id":1,"result":["http","/","127.0.0.1","tester"]}"#);
}

#[tokio::test]
async fn a_call_is_given_up_when_its_caller_is_gone() {
    let server = plain().await;
    let mut stream = server.connect().await;
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"wait"}"#;
    let head = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    stream.write_all(format!("{head}content-length: {}\r\n\r\n{call}", call.len()).as_bytes()).await.unwrap();
    server.gate.reached.notified().await;
    drop(stream);
    server.gate.left.notified().await;
}
