//! Credentials of HTTP requests: of a POST, and of one that asks for a WebSocket.

use crate::world::{access, ask, login, router, shut};
use serde_json::{Value, json};
use std::{
    error::Error,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use trunkline::{
    Fault, FaultKind, Hooks, Identity, Limits, Router, Server, access::Access, security::unauthenticated,
};

/// Serves on a free port until the test ends.
async fn serve(server: Server) -> SocketAddr {
    let bound = server.http("127.0.0.1:0").bind().await.unwrap();
    let address = bound.addresses()[0];
    tokio::spawn(bound.serve());
    address
}

/// A server whose callers are known by this.
fn server(access: Access) -> Server {
    Server::new(router(&shut())).security(access)
}

/// A response to a POST: its status, its head, and its body.
struct Response {
    status: u16,
    head: String,
    body: String,
}

/// One connection, on which requests follow each other.
struct Http(TcpStream);

impl Http {
    async fn to(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    async fn post(&mut self, headers: &str, body: &str) -> Response {
        let length = body.len();
        let request = format!(
            "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
             {headers}\r\n{body}"
        );
        self.send(&request).await
    }

    async fn send(&mut self, request: &str) -> Response {
        self.0.write_all(request.as_bytes()).await.unwrap();
        let mut read = Vec::new();
        let head = loop {
            assert!(self.0.read_buf(&mut read).await.unwrap() > 0, "the server hung up");
            if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let text = String::from_utf8(read.drain(..head).collect()).unwrap().to_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.trim().parse().unwrap());
        while read.len() < length {
            assert!(self.0.read_buf(&mut read).await.unwrap() > 0, "the server hung up");
        }
        let status = text.split(' ').nth(1).unwrap().parse().unwrap();
        Response { status, head: text, body: String::from_utf8(read).unwrap() }
    }
}

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

#[track_caller]
fn is_unauthorized(response: &Response) {
    assert_eq!(response.status, 401, "{}", response.body);
    assert!(response.head.contains("\r\nwww-authenticate: bearer\r\n"), "{}", response.head);
}

/// T27: requests of different callers follow each other on one connection, as
/// those of a proxy do.
#[tokio::test]
async fn each_request_is_of_whoever_sends_it() {
    let address = serve(server(access(&shut()))).await;
    let mut http = Http::to(address).await;
    for (headers, name) in [
        ("", "nobody"),
        (&*bearer("ada"), "ada"),
        (&*bearer("bob"), "bob"),
        ("", "nobody"),
        ("authorization: bearer ada\r\n", "ada"),
        ("", "nobody"),
    ] {
        let response = http.post(headers, &ask(1)).await;
        let reply: Value = serde_json::from_str(&response.body).unwrap();
        assert_eq!((response.status, &reply["result"]), (200, &json!(name)));
        is_unauthorized(&http.post(&bearer("eve"), &ask(1)).await);
    }
    is_unauthorized(&http.post("authorization: Basic YTpi\r\n", &ask(1)).await);
}

/// T27: who logs in within a batch is known for the rest of it, and no longer.
#[tokio::test]
async fn a_login_ends_with_its_request() {
    let address = serve(server(access(&shut()))).await;
    let mut http = Http::to(address).await;
    for _ in 0..3 {
        let batch = format!("[{},{},{}]", ask(1), login(2, "ada"), ask(3));
        let reply: Value = serde_json::from_str(&http.post("", &batch).await.body).unwrap();
        assert_eq!((&reply[0]["result"], &reply[2]["result"]), (&json!("nobody"), &json!("ada")), "{reply}");
        let reply: Value = serde_json::from_str(&http.post(&bearer("bob"), &ask(1)).await.body).unwrap();
        assert_eq!(reply["result"], "bob");
    }
}

/// The body of a request that is refused is not in the way of the next.
#[tokio::test]
async fn a_refusal_keeps_the_connection() {
    let address = serve(server(access(&shut()))).await;
    let mut http = Http::to(address).await;
    let large = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"whoami","pad":"{}"}}"#, "x".repeat(100_000));
    is_unauthorized(&http.post(&bearer("eve"), &large).await);
    assert_eq!(http.post(&bearer("ada"), &ask(1)).await.status, 200);
}

#[tokio::test]
async fn a_verifier_that_panics_or_hangs_fails_one_request() {
    let limits = Limits::default().call_timeout(std::time::Duration::ZERO);
    let address = serve(server(access(&shut())).limits(limits)).await;
    let mut http = Http::to(address).await;
    let response = http.post(&bearer("boom"), &ask(1)).await;
    assert_eq!((response.status, &*response.body), (500, "Internal error"));
    let response = http.post(&bearer("slow-ada"), &ask(1)).await;
    assert_eq!(response.status, 503, "{}", response.body);
    assert_eq!(http.post("", &ask(1)).await.status, 200);
}

