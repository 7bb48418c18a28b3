//! Streams over HTTP, against trunkline's own server and against scripted ones.

use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use std::{net::SocketAddr, sync::Mutex, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use trunkline::{Client, Fault, FaultKind, Limits, Router, Server, Subscription, handler};

/// Counts to a number.
#[trunkline::service]
trait Counter {
    async fn count(&self, to: u64) -> impl Stream<Item = u64>;
}

struct Counting;

impl Counter for Counting {
    async fn count(&self, to: u64) -> impl Stream<Item = u64> {
        stream::iter(1..=to)
    }
}

/// A client of a server with these procedures.
async fn to(router: Router) -> Client {
    let server = Server::new(router).http("127.0.0.1:0").bind().await.unwrap();
    let address = server.addresses()[0];
    tokio::spawn(server.serve());
    Client::connect(format!("http://{address}")).await.unwrap()
}

/// What comes until the stream ends, and the fault that ends it, if one does.
async fn all(stream: &mut Subscription<u64>) -> (Vec<u64>, Option<Fault>) {
    let mut items = vec![];
    while let Some(item) = stream.next().await {
        match item {
            Ok(item) => items.push(item),
            Err(fault) => {
                assert!(stream.next().await.is_none(), "a fault is the last");
                return (items, Some(fault));
            }
        }
    }
    (items, None)
}

#[tokio::test]
async fn items_come_until_there_are_no_more() {
    let client = to(Router::new().service(CounterService::new(Counting))).await;
    let (items, fault) = all(&mut client.stream("count", (10_000,)).await.unwrap()).await;
    assert_eq!((items, fault), ((1..=10_000).collect(), None));
    let typed = CounterClient::new(&client).count(3).await.unwrap();
    assert_eq!(typed.map(Result::unwrap).collect::<Vec<_>>().await, [1, 2, 3]);
}

#[tokio::test]
async fn faults_are_those_that_the_server_tells() {
    let broken = || Fault::from("broken").with_code(7).with_data(json!({"at": 1}));
    let router = Router::new()
        .procedure("breaks", move || {
            let items = stream::iter([Ok(1), Err(broken()), Ok(3)]);
            async move { items }
        })
        .procedure("refuses", async || Err::<stream::Empty<u64>, _>(Fault::from("not today").with_code(8)))
        .procedure("value", async || 5)
        .procedure("flag", async || true)
        .procedure("words", async || stream::iter(["a"]));
    let client = to(router).await;
    let (items, fault) = all(&mut client.stream("breaks", ()).await.unwrap()).await;
    let fault = fault.unwrap();
    assert_eq!((items, fault.code(), fault.message()), (vec![1], Some(7), "broken"));
    assert_eq!(fault.data::<Value>().unwrap(), json!({"at": 1}));
    assert_eq!(client.stream::<u64>("refuses", ()).await.unwrap_err().code(), Some(8));
    let fault = client.stream::<u64>("flag", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::InvalidReply);
    // a number may be the id of a stream: that there is none shows when the answer ends
    let (items, fault) = all(&mut client.stream("value", ()).await.unwrap()).await;
    assert_eq!((items, fault.unwrap().kind()), (vec![], FaultKind::Disconnected));
    assert_eq!(client.stream::<u64>("none", ()).await.unwrap_err().kind(), FaultKind::NotFound);
    let (items, fault) = all(&mut client.stream("words", ()).await.unwrap()).await;
    assert_eq!((items.len(), fault.unwrap().kind()), (0, FaultKind::InvalidReply));
}

/// A stream that is endless, and whoever hears of its being dropped.
fn endless() -> (Router, oneshot::Receiver<()>) {
    let (dropped, hears) = oneshot::channel::<()>();
    let dropped = Mutex::new(Some(dropped));
    let router =
        Router::new().procedure(
            "endless",
            handler(move || {
                let dropped = dropped.lock().unwrap().take();
                async move {
                    stream::repeat("x").inspect(move |_| assert!(dropped.is_some(), "it is opened once"))
                }
            }),
        );
    (router, hears)
}

#[tokio::test]
async fn a_stream_that_is_dropped_ends_on_the_server() {
    let (router, dropped) = endless();
    let client = to(router.procedure("ping", async || "pong")).await;
    let mut items = client.stream::<String>("endless", ()).await.unwrap();
    assert_eq!(items.next().await.unwrap().unwrap(), "x");
    drop(items);
    assert!(dropped.await.is_err(), "its sender is gone");
    assert_eq!(client.call::<String>("ping", ()).await.unwrap(), "pong");
}

#[tokio::test]
async fn closing_the_client_breaks_its_streams_off() {
    let (router, dropped) = endless();
    let client = to(router).await;
    let mut items = client.stream::<String>("endless", ()).await.unwrap();
    client.close().await;
    let fault = loop {
        if let Err(fault) = items.next().await.unwrap() {
            break fault;
        }
    };
    assert_eq!(fault.kind(), FaultKind::Disconnected);
    assert!(items.next().await.is_none());
    assert!(dropped.await.is_err());
    assert_eq!(client.stream::<u64>("endless", ()).await.unwrap_err().kind(), FaultKind::Disconnected);
}

#[tokio::test]
async fn nothing_is_read_that_is_not_taken() {
    const LONG: &str = "a text that is a little longer than most, and comes again and again and again";
    let (made, counted) = tokio::sync::watch::channel(0_u64);
    let router = Router::new().procedure("endless", move || {
        let made = made.clone();
        async move { stream::repeat(LONG).inspect(move |_| made.send_modify(|made| *made += 1)) }
    });
    let client = to(router).await;
    let mut items = client.stream::<String>("endless", ()).await.unwrap();
    assert_eq!(items.next().await.unwrap().unwrap(), LONG);
    // what stands still for as long as calls come and go is what the sockets hold
    let mut before = 0;
    loop {
        for _ in 0..50 {
            client.call::<u64>("none", ()).await.unwrap_err();
        }
        let now = *counted.borrow();
        assert!(now < 1_000_000, "{now} items were made for nobody");
        if now == before {
            break;
        }
        before = now;
    }
    // it goes on as items are taken: there are more than had been made
    for _ in 0..before + 1000 {
        assert_eq!(items.next().await.unwrap().unwrap(), LONG);
    }
}

/// Answers the first request with `head` and then what the returned socket is given.
async fn scripted(head: &'static str) -> (SocketAddr, oneshot::Receiver<(String, TcpStream)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, hears) = oneshot::channel();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let (mut request, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            assert!(stream.read_line(&mut line).await.unwrap() > 0, "it hung up inside the request");
            if let Some(said) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = said.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
            request += &line;
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        request += std::str::from_utf8(&body).unwrap();
        let mut stream = stream.into_inner();
        stream.write_all(head.as_bytes()).await.unwrap();
        asked.send((request, stream)).unwrap();
    });
    (address, hears)
}

