//! A server with a few procedures, and callers of the plainest kind.

use futures_util::{StreamExt, stream};
use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
    task::JoinHandle,
};
use trunkline_core::{Connection, Context, Limits, Router};
use trunkline_dialects::jsonrpc::JsonRpc;
use trunkline_net::{
    Link, Peer, Service,
    http::{Endpoint, Http},
    listen::Shutdown,
    serve::CALL_TIMEOUT,
    ws::WebSocket,
};

pub(crate) const SUM: &str = r#"{"jsonrpc":"2.0","id":1,"method":"sum","params":[1,2]}"#;
pub(crate) const SUMMED: &str = r#"{"jsonrpc":"2.0","id":1,"result":3}"#;

/// How long a shutdown waits for calls under way: longer than any test does.
pub(crate) const DRAIN: Duration = Duration::from_secs(30);

/// What the procedure `wait` waits for, and what it says of itself.
#[derive(Clone, Default)]
pub(crate) struct Gate {
    pub(crate) reached: Arc<Notify>,
    pub(crate) opened: Arc<Notify>,
    pub(crate) left: Arc<Notify>,
}

/// Tells that a call has ended, one way or another.
struct Leaving(Arc<Notify>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

pub(crate) fn router(gate: &Gate) -> Router {
    let Gate { reached, opened, left } = gate.clone();
    Router::new()
        .procedure("sum", |(a, b): (i64, i64)| async move { a + b })
        .procedure("blob", |(len,): (usize,)| async move { "x".repeat(len) })
        .procedure("whoami", async |context: Context| {
            let connection = context.connection();
            let agent = connection.headers().get("user-agent").and_then(|agent| agent.to_str().ok());
            (
                connection.transport(),
                connection.path().to_owned(),
                connection.remote().map(|remote| remote.ip().to_string()),
                agent.unwrap_or("").to_owned(),
            )
        })
        .procedure("count", async |(to,): (u64,)| stream::iter(1..=to))
        .procedure("forever", {
            let left = left.clone();
            move || {
                let leaving = Leaving(left.clone());
                async move {
                    stream::iter([1]).chain(stream::pending()).inspect(move |_| {
                        let _ = &leaving;
                    })
                }
            }
        })
        .procedure("wait", move || {
            let (reached, opened, leaving) = (reached.clone(), opened.clone(), Leaving(left.clone()));
            async move {
                let _leaving = leaving;
                reached.notify_one();
                opened.notified().await;
                "done"
            }
        })
}

pub(crate) fn service(limits: Limits, gate: &Gate) -> Service {
    Service::new(router(gate), JsonRpc::default()).limits(limits)
}

/// A server that is up.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) service: Service,
    pub(crate) shutdown: Shutdown,
    pub(crate) gate: Gate,
    pub(crate) running: JoinHandle<()>,
}

/// Starts a server on a free port of this machine.
pub(crate) async fn start(limits: Limits, plan: impl FnOnce(Http, Endpoint) -> Http) -> Server {
    let gate = Gate::default();
    let service = service(limits, &gate);
    let http = Http::bind("127.0.0.1:0").await.unwrap();
    let address = http.address();
    let shutdown = Shutdown::new();
    let http = plan(http, Endpoint::new(service.clone()));
    let running = tokio::spawn(http.run(shutdown.clone()));
    Server { address, service, shutdown, gate, running }
}

/// Starts a server with nothing but an endpoint at `/`.
pub(crate) async fn plain() -> Server {
    start(Limits::default(), |http, endpoint| http.endpoint("/", endpoint)).await
}

impl Server {
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends these bytes on a connection of their own, and gives all that comes back.
    pub(crate) async fn raw(&self, request: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request).await.unwrap();
        rest(&mut stream).await
    }

    /// Sends a request with these lines of head; the connection is closed after it.
    pub(crate) async fn ask(&self, head: &str, body: &str) -> Answer {
        let mut lines = head.lines();
        let mut request = format!("{} HTTP/1.1\r\n", lines.next().unwrap());
        lines.for_each(|line| request += &format!("{line}\r\n"));
        if !head.to_ascii_lowercase().contains("\nhost:") {
            request += "host: localhost\r\n";
        }
        if !body.is_empty() || head.starts_with("POST") {
            request += &format!("content-length: {}\r\n", body.len());
        }
        request += &format!("connection: close\r\n\r\n{body}");
        Answer::parse(&self.raw(request.as_bytes()).await)
    }

    /// Posts a document to a path.
    pub(crate) async fn post(&self, path: &str, document: &str) -> Answer {
        self.ask(&format!("POST {path}\ncontent-type: application/json"), document).await
    }

    /// Asks for a WebSocket with these lines of head, and gives the answer.
    pub(crate) async fn upgrade(&self, head: &str) -> Answer {
        let mut stream = self.connect().await;
        let request = format!("GET {head}\n{HANDSHAKE}\n").replace('\n', "\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        Answer::parse(&String::from_utf8(head_of(&mut stream).await).unwrap())
    }

    /// A live peer over WebSocket.
    pub(crate) async fn peer(&self, path: &str, framing: WebSocket) -> Peer {
        let uri = format!("ws://localhost:{}{path}", self.address.port()).parse().unwrap();
        let stream = self.connect().await;
        let limits = Limits::default();
        let connected =
            trunkline_net::ws::connect(stream, &uri, &http::HeaderMap::new(), &limits).await.unwrap();
        let link = Link::new(connected.io, framing, Connection::new("websocket", "jsonrpc"))
            .with_arrived(connected.leftover.to_vec());
        drive(link)
    }
}

/// The rest of a WebSocket handshake.
pub(crate) const HANDSHAKE: &str = "connection: upgrade\nupgrade: websocket\nsec-websocket-version: 13\n\
                                    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\n";

/// Drives a link in the background.
pub(crate) fn drive(link: Link) -> Peer {
    let service = Service::new(Router::new(), JsonRpc::default());
    let (peer, driver) = trunkline_net::open(link, &service, CALL_TIMEOUT);
    tokio::spawn(driver);
    peer
}

/// An HTTP response, taken apart.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn parse(response: &str) -> Self {
        let (head, body) = response.split_once("\r\n\r\n").unwrap_or((response, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Self { status: status.unwrap_or(0), head: head.to_owned(), body: body.to_owned() }
    }

    /// The value of a header; its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Reads to the end of the stream; a reset is an end as well.
pub(crate) async fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    match stream.read_to_end(&mut all).await {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
    }
    String::from_utf8(all).unwrap()
}

/// Reads the head of a response.
pub(crate) async fn head_of(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    head
}

/// Reads a response with a `Content-Length`.
pub(crate) async fn response(stream: &mut (impl AsyncRead + Unpin)) -> Answer {
    let mut answer = Answer::parse(&String::from_utf8(head_of(stream).await).unwrap());
    let mut body = vec![0; answer.header("content-length").map_or(0, |len| len.parse().unwrap())];
    stream.read_exact(&mut body).await.unwrap();
    answer.body = String::from_utf8(body).unwrap();
    answer
}

/// Moves the clock on, which runs as ever before and after.
pub(crate) async fn let_go_by(span: Duration) {
    tokio::time::pause();
    tokio::time::advance(span).await;
    tokio::time::resume();
}

/// Nothing but what a future gives, on an own task.
pub(crate) fn background<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    tokio::spawn(future)
}
