//! Server-sent events: what a POST that asks for them is answered with.

use crate::support::{Answer, DRAIN, SUM, SUMMED, Server, background, let_go_by, plain, rest};
use std::time::Duration;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

const HEAD: &str = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                    accept: text/event-stream\r\n";

fn request(document: &str) -> String {
    format!("{HEAD}content-length: {}\r\n\r\n{document}", document.len())
}

async fn asked(server: &Server, document: &str) -> BufReader<TcpStream> {
    let mut stream = server.connect().await;
    stream.write_all(request(document).as_bytes()).await.unwrap();
    BufReader::new(stream)
}

/// The next event or comment, past the chunks that it came in.
async fn next(stream: &mut BufReader<TcpStream>) -> String {
    loop {
        let mut line = String::new();
        assert!(stream.read_line(&mut line).await.unwrap() > 0, "the response has ended");
        if line.starts_with("data: ") || line.starts_with(':') {
            return line.trim_end().to_owned();
        }
    }
}

/// All events of a response, which is to end.
async fn all(server: &Server, document: &str) -> (Answer, Vec<String>) {
    let head = "POST /\ncontent-type: application/json\naccept: text/event-stream";
    let answer = server.ask(head, document).await;
    let events = answer.body.lines().filter_map(|line| line.strip_prefix("data: ")).map(str::to_owned);
    let events = events.collect();
    (answer, events)
}

#[tokio::test]
async fn a_stream_is_sent_as_it_goes_and_then_the_response_ends() {
    let server = plain().await;
    let (answer, events) = all(&server, r#"{"jsonrpc":"2.0","id":1,"method":"count","params":[2]}"#).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/event-stream")));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(
        events,
        [
            r#"{"jsonrpc":"2.0","id":1,"result":"0x1"}"#,
            r#"{"jsonrpc":"2.0","method":"count","params":{"subscription":"0x1","result":1}}"#,
            r#"{"jsonrpc":"2.0","method":"count","params":{"subscription":"0x1","result":2}}"#,
            r#"{"jsonrpc":"2.0","method":"rpc.end","params":{"subscription":"0x1"}}"#,
        ]
    );
}

#[tokio::test]
async fn calls_and_batches_and_nonsense_are_answered_in_one_event() {
    let server = plain().await;
    assert_eq!(all(&server, SUM).await.1, [SUMMED]);
    assert_eq!(all(&server, &format!("[{SUM}]")).await.1, [format!("[{SUMMED}]")]);
    assert!(all(&server, "{").await.1[0].contains("-32700"));
    assert_eq!(all(&server, r#"{"jsonrpc":"2.0","method":"sum","params":[1,2]}"#).await.1.len(), 0);
}

#[tokio::test]
async fn who_does_not_accept_events_is_told_how_to_have_a_stream() {
    let server = plain().await;
    let answer = server.post("/", r#"{"jsonrpc":"2.0","id":1,"method":"count","params":[2]}"#).await;
    assert!(answer.body.contains("accept text/event-stream"), "{}", answer.body);
}

/// T36: events have no ids, so there is nothing to resume: whoever claims to have
/// heard some of a stream has it from its beginning, and nobody else's.
#[tokio::test]
async fn nobody_resumes_a_stream_that_others_had() {
    let server = plain().await;
    let head = "POST /\ncontent-type: application/json\naccept: text/event-stream";
    let document = r#"{"jsonrpc":"2.0","id":1,"method":"count","params":[2]}"#;
    let first = server.ask(head, document).await;
    assert!(!first.body.lines().any(|line| line.starts_with("id:")), "{}", first.body);
    for claim in ["1", "0x1", "0x0", "ffffffffffffffffffffffff"] {
        let again = server.ask(&format!("{head}\nlast-event-id: {claim}"), document).await;
        assert_eq!((again.status, &again.body), (200, &first.body));
    }
}

#[tokio::test]
async fn a_caller_who_goes_ends_the_stream() {
    let server = plain().await;
    let mut stream = asked(&server, r#"{"jsonrpc":"2.0","id":1,"method":"forever"}"#).await;
    assert!(next(&mut stream).await.contains(r#""id":1"#));
    assert!(next(&mut stream).await.contains(r#""result":1"#));
    drop(stream);
    server.gate.left.notified().await;
}

#[tokio::test]
async fn a_silent_stream_is_kept_alive() {
    let server = plain().await;
    let mut stream = asked(&server, r#"{"jsonrpc":"2.0","id":1,"method":"forever"}"#).await;
    next(&mut stream).await;
    next(&mut stream).await;
    let_go_by(Duration::from_secs(16)).await;
    assert_eq!(next(&mut stream).await, ":");
}

#[tokio::test]
async fn a_shutdown_breaks_streams_off() {
    let server = plain().await;
    let mut stream = asked(&server, r#"{"jsonrpc":"2.0","id":1,"method":"forever"}"#).await;
    next(&mut stream).await;
    next(&mut stream).await;
    let shutdown = server.shutdown.clone();
    let ending = background(async move { shutdown.run(DRAIN).await });
    let last = next(&mut stream).await;
    assert!(last.contains(r#""error":{"code":-32009"#), "{last}");
    rest(&mut stream.into_inner()).await;
    ending.await.unwrap();
}