const EVENTS: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\r\n";

/// What comes of a stream whose whole response is this.
async fn answered(
    head: &'static str,
    body: impl Into<String>,
) -> Result<(Vec<u64>, Option<Fault>, u64), Fault> {
    let (address, asked) = scripted(head).await;
    let limits = Limits::default().max_message(1000);
    let client = Client::builder(format!("http://{address}/rpc")).limits(limits).connect().await.unwrap();
    let body = body.into();
    tokio::spawn(async move {
        let (_, mut stream) = asked.await.unwrap();
        // who has seen enough hangs up
        let _ = stream.write_all(body.as_bytes()).await;
    });
    let mut stream = client.stream::<u64>("sub", ()).await?;
    let (items, fault) = all(&mut stream).await;
    Ok((items, fault, stream.missed()))
}

const OPENED: &str = "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":5}\n\n";

fn said(params: &Value) -> String {
    format!("data: {}\n\n", json!({"jsonrpc": "2.0", "method": "sub", "params": params}))
}

fn item(n: u64) -> String {
    said(&json!({"subscription": 5, "result": n}))
}

fn end() -> String {
    format!("data: {}\n\n", json!({"jsonrpc": "2.0", "method": "rpc.end", "params": {"subscription": 5}}))
}

#[tokio::test]
async fn what_is_asked_for() {
    let (address, asked) = scripted(EVENTS).await;
    let client = Client::connect(format!("http://{address}/rpc")).await.unwrap();
    let opening = tokio::spawn(async move { client.stream::<u64>("sub", (1,)).await.map(drop) });
    let (request, mut stream) = asked.await.unwrap();
    let request = request.to_ascii_lowercase();
    assert!(request.starts_with("post /rpc "), "{request}");
    assert!(request.contains("accept: text/event-stream\r\n"), "{request}");
    assert!(!request.contains("accept: application/json"), "{request}");
    let body = request.lines().last().unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body, json!({"jsonrpc": "2.0", "id": 1, "method": "sub", "params": [1]}));
    stream.write_all(OPENED.as_bytes()).await.unwrap();
    opening.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_events_say_is_heard_and_what_is_around_them_goes_by() {
    let missed = json!({"jsonrpc": "2.0", "method": "rpc.missed", "params": {"subscription": 5, "items": 3}});
    let body = [
        ": hello\n\n",
        "event: ping\ndata: 1\n\n",
        OPENED,
        &item(1).replace("data: ", "id: 3\ndata:").replace('\n', "\r\n"),
        &said(&json!({"subscription": 6, "result": 8})),
        &format!("data: {missed}\n\n"),
        &said(&json!({"subscription": 5, "results": [2, 3]})),
        "data: {\"jsonrpc\":\"2.0\",\ndata: \"method\":\"sub\",\"params\":{\"subscription\":5,\ndata: \"result\":4}}\n\n",
        &end(),
        &item(9),
    ]
    .concat();
    assert_eq!(answered(EVENTS, body).await, Ok((vec![1, 2, 3, 4], None, 3)));
}

