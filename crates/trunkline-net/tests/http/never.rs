//! Limits that are set to as good as none.

use crate::support::{SUM, SUMMED, Server, let_go_by, response, start};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request,
    body::Bytes,
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::time::Duration;
use tokio::{io::AsyncWriteExt, net::TcpStream};
use trunkline_core::Limits;
use trunkline_net::{Peer, ws::WebSocket};

const NEVER: Duration = Duration::MAX;

/// One connection of each kind.
struct Callers {
    http1: TcpStream,
    http2: SendRequest<Full<Bytes>>,
    websocket: Peer,
}

impl Callers {
    async fn of(server: &Server) -> Self {
        let io = TokioIo::new(server.connect().await);
        let (http2, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        Self { http1: server.connect().await, http2, websocket: server.peer("/", WebSocket::client()).await }
    }

    async fn call(&mut self, with: &str) {
        let head = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
        let request = format!("{head}content-length: {}\r\n\r\n{SUM}", SUM.len());
        self.http1.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(response(&mut self.http1).await.body, SUMMED, "{with}");
        let request = Request::post("http://localhost/").header("content-type", "application/json");
        let answer = self.http2.send_request(request.body(Full::from(SUM)).unwrap()).await;
        let answer = answer.unwrap_or_else(|error| panic!("{with}: {error}"));
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), SUMMED, "{with}");
        let sum = self.websocket.call::<i64>("sum", (1, 2)).await;
        assert_eq!(sum.unwrap_or_else(|fault| panic!("{with}: {fault}")), 3, "{with}");
    }
}

#[tokio::test]
async fn no_limit_is_too_far_ahead_or_too_large() {
    let limits = Limits::default;
    let none = limits()
        .max_message(usize::MAX)
        .max_reply(usize::MAX)
        .max_depth(usize::MAX)
        .max_batch(usize::MAX)
        .max_in_flight(usize::MAX)
        .max_connections(usize::MAX)
        .max_unsent(usize::MAX)
        .max_head(usize::MAX);
    let never = none
        .clone()
        .handshake_timeout(NEVER)
        .message_timeout(NEVER)
        .stall_timeout(NEVER)
        .idle_timeout(NEVER)
        .call_timeout(NEVER)
        .drain_timeout(NEVER);
    for (with, limits) in [
        ("no handshake_timeout", limits().handshake_timeout(NEVER)),
        ("no message_timeout", limits().message_timeout(NEVER)),
        ("no stall_timeout", limits().stall_timeout(NEVER)),
        ("no idle_timeout", limits().idle_timeout(NEVER)),
        ("no call_timeout", limits().call_timeout(NEVER)),
        ("no drain_timeout", limits().drain_timeout(NEVER)),
        ("no limit but those of time", none),
        ("no limit at all", never),
    ] {
        let drain_timeout = limits.drain_timeout;
        let server = start(limits, |http, endpoint| http.endpoint("/", endpoint)).await;
        let mut callers = Callers::of(&server).await;
        callers.call(with).await;
        // half of `idle_timeout` goes by, after which signs of life are asked for
        let_go_by(Duration::from_secs(200)).await;
        callers.call(with).await;
        server.shutdown.run(drain_timeout).await;
    }
}
