//! Beside axum, and inside of it.

use crate::support::{
    Answer, DRAIN, Gate, HANDSHAKE, SUM, SUMMED, drive, head_of, response, rest, service, start,
};
use axum::{Extension, Router as Axum, extract::Request, middleware, routing::get};
use std::net::SocketAddr;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};
use trunkline_core::{Connection, Context, Limits, Router};
use trunkline_dialects::jsonrpc::JsonRpc;
use trunkline_net::{
    Link, Service,
    http::{Endpoint, IntoService},
    listen::Shutdown,
    ws::{self, WebSocket},
};

#[tokio::test]
async fn an_axum_router_takes_what_no_endpoint_takes() {
    let axum = Axum::new()
        .route(
            "/hello",
            get(|Extension(remote): Extension<SocketAddr>| async move { format!("hello {}", remote.ip()) }),
        )
        .fallback(|| async { "nobody is here" });
    let server = start(Limits::default(), |http, endpoint| http.endpoint("/rpc", endpoint).mount(axum)).await;
    assert_eq!(server.post("/rpc", SUM).await.body, SUMMED);
    assert_eq!(server.ask("GET /hello", "").await.body, "hello 127.0.0.1");
    assert_eq!(server.ask("GET /other", "").await.body, "nobody is here");
    assert_eq!(server.ask("GET /health", "").await.body, r#"{"status":"ok"}"#);
    assert_eq!(server.ask("GET /hello\nhost: evil.example", "").await.status, 403);
}

#[tokio::test]
async fn a_mounted_service_may_upgrade_connections() {
    let axum = Axum::new().route(
        "/echo",
        get(|mut request: Request| async move {
            let upgrade = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let io = hyper_util::rt::TokioIo::new(upgrade.await.unwrap());
                let (mut from, mut to) = tokio::io::split(io);
                tokio::io::copy(&mut from, &mut to).await.unwrap();
                to.shutdown().await.unwrap();
            });
            (http::StatusCode::SWITCHING_PROTOCOLS, [("connection", "upgrade"), ("upgrade", "echo")])
        }),
    );
    let server = start(Limits::default(), |http, _| http.mount(axum)).await;
    let mut stream = server.connect().await;
    let request = "GET /echo HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    head_of(&mut stream).await;
    stream.write_all(b"over and out").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(rest(&mut stream).await, "over and out");
}

/// Serves an axum application.
async fn serve(app: Axum) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn ask(address: SocketAddr, head: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = head.replace('\n', "\r\n");
    let rest_of_head = format!("connection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}\r\n{rest_of_head}{body}").as_bytes()).await.unwrap();
    Answer::parse(&rest(&mut stream).await)
}

#[derive(Clone)]
struct User(&'static str);

#[tokio::test]
async fn an_endpoint_is_a_service_in_an_axum_application() {
    let router = Router::new().procedure("user", async |context: Context| {
        (
            context.extensions().get::<User>().map(|user| user.0),
            context.connection().remote().map(|remote| remote.port()),
        )
    });
    let shutdown = Shutdown::new();
    let rpc = IntoService::new(Endpoint::new(Service::new(router, JsonRpc::default())), shutdown.clone());
    let plain = IntoService::new(Endpoint::new(service(Limits::default(), &Gate::default())), shutdown);
    let login = middleware::from_fn(|mut request: Request, next: middleware::Next| async move {
        request.extensions_mut().insert(User("Ada"));
        request.extensions_mut().insert(SocketAddr::from(([10, 0, 0, 1], 99)));
        next.run(request).await
    });
    let app = Axum::new().route_service("/rpc", rpc).layer(login).route_service("/plain", plain);
    let address = serve(app).await;
    let head = "POST /rpc HTTP/1.1\nhost: any.example\ncontent-type: application/json";
    let answer = ask(address, head, r#"{"jsonrpc":"2.0","id":1,"method":"user"}"#).await;
    assert_eq!(answer.body, r#"{"jsonrpc":"2.0","id":1,"result":["Ada",99]}"#);
    let answer =
        ask(address, "POST /plain HTTP/1.1\nhost: a.example\ncontent-type: application/json", SUM).await;
    assert_eq!(answer.body, SUMMED);
    let foreign =
        "POST /plain HTTP/1.1\nhost: a.example\ncontent-type: application/json\norigin: http://b.example";
    assert_eq!(ask(address, foreign, SUM).await.status, 403);
    assert_eq!(ask(address, "GET /plain HTTP/1.1\nhost: a.example", "").await.status, 405);
}

#[tokio::test]
async fn its_web_sockets_work_there_too() {
    let (gate, shutdown) = (Gate::default(), Shutdown::new());
    let service = service(Limits::default(), &gate);
    let rpc = IntoService::new(Endpoint::new(service.clone()), shutdown.clone());
    let address = serve(Axum::new().route_service("/rpc", rpc)).await;
    let stream = TcpStream::connect(address).await.unwrap();
    let uri = format!("ws://{address}/rpc").parse().unwrap();
    let connected = ws::connect(stream, &uri, &http::HeaderMap::new(), &Limits::default()).await.unwrap();
    let link = Link::new(connected.io, WebSocket::client(), Connection::new("websocket", "jsonrpc"));
    let peer = drive(link);
    let sum: i64 = peer.call("sum", (1, 2)).await.unwrap();
    assert_eq!(sum, 3);
    shutdown.run(DRAIN).await;
    peer.closed().await;
}

#[tokio::test]
async fn its_web_sockets_are_counted() {
    let service = service(Limits::default().max_connections(2), &Gate::default());
    let rpc = IntoService::new(Endpoint::new(service), Shutdown::new());
    let app = Axum::new().route_service("/one", rpc.clone()).route_service("/other", rpc);
    let address = serve(app).await;
    let mut open = Vec::new();
    for (path, status) in [("one", 101), ("other", 101), ("one", 503), ("other", 503)] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET /{path} HTTP/1.1\nhost: localhost\n{HANDSHAKE}\n").replace('\n', "\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = response(&mut stream).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        assert!(status == 101 || answer.body.contains("`max_connections`"), "{}", answer.body);
        open.push(stream);
    }
}
