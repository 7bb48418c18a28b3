//! What goes along with a call: its place in a trace, and how long it is waited for.

use crate::support::{TestServer, Wire, client, code};
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use trunkline::{Caller, Client, Context, Fault, Limits, Router, Server, State, handler};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const OTHER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-1111111111111111-00";

/// Where a call stands: `traceparent`, a blank, and `tracestate`.
async fn stands(context: Context) -> String {
    context.trace().map_or_else(|| "nowhere".to_owned(), |trace| format!("{trace} {}", trace.state()))
}

fn router() -> Router {
    let left =
        async |caller: Caller| caller.time_left().and_then(|left| u64::try_from(left.as_millis()).ok());
    Router::new()
        .procedure("stands", stands)
        .procedure("inside", async |caller: Caller| caller.call::<String>("stands", ()).await)
        .procedure("meta", async |context: Context, _: trunkline::RawArgs| stands(context).await)
        .procedure("left", handler(left).timeout(Duration::from_secs(9)))
        .procedure("stuck", async || std::future::pending::<()>().await)
}

#[tokio::test]
async fn a_message_says_where_it_stands() {
    let mut wire = Wire::to(router());
    let call = |id: u32, method: &str, more: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}"{more}}}"#)
    };
    let parent = format!(r#","traceparent":"{PARENT}","tracestate":"a=1""#);
    let meta = format!(r#","params":{{"_meta":{{"traceparent":"{OTHER}","tracestate":"b=2"}}}}"#);
    for (method, more, stands) in [
        ("stands", "", "nowhere".to_owned()),
        ("stands", &parent, format!("{PARENT} a=1")),
        // the same once more: what looks like the last message is no excuse
        ("stands", &parent, format!("{PARENT} a=1")),
        ("stands", r#","traceparent":"00-nonsense""#, "nowhere".to_owned()),
        ("inside", &parent, format!("{PARENT} a=1")),
        ("meta", &meta, format!("{OTHER} b=2")),
        // the message knows better than what it carries
        ("meta", &format!("{meta}{parent}"), format!("{PARENT} a=1")),
        ("meta", r#","params":{"_meta":{"traceparent":7}}"#, "nowhere".to_owned()),
    ] {
        assert_eq!(wire.ask(call(1, method, more)).await["result"], stands, "{method} {more}");
    }
    let batch = format!("[{},{}]", call(1, "stands", &parent), call(2, "stands", ""));
    let answers = wire.ask(batch).await;
    assert_eq!(answers[0]["result"], format!("{PARENT} a=1"));
    assert_eq!(answers[1]["result"], "nowhere");
}

/// T41: a trace that is no trace, of any length, is none.
#[tokio::test]
async fn a_stranger_can_say_what_it_likes_of_traces() {
    let mut wire = Wire::to(router());
    for value in ["0".repeat(1 << 20), "\u{1b}[31m\n".into(), "ü".repeat(55)] {
        let call = json!({
            "jsonrpc": "2.0", "id": 1, "method": "stands", "traceparent": value, "tracestate": value,
        });
        assert_eq!(wire.ask(call.to_string()).await["result"], "nowhere");
    }
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "stands",
        "traceparent": PARENT, "tracestate": "x".repeat(1 << 20),
    });
    assert_eq!(wire.ask(call.to_string()).await["result"], format!("{PARENT} "));
}

/// T31: a caller asks for less time than there is, never for more, and nonsense for none of it.
#[tokio::test(start_paused = true)]
async fn a_caller_says_how_long_it_waits() {
    let mut wire = Wire::to(router());
    for (timeout, left) in [
        ("1500", 1500),
        ("1", 1),
        ("9001", 9000),
        ("18446744073709551615", 9000),
        ("18446744073709551616", 9000),
        ("0", 9000),
        ("-5", 9000),
        ("1e2", 9000),
        ("\"5\"", 9000),
        ("null", 9000),
    ] {
        let call = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"left","timeout":{timeout}}}"#);
        assert_eq!(wire.ask(call).await["result"], left, "{timeout}");
    }
    let before = tokio::time::Instant::now();
    let late = wire.ask(r#"{"jsonrpc":"2.0","id":1,"method":"stuck","timeout":250}"#).await;
    assert_eq!(code(&late), -32001);
    assert_eq!(before.elapsed().as_millis() / 10, 25, "by the paused clock");
}

