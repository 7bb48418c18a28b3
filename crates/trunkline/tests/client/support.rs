//! Servers to call, real ones and scripted ones.

use serde_json::Value;
use std::{net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use trunkline::{
    Client, JsonRpc, Router, Service, Shutdown,
    client::ConnectionState,
    framing::{ContentLength, Lines},
    testing::Wire,
};
use trunkline_net::listen::{StreamListener, Streams};

/// A service with a bit of everything.
pub(crate) fn service() -> Service {
    Service::new(router(), JsonRpc::default())
}

pub(crate) fn router() -> Router {
    Router::new()
        .procedure("add", |(a, b): (i64, i64)| async move { a + b })
        .procedure("echo", async |value: Value| value)
        .procedure("refuse", async || Err::<(), _>(trunkline::Fault::from("no").with_code(7)))
        .procedure("greet", async |peer: trunkline::Peer| {
            let name: String = peer.call("your.name", ()).await?;
            Ok::<_, trunkline::Fault>(format!("hello {name}"))
        })
}

/// Serves on a free port of the loopback interface until the test ends.
pub(crate) async fn tcp(service: &Service) -> SocketAddr {
    let socket = StreamListener::tcp("127.0.0.1:0").await.unwrap();
    let address = socket.address().unwrap();
    run(socket, service);
    address
}

pub(crate) fn run(socket: StreamListener, service: &Service) {
    let framing = Arc::new(|_: &trunkline::Limits| Box::new(Lines::default()) as _);
    tokio::spawn(Streams::new(socket, service.clone(), framing).run(Shutdown::new()));
}

/// Serves in the framing of the Language Server Protocol.
pub(crate) async fn tcp_with_content_length(service: &Service) -> SocketAddr {
    let socket = StreamListener::tcp("127.0.0.1:0").await.unwrap();
    let address = socket.address().unwrap();
    let framing = Arc::new(|_: &trunkline::Limits| Box::new(ContentLength::default()) as _);
    tokio::spawn(Streams::new(socket, service.clone(), framing).run(Shutdown::new()));
    address
}

/// A client, and the test at its far end.
pub(crate) fn scripted() -> (Client, Wire) {
    let (client, server) = Wire::to_client();
    (client.connect_lazy().unwrap(), server)
}

/// A listener for scripts, and its address as clients want it.
pub(crate) async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    (listener, address)
}

pub(crate) async fn accept(listener: &TcpListener) -> Wire {
    Wire::over(listener.accept().await.unwrap().0)
}

/// An address at which nobody listens.
pub(crate) async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// Writes down the states of a client, in order.
pub(crate) fn states()
-> (impl Fn(&ConnectionState) + Send + Sync + 'static, mpsc::UnboundedReceiver<ConnectionState>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (move |state: &ConnectionState| drop(sender.send(state.clone())), receiver)
}

/// Accepts a WebSocket, which is then the test's to read, byte by byte.
pub(crate) async fn accept_websocket(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().await.unwrap();
    let mut stream = BufReader::new(stream);
    let mut request = hyper::Request::get("/");
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        match line.trim_end().split_once(": ") {
            Some((name, value)) => request = request.header(name, value),
            None if line == "\r\n" => break,
            None => {}
        }
    }
    let response = trunkline_net::ws::accept(&request.body(()).unwrap(), &[""; 0]).unwrap();
    let mut head = "HTTP/1.1 101 Switching Protocols\r\n".to_owned();
    for (name, value) in response.headers() {
        head += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    let mut stream = stream.into_inner();
    stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    stream
}
