//! Servers that stop in good order: who calls them meanwhile is told so.

use crate::{
    http_client::{dial, upgrade},
    vector_wire::{Arrival, Wire},
};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};
use trunkline::{
    Client, Connection, FaultKind, JsonRpc, Link, Listener, Router, Server, Therms,
    framing::{Framing, Goodbye},
};
use trunkline_core::Outbox;
use trunkline_net::ws::WebSocket;

const NOT_RUN: &str = "the call has not been run, and may be made elsewhere";

/// A server whose procedure `work` takes until it is let go.
struct Working {
    address: SocketAddr,
    begun: mpsc::UnboundedReceiver<()>,
    go: watch::Sender<bool>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Working {
    async fn start(change: impl FnOnce(Server) -> Server) -> Self {
        let (begin, begun) = mpsc::unbounded_channel();
        let go = watch::Sender::new(false);
        let gone = go.subscribe();
        let router = Router::new().procedure("ping", async || "pong").procedure("work", move || {
            let (mut gone, begun) = (gone.clone(), begin.send(()));
            async move { begun.is_ok() && gone.wait_for(|it| *it).await.is_ok() }
        });
        let bound = change(Server::new(router)).bind().await.unwrap();
        let (address, (stop, stopped)) = (bound.addresses()[0], oneshot::channel());
        Self { address, begun, go, stop, served: tokio::spawn(bound.serve_until(stopped)) }
    }

    /// Tells it to stop, while it works; when nobody is let in any more, all others are told.
    async fn drain(&mut self) {
        self.begun.recv().await.unwrap();
        let (stop, _) = oneshot::channel();
        std::mem::replace(&mut self.stop, stop).send(()).unwrap();
        while TcpStream::connect(self.address).await.is_ok() {}
    }
}

/// A client, by hand.
struct Contact {
    stream: TcpStream,
    wire: Wire,
    read: Vec<u8>,
}

impl Contact {
    async fn send(&mut self, message: &str) {
        self.stream.write_all(&self.wire.wrap(message.as_bytes())).await.unwrap();
    }

    /// `None`: the end.
    async fn hear(&mut self) -> Option<Arrival> {
        loop {
            if let Some((arrival, length)) = self.wire.cut(&self.read) {
                self.read.drain(..length);
                return Some(arrival);
            }
            if self.stream.read_buf(&mut self.read).await.unwrap() == 0 {
                return None;
            }
        }
    }

