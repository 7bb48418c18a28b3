//! smoke
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use trunkline::net::listen::{Shutdown, StreamListener, Streams};
use trunkline::*;

#[tokio::test]
async fn smoke() {
    let router = Router::new().procedure("add", |(a, b): (i64, i64)| async move { a + b }).procedure(
        "slow",
        |(a, b): (i64, i64)| async move {
            tokio::task::yield_now().await;
            a + b
        },
    );
    let service = net::Service::new(router, jsonrpc::JsonRpc::default());
    let socket = StreamListener::tcp("127.0.0.1:0").await.unwrap();
    let address = socket.address().unwrap();
    let streams =
        Streams::new(socket, service.clone(), std::sync::Arc::new(|_| Box::new(framing::Lines::default())));
    let shutdown = Shutdown::new();
    tokio::spawn(streams.run(shutdown.clone()));
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"add\",\"params\":[1,2]}\n[{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"slow\",\"params\":[1,2]},{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"add\",\"params\":[5,2]}]\nx\n").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    println!("{text}");
    shutdown.run(&service).await;
}