#[tokio::test(start_paused = true)]
async fn a_client_tells_how_long_it_waits_if_it_is_to() {
    let client = TestServer::new(router()).builder().tell_timeouts().connect_lazy().unwrap();
    let left: u64 = client.call("left", ()).timeout(Duration::from_millis(1234)).await.unwrap();
    assert_eq!(left, 1234);
    let silent = crate::support::client(router(), Limits::default(), Router::new());
    let left: u64 = silent.call("left", ()).timeout(Duration::from_millis(1234)).await.unwrap();
    assert_eq!(left, 9000);
}

/// One trace from a caller over HTTP to a server, to a procedure inside of it, and
/// on to a second server.
#[tokio::test]
async fn a_trace_goes_from_server_to_server() {
    async fn onward(context: Context, second: State<Client>) -> Result<String, Fault> {
        second.call("stands", ()).trace(context.trace()).await
    }
    let second = client(router(), Limits::default(), Router::new());
    let first = Router::new()
        .state(second)
        .procedure("onward", handler(onward).internal())
        .procedure("start", async |caller: Caller| caller.call::<String>("onward", ()).await)
        .procedure("stands", stands);
    let bound = Server::new(first).http("127.0.0.1:0").bind().await.unwrap();
    let address = bound.addresses()[0];
    let serving = tokio::spawn(bound.serve());
    for (scheme, path) in [("http", ""), ("ws", "")] {
        let address = format!("{scheme}://{address}{path}");
        // of the connection
        let builder = Client::builder(&address).header("traceparent", PARENT).header("tracestate", "a=1");
        let client = builder.connect().await.unwrap();
        assert_eq!(client.call::<String>("start", ()).await.unwrap(), format!("{PARENT} a=1"), "{scheme}");
        // of the call
        let trace = trunkline::Trace::parse(OTHER).unwrap();
        let called = client.call::<String>("start", ()).trace(trace).await.unwrap();
        assert_eq!(called, format!("{OTHER} "), "{scheme}");
        client.close().await;
    }
    serving.abort();
}

/// T41: a request keeps the name that its caller gave it, if that is one.
#[tokio::test]
async fn a_request_that_has_a_name_is_answered_under_it() {
    let router = Router::new().procedure("name", async |context: Context| context.request_id());
    let bound = Server::new(router).http("127.0.0.1:0").bind().await.unwrap();
    let address = bound.addresses()[0];
    let serving = tokio::spawn(bound.serve());
    let ask = async |header: &str| {
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"name"}"#;
        let head = "Host: localhost\r\nContent-Type: application/json\r\nConnection: close";
        let text =
            format!("POST / HTTP/1.1\r\n{head}\r\n{header}Content-Length: {}\r\n\r\n{body}", body.len());
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.to_ascii_lowercase()
    };
    let named = ask("X-Request-Id: job-7\r\n").await;
    assert!(named.contains("x-request-id: job-7\r\n") && named.contains(r#""result":"job-7""#), "{named}");
    for unnamed in ["", "X-Request-Id: two words\r\n", &format!("X-Request-Id: {}\r\n", "x".repeat(129))] {
        let answer = ask(unnamed).await;
        assert!(answer.starts_with("http/1.1 200") && !answer.contains("x-request-id"), "{answer}");
        assert!(answer.contains(r#""result":""#) && !answer.contains("words"), "{answer}");
    }
    serving.abort();
}
