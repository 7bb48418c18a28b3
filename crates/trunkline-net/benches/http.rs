//! POST over a socket, one at a time and pipelined: what trunkline adds to hyper.
//!
//! Both ends run on one thread, so a sample is the processor time of both, and the
//! client only writes and counts bytes. `bare_hyper` answers the same bytes to
//! everything and is the floor; `axum` is the way not taken.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]

use axum::{Router as Axum, serve::ListenerExt};
use divan::Bencher;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use trunkline_core::{Limits, Router};
use trunkline_dialects::jsonrpc::JsonRpc;
use trunkline_net::{
    Service,
    http::{Endpoint, Http, IntoService},
    listen::Shutdown,
};

const DOCUMENT: &str = r#"{"jsonrpc":"2.0","id":10000,"method":"add","params":{"left":1,"right":2}}"#;
const REPLY: &str = r#"{"jsonrpc":"2.0","id":10000,"result":3}"#;

fn main() {
    divan::main();
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Add {
    left: i64,
    right: i64,
}

fn service() -> Service {
    let router = Router::new().procedure("add", async |add: Add| add.left + add.right);
    Service::new(router, JsonRpc::default()).limits(Limits::default())
}

#[divan::bench(args = [1, 64], sample_count = 400)]
fn bare_hyper(bencher: Bencher<'_, '_>, depth: usize) {
    pump(bencher, depth, async |listener| {
        let mut http = http1::Builder::new();
        http.pipeline_flush(true).timer(TokioTimer::new());
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        http.serve_connection(TokioIo::new(stream), service_fn(fixed)).await.unwrap();
    });
}

async fn fixed(request: Request<Incoming>) -> hyper::Result<Response<Full<Bytes>>> {
    request.into_body().collect().await?;
    let mut response = Response::new(Full::new(Bytes::from_static(REPLY.as_bytes())));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

#[divan::bench(args = [1, 64], sample_count = 400)]
fn trunkline(bencher: Bencher<'_, '_>, depth: usize) {
    pump(bencher, depth, async |listener| {
        let http = Http::over(listener).unwrap();
        http.endpoint("/", Endpoint::new(service())).run(Shutdown::new()).await;
    });
}

#[divan::bench(args = [1, 64], sample_count = 400)]
fn axum(bencher: Bencher<'_, '_>, depth: usize) {
    pump(bencher, depth, async |listener| {
        let rpc = IntoService::new(Endpoint::new(service()), Shutdown::new());
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        axum::serve(listener, Axum::new().route_service("/", rpc)).await.unwrap();
    });
}

/// Measures one round of requests and replies.
fn pump(bencher: Bencher<'_, '_>, depth: usize, serve: impl AsyncFnOnce(TcpListener) + 'static) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let local = tokio::task::LocalSet::new();
    let mut client = local.block_on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::task::spawn_local(serve(listener));
        Client::connect(address, depth).await
    });
    bencher.counter(divan::counter::ItemsCount::new(depth)).bench_local(|| client.round(&runtime, &local));
}

struct Client {
    stream: TcpStream,
    requests: String,
    replies: Vec<u8>,
}

impl Client {
    async fn connect(address: SocketAddr, depth: usize) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let request = format!(
            "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{DOCUMENT}",
            DOCUMENT.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reply = Vec::new();
        while !reply.ends_with(REPLY.as_bytes()) {
            stream.read_buf(&mut reply).await.unwrap();
        }
        Self { stream, requests: request.repeat(depth), replies: vec![0; reply.len() * depth] }
    }

    fn round(&mut self, runtime: &Runtime, local: &tokio::task::LocalSet) {
        local.block_on(runtime, async {
            self.stream.write_all(self.requests.as_bytes()).await.unwrap();
            self.stream.read_exact(&mut self.replies).await.unwrap();
        });
    }
}
