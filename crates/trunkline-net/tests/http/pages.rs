//! What pages in browsers may do: names of hosts, origins, CORS.

use crate::support::{Answer, HANDSHAKE, SUM, Server, plain, start};
use trunkline_core::Limits;

#[tokio::test]
async fn a_local_port_answers_to_the_names_of_this_machine_only() {
    let server = plain().await;
    for (host, status) in [
        ("localhost", 200),
        ("localhost:9876", 200),
        ("127.0.0.1", 200),
        ("127.3.2.1:1", 200),
        ("[::1]:9876", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("192.168.1.1", 403),
        ("", 403),
    ] {
        let head = format!("POST /\ncontent-type: application/json\nhost: {host}");
        assert_eq!(server.ask(&head, SUM).await.status, status, "{host}");
        assert_eq!(server.ask(&format!("GET /health\nhost: {host}"), "").await.status, status, "{host}");
        let upgraded = server.upgrade(&format!("/ HTTP/1.1\nhost: {host}")).await.status;
        assert_eq!(upgraded, if status == 200 { 101 } else { status }, "{host}");
    }
}

#[tokio::test]
async fn other_names_can_be_allowed() {
    let server =
        start(Limits::default(), |http, endpoint| http.endpoint("/", endpoint).allow_hosts(["api.example"]))
            .await;
    for (host, status) in [("api.example:80", 200), ("localhost", 200), ("evil.example", 403)] {
        assert_eq!(server.ask(&format!("GET /health\nhost: {host}"), "").await.status, status, "{host}");
    }
}

#[tokio::test]
async fn the_name_in_the_request_line_counts_if_there_is_one() {
    let server = plain().await;
    for (target, host, status) in
        [("http://localhost/health", "localhost", 200), ("http://evil.example/health", "localhost", 403)]
    {
        assert_eq!(server.ask(&format!("GET {target}\nhost: {host}"), "").await.status, status, "{target}");
    }
}

#[tokio::test]
async fn a_request_names_one_host() {
    let server = plain().await;
    for head in ["GET /health HTTP/1.1\r\n", "GET /health HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n"]
    {
        let answer = server.raw(format!("{head}connection: close\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{head}{answer}");
    }
    let old = server.raw(b"GET /health HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 200 "), "{old}");
}

/// Posts, then asks for a WebSocket, as a page of this origin.
async fn as_page(server: &Server, origin: &str) -> (u16, u16) {
    let head = format!("POST /\ncontent-type: application/json\nhost: localhost:9876\norigin: {origin}");
    let posted = server.ask(&head, SUM).await.status;
    let head = format!("/ HTTP/1.1\nhost: localhost:9876\norigin: {origin}");
    (posted, server.upgrade(&head).await.status)
}

#[tokio::test]
async fn pages_of_other_origins_are_refused_unless_they_are_allowed() {
    let closed = plain().await;
    let listed = start(Limits::default(), |http, endpoint| {
        http.endpoint("/", endpoint).allow_origins(["https://app.example", "http://other.example:81/"])
    })
    .await;
    let open =
        start(Limits::default(), |http, endpoint| http.endpoint("/", endpoint).allow_any_origin()).await;
    const IN: (u16, u16) = (200, 101);
    const OUT: (u16, u16) = (403, 403);
    for (origin, [in_closed, in_listed, in_open]) in [
        ("http://localhost:9876", [IN, IN, IN]),
        ("https://localhost:9876", [IN, IN, IN]),
        ("https://app.example", [OUT, IN, IN]),
        ("http://other.example:81", [OUT, IN, IN]),
        ("http://app.example", [OUT, OUT, IN]),
        ("https://app.example.evil", [OUT, OUT, IN]),
        ("http://localhost", [OUT, OUT, IN]),
        ("http://localhost:9877", [OUT, OUT, IN]),
        ("null", [OUT, OUT, IN]),
        ("", [OUT, OUT, IN]),
    ] {
        assert_eq!(as_page(&closed, origin).await, in_closed, "closed to {origin}");
        assert_eq!(as_page(&listed, origin).await, in_listed, "listed: {origin}");
        assert_eq!(as_page(&open, origin).await, in_open, "open to {origin}");
    }
}

async fn preflight(server: &Server, origin: &str) -> Answer {
    let head = format!(
        "OPTIONS /\norigin: {origin}\naccess-control-request-method: POST\n\
         access-control-request-headers: content-type,authorization"
    );
    server.ask(&head, "").await
}

#[tokio::test]
async fn preflights_are_answered_for_allowed_origins() {
    let server = start(Limits::default(), |http, endpoint| {
        http.endpoint("/", endpoint).allow_origins(["https://app.example"])
    })
    .await;
    let answer = preflight(&server, "https://app.example").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("content-type,authorization"));
    assert_eq!(answer.header("access-control-max-age"), Some("600"));
    assert_eq!(answer.header("access-control-allow-credentials"), None, "cookies are not wanted");
    let head = "POST /\ncontent-type: application/json\norigin: https://app.example";
    let answer = server.ask(head, SUM).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"));
    assert!(answer.header("vary").is_some_and(|vary| vary.contains("origin")));
    let answer = preflight(&server, "https://evil.example").await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn without_origins_there_is_no_preflight() {
    let server = plain().await;
    let answer = preflight(&server, "https://app.example").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (405, None));
}

#[tokio::test]
async fn a_handshake_of_a_refused_page_opens_nothing() {
    let server = plain().await;
    let request = format!("GET / HTTP/1.1\nhost: localhost\norigin: http://evil.example\n{HANDSHAKE}\n");
    server.upgrade("/ HTTP/1.1\nhost: localhost\norigin: http://evil.example").await;
    assert!(server.service.peers().is_empty(), "{request}");
}