#[tokio::test]
async fn a_response_that_is_not_as_it_should_be_is_a_fault() {
    let cases = [
        (String::new(), FaultKind::Disconnected, "ended before the stream did", ""),
        (item(2)[..20].to_owned(), FaultKind::Disconnected, "ended before the stream did", "inside an event"),
        ("data: rubbish\n\n".to_owned(), FaultKind::InvalidReply, "no message of its protocol", ""),
        ("data: \n\n".to_owned(), FaultKind::InvalidReply, "no message of its protocol", ""),
        ("data: \u{1}{}[\n\n".to_owned(), FaultKind::InvalidReply, "no message of its protocol", ""),
        (format!("data: {}\n\n", "1".repeat(1001)), FaultKind::ReplyTooLarge, "1000 bytes", ""),
        ("x".repeat(5000), FaultKind::ReplyTooLarge, "`max_message`", ""),
        (said(&json!({"subscription": 5, "result": "x"})), FaultKind::InvalidReply, "", ""),
    ];
    for (rest, kind, message, data) in cases {
        let (items, fault, _) = answered(EVENTS, [OPENED, &item(1), &rest].concat()).await.unwrap();
        let fault = fault.unwrap();
        assert_eq!((items, fault.kind()), (vec![1], kind), "{rest}: {fault}");
        assert!(fault.message().contains(message), "{rest}: {fault}");
        assert!(fault.raw_data().unwrap_or_default().contains(data), "{rest}: {fault:?}");
    }
}

#[tokio::test]
async fn what_opens_no_stream_is_told() {
    async fn refused(head: &'static str, body: &str, kind: FaultKind, message: &str) {
        let fault = answered(head, body).await.unwrap_err();
        assert_eq!(fault.kind(), kind, "{fault}");
        assert!(fault.message().contains(message), "{fault}");
    }
    const JSON: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
    let opened = r#"{"jsonrpc":"2.0","id":1,"result":5}"#;
    refused(JSON, opened, FaultKind::InvalidReply, "sends no `text/event-stream`").await;
    refused(JSON, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, FaultKind::InvalidReply, "gives no stream")
        .await;
    let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}"#;
    refused(JSON, error, FaultKind::NotFound, "Method not found").await;
    refused(JSON, "<html>", FaultKind::InvalidReply, "200 OK, but with no answer").await;
    let busy = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/event-stream\r\n\r\n";
    refused(busy, "", FaultKind::Unavailable, "503").await;
    let refusal = r#"data: {"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no"}}"#;
    refused(EVENTS, &format!("{refusal}\n\n"), FaultKind::InvalidRequest, "no").await;
    refused(EVENTS, "", FaultKind::Disconnected, "ended before the stream did").await;
    refused(EVENTS, "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n", FaultKind::InvalidReply, "")
        .await;
}

#[tokio::test]
async fn who_drops_a_stream_hangs_up() {
    let (address, asked) = scripted(EVENTS).await;
    let client = Client::connect(format!("http://{address}")).await.unwrap();
    let opening = tokio::spawn(async move { client.stream::<u64>("sub", ()).await });
    let (_, mut server) = asked.await.unwrap();
    server.write_all(OPENED.as_bytes()).await.unwrap();
    drop(opening.await.unwrap().unwrap());
    assert_eq!(server.read(&mut [0; 10]).await.unwrap_or(0), 0, "the connection is closed");
}

#[tokio::test]
async fn a_stream_that_does_not_open_in_time_is_given_up() {
    let (address, asked) = scripted(EVENTS).await;
    let client = Client::connect(format!("http://{address}")).await.unwrap();
    const HOUR: Duration = Duration::from_secs(3600);
    let opening = tokio::spawn(async move { client.stream::<u64>("sub", ()).timeout(HOUR).await });
    let (_, mut server) = asked.await.unwrap();
    // not before it has been asked: connecting takes its time, and no clock may run ahead of it
    tokio::time::pause();
    tokio::time::advance(HOUR).await;
    assert_eq!(opening.await.unwrap().unwrap_err().kind(), FaultKind::DeadlineExceeded);
    assert_eq!(server.read(&mut [0; 10]).await.unwrap_or(0), 0, "the connection is closed");
}
