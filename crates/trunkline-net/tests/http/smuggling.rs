//! Heads that two servers might read differently: refused, or read in the one
//! way that RFC 9112 has for them, and the connection closed.

use crate::support::{SUM, plain};

/// What comes back for a request with these lines, followed by a second one.
async fn statuses(lines: &str, body: &str) -> Vec<u16> {
    let server = plain().await;
    let smuggled = "GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let request = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{lines}\r\n\r\n{body}{smuggled}"
    );
    let answers = server.raw(request.as_bytes()).await;
    let statuses = answers.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.get(..3)?.parse().ok());
    statuses.collect()
}

fn chunked() -> String {
    format!("{:x}\r\n{SUM}\r\n0\r\n\r\n", SUM.len())
}

#[tokio::test]
async fn a_length_beside_chunks_is_ignored_and_nothing_follows() {
    for lines in
        ["content-length: 5\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 5"]
    {
        assert_eq!(statuses(lines, &chunked()).await, [200], "{lines}");
    }
}

#[tokio::test]
async fn what_is_ambiguous_is_refused() {
    for lines in [
        "content-length: 5\r\ncontent-length: 6",
        "content-length: 5, 6",
        "content-length: +5",
        "content-length: 5x",
        "content-length: -1",
        "transfer-encoding: identity",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: xchunked",
        "content-length : 5",
        " content-length: 5",
        "x: y\r\n folded: z",
        "x: a\0b",
    ] {
        assert_eq!(statuses(lines, &chunked()).await, [400], "{lines:?}");
    }
}

#[tokio::test]
async fn chunks_that_are_none_end_the_connection() {
    for body in ["5 x\r\n", "+5\r\nhello\r\n0\r\n\r\n", "ffffffffffffffff1\r\n", "5;\n\r\nhello\r\n0\r\n\r\n"]
    {
        let statuses = statuses("transfer-encoding: chunked", body).await;
        assert!(!statuses.contains(&200), "{body:?}: {statuses:?}");
    }
}

#[tokio::test]
async fn bare_line_feeds_end_lines_and_hide_nothing() {
    let server = plain().await;
    let answer = server.raw(b"GET /health HTTP/1.1\nhost: localhost\nconnection: close\n\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let answer = server.raw(b"GET /health HTTP/1.1\r\nhost: localhost\r\nx: a\rb\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}