#[tokio::test]
async fn server_sent_events_are_of_whoever_asks() {
    let address = serve(server(access(&shut()))).await;
    let events = "accept: text/event-stream\r\n";
    is_unauthorized(&Http::to(address).await.post(&(bearer("eve") + events), &ask(1)).await);
    let mut http = Http::to(address).await;
    let response = http.post(&(bearer("ada") + "connection: close\r\n" + events), &ask(1)).await;
    let mut rest = response.body;
    http.0.read_to_string(&mut rest).await.unwrap();
    assert_eq!(response.status, 200);
    assert!(rest.contains(r#""result":"ada""#), "{rest}");
}

fn upgrade(headers: &str) -> String {
    format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    )
}

#[tokio::test]
async fn a_websocket_is_refused_before_it_is_one() {
    let address = serve(server(access(&shut()))).await;
    let mut http = Http::to(address).await;
    is_unauthorized(&http.send(&upgrade(&bearer("eve"))).await);
    assert_eq!(http.send(&upgrade(&bearer("ada"))).await.status, 101, "the connection is as good as before");
    assert_eq!(Http::to(address).await.send(&upgrade("")).await.status, 101);
}

/// A frame of a client, with a mask of zeros.
fn frame(opcode: u8, body: &str) -> Vec<u8> {
    let length = u8::try_from(body.len()).unwrap();
    assert!(length < 126);
    let mut frame = vec![0x80 | opcode, 0x80 | length, 0, 0, 0, 0];
    frame.extend_from_slice(body.as_bytes());
    frame
}

/// Whoever hangs up while it is being found out who it is is not kept waiting.
#[tokio::test(start_paused = true)]
async fn a_websocket_closes_while_a_login_hangs() {
    let address = serve(server(access(&shut()))).await;
    let mut http = Http::to(address).await;
    assert_eq!(http.send(&upgrade("")).await.status, 101);
    let said = [frame(1, &login(1, "slow-ada")), frame(9, ""), frame(8, "")].concat();
    http.0.write_all(&said).await.unwrap();
    let mut read = Vec::new();
    http.0.read_to_end(&mut read).await.unwrap();
    assert_eq!(read, [0x8a, 0, 0x88, 0], "a pong and a close, and no word of the login");
}

/// Operators hear of requests that are refused for their credentials.
#[tokio::test]
async fn a_refusal_is_reported() {
    let reported = Arc::<Mutex<Vec<String>>>::default();
    let hooks = {
        let reported = reported.clone();
        Hooks::default().on_fault(move |report| {
            let source = report.fault.source().map(ToString::to_string);
            reported.lock().unwrap().push(format!("{}: {} {source:?}", report.procedure, report.fault));
        })
    };
    let access = Access::new().bearer(async |_| Err(unauthenticated("no").with_source("the key is old")));
    let address = serve(server(access).hooks(hooks)).await;
    is_unauthorized(&Http::to(address).await.post(&bearer("eve"), &ask(1)).await);
    is_unauthorized(&Http::to(address).await.send(&upgrade(&bearer("eve"))).await);
    assert_eq!(*reported.lock().unwrap(), ["rpc.authenticate: no Some(\"the key is old\")"; 2]);
}

/// Whoever stands in front may have looked at the other one.
#[tokio::test]
async fn credentials_are_given_once() {
    let address = serve(server(access(&shut()))).await;
    let twice = bearer("ada") + &bearer("bob");
    is_unauthorized(&Http::to(address).await.post(&twice, &ask(1)).await);
    is_unauthorized(&Http::to(address).await.send(&upgrade(&twice)).await);
}

#[tokio::test]
async fn who_was_known_until_a_moment_ago_is_refused() {
    let past = Access::new().bearer(async |_| Ok(Identity::new("ada").until(std::time::Instant::now())));
    let address = serve(server(past)).await;
    is_unauthorized(&Http::to(address).await.post(&bearer("ada"), &ask(1)).await);
}

/// A stream that the caller may not know of is unknown, also where no stream could be opened.
#[tokio::test]
async fn a_hidden_stream_is_unknown() {
    let hidden = Access::new().rule(|call, _| match call.procedure {
        "secret" => Err(Fault::new(FaultKind::NotFound, "Method not found")),
        _ => Ok(()),
    });
    let router = Router::new().procedure("secret", async || futures_util::stream::iter([1]));
    let address = serve(Server::new(router).security(hidden)).await;
    let mut http = Http::to(address).await;
    let call = |name| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{name}"}}"#);
    assert_eq!(http.post("", &call("secret")).await.body, http.post("", &call("no.such")).await.body);
}