    async fn next(&mut self) -> Value {
        match self.hear().await {
            Some(Arrival::Document(text)) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

/// Calls while a server works, drains, and is let go; what it says, and how it ends.
async fn story(server: Working, over: Wire, calls: [&str; 2]) -> (Value, Value, Option<Arrival>) {
    let mut server = server;
    let stream = match over {
        Wire::WebSocket => upgrade(server.address).await.unwrap(),
        _ => dial(server.address).await.unwrap(),
    };
    let mut contact = Contact { stream, wire: over, read: Vec::new() };
    contact.send(calls[0]).await;
    server.drain().await;
    contact.send(calls[1]).await;
    let refused = contact.next().await;
    server.go.send_replace(true);
    let done = contact.next().await;
    let end = contact.hear().await;
    if over == Wire::WebSocket {
        contact.stream.write_all(&crate::vector_wire::close(1001)).await.unwrap();
    }
    server.served.await.unwrap();
    assert_eq!(contact.hear().await, None);
    (refused, done, end)
}

const JSONRPC: [&str; 2] =
    [r#"{"jsonrpc":"2.0","id":1,"method":"work"}"#, r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#];

async fn jsonrpc_story(server: Working, over: Wire) -> Option<Arrival> {
    let (refused, done, end) = story(server, over, JSONRPC).await;
    let error = json!({"code": -32009, "message": "the server is shutting down", "data": NOT_RUN});
    assert_eq!(refused, json!({"jsonrpc": "2.0", "id": 2, "error": error}));
    assert_eq!(done, json!({"jsonrpc": "2.0", "id": 1, "result": true}));
    end
}

#[tokio::test]
async fn over_a_websocket_late_calls_are_refused_and_others_finished() {
    let server = Working::start(|server| server.http("127.0.0.1:0")).await;
    assert_eq!(jsonrpc_story(server, Wire::WebSocket).await, Some(Arrival::Close(1001)));
}

#[tokio::test]
async fn so_they_are_of_clients_of_rpc_websockets() {
    let listener = Listener::http("127.0.0.1:0").language(JsonRpc::rpc_websockets());
    let server = Working::start(|server| server.listen(listener)).await;
    assert_eq!(jsonrpc_story(server, Wire::WebSocket).await, Some(Arrival::Close(1001)));
}

#[tokio::test]
async fn so_they_are_where_messages_are_lines_or_have_headers() {
    let server = Working::start(|server| server.tcp("127.0.0.1:0")).await;
    assert_eq!(jsonrpc_story(server, Wire::Lines).await, None);
    let listener = Listener::tcp("127.0.0.1:0").content_length();
    let server = Working::start(|server| server.listen(listener)).await;
    assert_eq!(jsonrpc_story(server, Wire::Headers).await, None);
}

#[tokio::test]
async fn so_they_are_in_the_language_of_therms() {
    let server = Working::start(|server| server.therms(Therms::default()).http("127.0.0.1:0")).await;
    let calls =
        [r#"{"procedure":"work","correlationId":"a"}"#, r#"{"procedure":"ping","correlationId":"b"}"#];
    let (refused, done, end) = story(server, Wire::WebSocket, calls).await;
    assert_eq!((&refused["correlationId"], &refused["success"]), (&json!("b"), &json!(false)), "{refused}");
    assert_eq!((&refused["code"], &refused["data"]), (&json!(503), &json!(NOT_RUN)), "{refused}");
    assert_eq!((&done["correlationId"], &done["data"]), (&json!("a"), &json!(true)), "{done}");
    assert_eq!(end, Some(Arrival::Close(1001)));
}

/// It asks for a WebSocket when nobody is let in any more.
#[tokio::test]
async fn a_websocket_that_comes_late_is_told_as_all_others() {
    let mut server = Working::start(|server| server.http("127.0.0.1:0")).await;
    let mut late = dial(server.address).await.unwrap();
    let (first, rest) = (
        "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n",
        "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    late.write_all(first.as_bytes()).await.unwrap();
    let client = Client::connect(format!("ws://{}/", server.address)).await.unwrap();
    let working = tokio::spawn(async move { client.call::<bool>("work", ()).await });
    server.drain().await;
    late.write_all([rest.as_bytes(), &Wire::WebSocket.wrap(JSONRPC[1].as_bytes())].concat().as_slice())
        .await
        .unwrap();
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(late.read_u8().await.unwrap());
    }
    assert!(read.starts_with(b"HTTP/1.1 101 "));
    let mut late = Contact { stream: late, wire: Wire::WebSocket, read: Vec::new() };
    assert_eq!(late.next().await["error"]["data"], NOT_RUN);
    assert_eq!(late.hear().await, Some(Arrival::Close(1001)));
    server.go.send_replace(true);
    assert_eq!(working.await.unwrap(), Ok(true));
    server.served.await.unwrap();
}

#[tokio::test]
async fn a_client_gets_its_answers_and_then_goes_where_there_is_a_server() {
    let mut server = Working::start(|server| server.http("127.0.0.1:0")).await;
    let client = Client::connect(format!("ws://{}/", server.address)).await.unwrap();
    let working = tokio::spawn({
        let client = client.clone();
        async move { client.call::<bool>("work", ()).await }
    });
    server.drain().await;
    let fault = client.call::<String>("ping", ()).await.unwrap_err();
    assert_eq!((fault.kind(), fault.data::<String>()), (FaultKind::Unavailable, Some(NOT_RUN.to_owned())));
    server.go.send_replace(true);
    assert_eq!(working.await.unwrap(), Ok(true));
    server.served.await.unwrap();
    let _next = Working::start(|next| next.http(server.address.to_string())).await;
    assert_eq!(client.call::<String>("ping", ()).await, Ok("pong".to_owned()));
}

/// A call that crosses the last word is not heard: what was not answered has not run.
#[tokio::test]
async fn a_call_that_comes_too_late_to_be_refused_is_known_not_to_have_run() {
    for (word, kind) in
        [(Goodbye::Drained, FaultKind::Unavailable), (Goodbye::GoingAway, FaultKind::Disconnected)]
    {
        let (here, mut there) = tokio::io::duplex(64 << 10);
        let link = Link::new(here, WebSocket::client(), Connection::new("websocket", "jsonrpc"));
        let client = Client::over(link).connect_lazy().unwrap();
        let call = tokio::spawn(async move { client.call::<String>("ping", ()).await });
        there.read_u8().await.unwrap();
        let mut framing = WebSocket::server();
        let mut out = Outbox::new(framing.marking());
        framing.goodbye(word, &mut out);
        there.write_all(&out.into_bytes()).await.unwrap();
        let fault = call.await.unwrap().unwrap_err();
        assert_eq!(fault.kind(), kind, "{fault}");
    }
}
