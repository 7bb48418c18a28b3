//! Streams that take little at a time, while both sides have much to say.

use crate::support::{TestServer, request, service};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};
use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream, ReadBuf,
};
use trunkline::{
    Client, Connection, Fault, Hooks, Limits, Link, Peer, Router, framing::Lines, serve, ws::WebSocket,
};

/// Much less than what is sent.
const NARROW: usize = 64;

/// A link over one end of a stream.
fn link(stream: DuplexStream) -> Link {
    Link::new(stream, Lines::default(), Connection::new("memory", "jsonrpc"))
}

fn limits() -> Limits {
    Limits::default().max_unsent(1000).max_in_flight(4)
}

fn router() -> Router {
    Router::new()
        .procedure("down", async |len: usize| "x".repeat(len))
        .procedure("up", async |text: String| text.len())
        .procedure("mutual", async |peer: Peer, len: usize| -> Result<usize, Fault> {
            Ok(peer.call::<String>("down", (len,)).await?.len())
        })
}

/// A client and a server, each of which serves the other.
fn pair(limits: impl Fn() -> Limits) -> Client {
    let server = TestServer::new(service(router(), limits())).pipe(NARROW);
    server.builder().router(router()).limits(limits()).connect_lazy().unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_goes_up_does_not_wait_for_what_comes_down() {
    let client = pair(limits);
    let text = "y".repeat(5000);
    let downs = join_all((0..30).map(|_| client.call::<String>("down", (5000,))));
    let ups = join_all((0..30).map(|_| client.call::<usize>("up", (&text,))));
    let (downs, ups) = tokio::join!(downs, ups);
    assert!(downs.into_iter().all(|down| down.unwrap().len() == 5000));
    assert!(ups.into_iter().all(|up| up.unwrap() == 5000));
}

#[tokio::test(start_paused = true)]
async fn large_answers_pass_each_other() {
    // as much as all of them, so that none is refused
    let client = pair(|| limits().max_in_flight(20));
    let mutual = join_all((0..10).map(|_| client.call::<usize>("mutual", (5000,))));
    let downs = join_all((0..10).map(|_| client.call::<String>("down", (5000,))));
    let (mutual, downs) = tokio::join!(mutual, downs);
    assert!(mutual.into_iter().all(|len| len.unwrap() == 5000));
    assert!(downs.into_iter().all(|down| down.unwrap().len() == 5000));
}

/// A server at the far end of a narrow stream, and its peer of this end.
async fn with_peer(
    router: Router,
    limits: Limits,
    far: impl FnOnce(DuplexStream) -> Link,
) -> (DuplexStream, Peer) {
    let (here, there) = tokio::io::duplex(NARROW);
    let (tell, told) = tokio::sync::oneshot::channel();
    let tell = Mutex::new(Some(tell));
    let connected = move |peer: &Peer| {
        if let Some(tell) = tell.lock().unwrap().take() {
            let _ = tell.send(peer.clone());
        }
    };
    let service = service(router, limits).hooks(Hooks::default().on_connect(connected));
    let far = far(there);
    tokio::spawn(async move { serve(far, &service).await });
    (here, told.await.unwrap())
}

#[tokio::test(start_paused = true)]
async fn events_pass_each_other() {
    const EVENTS: usize = 200;
    let (here, peer) = with_peer(router(), limits(), link).await;
    let client = Client::over(link(here)).router(router()).limits(limits()).connect_lazy().unwrap();
    let far = loop {
        match client.server() {
            Some(far) => break far,
            None => tokio::task::yield_now().await,
        }
    };
    let flood = async |peer: Peer| {
        let mut sent = 0;
        while sent < EVENTS {
            match peer.notify("up", ("e".repeat(400),)) {
                Ok(()) => sent += 1,
                Err(_) => tokio::task::yield_now().await,
            }
        }
        peer.call::<usize>("up", ("after them all",)).await
    };
    let (near, far) = tokio::join!(flood(peer), flood(far));
    assert_eq!((near.unwrap(), far.unwrap()), (14, 14));
}

/// Peers that send no line feeds get one message a write, in order and whole,
/// however slowly they read.
#[tokio::test(start_paused = true)]
async fn a_paced_peer_that_reads_slowly_gets_all_in_order() {
    let (mut here, peer) = with_peer(router(), Limits::default(), link).await;
    here.write_all(request(1, "down", json!([2000])).as_bytes()).await.unwrap();
    let mut text = vec![0; 1];
    here.read_exact(&mut text).await.unwrap();
    for at in 0..6 {
        peer.notify("tick", (at, "x".repeat(at * 40))).unwrap();
        tokio::task::yield_now().await;
    }
    let mut lines = BufReader::new(text.chain(here)).lines();
    let mut next =
        async || serde_json::from_str::<Value>(&lines.next_line().await.unwrap().unwrap()).unwrap();
    assert_eq!(next().await["result"], "x".repeat(2000));
    for at in 0..6 {
        assert_eq!(next().await["params"][0], at);
    }
}

/// RFC 6455, section 5.5.1: nothing follows the Close frame.
#[tokio::test(start_paused = true)]
async fn what_was_said_before_the_goodbye_leaves_before_it() {
    let far = |there| Link::new(there, WebSocket::server(), Connection::new("websocket", "jsonrpc"));
    let (mut here, peer) = with_peer(Router::new(), Limits::default().max_unsent(4000), far).await;
    let mut said = 0;
    for at in 0..100 {
        said += usize::from(peer.notify("tick", (at, "x".repeat(60))).is_ok());
        tokio::task::yield_now().await;
    }
    peer.close();
    let mut all = Vec::new();
    here.read_to_end(&mut all).await.unwrap();
    let (mut at, mut opcodes) = (0, Vec::new());
    while let Some([first, len, ..]) = all.get(at..) {
        opcodes.push(first & 15);
        at += 2 + usize::from(*len);
    }
    assert_eq!(opcodes, [vec![1; said], vec![8]].concat());
}

/// Takes what is written into a buffer of its own, which is never passed on: as
/// TLS does when the far side does not read.
struct Swallowing(DuplexStream);

impl AsyncRead for Swallowing {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Swallowing {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_stream_holds_back_counts_as_not_taken() {
    let served = |router: Router| {
        let (here, there) = tokio::io::duplex(1 << 16);
        let service = service(router, Limits::default());
        let link = Link::new(Swallowing(there), Lines::default(), Connection::new("tls", "jsonrpc"));
        (here, tokio::spawn(async move { serve(link, &service).await.to_string() }))
    };
    let (mut here, ended) = served(router());
    here.write_all(request(1, "down", json!([10])).as_bytes()).await.unwrap();
    assert!(ended.await.unwrap().contains("`stall_timeout`"));
    // one that was to be closed is not left open because it cannot be closed in good order
    let closing = Router::new().procedure("bye", async |peer: Peer| peer.close());
    let (mut here, ended) = served(closing);
    here.write_all(request(1, "bye", json!([])).as_bytes()).await.unwrap();
    assert!(ended.await.unwrap().contains("`stall_timeout`"));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_takes_nothing_can_be_broken_off() {
    let (_here, peer) = with_peer(router(), Limits::default(), link).await;
    peer.notify("much", ("x".repeat(10_000),)).unwrap();
    let begun = tokio::time::Instant::now();
    peer.abort();
    peer.closed().await;
    assert!(begun.elapsed() < Limits::default().stall_timeout / 2, "it took {:?}", begun.elapsed());
}

/// The answer to a ping stands behind all that was sent before.
#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_not_idle() {
    let (mut here, there) = tokio::io::duplex(4096);
    let service = service(router(), Limits::default().idle_timeout(Duration::from_secs(4)));
    let far = Link::new(there, WebSocket::server(), Connection::new("websocket", "jsonrpc"));
    tokio::spawn(async move { serve(far, &service).await });
    let call = request(1, "down", json!([200_000]));
    let head = [0x81, 0x80 | u8::try_from(call.len()).unwrap(), 0, 0, 0, 0];
    here.write_all(&[&head, call.as_bytes()].concat()).await.unwrap();
    let mut taken = 0;
    let mut some = vec![0; 4096];
    while taken < 200_000 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let count = here.read(&mut some).await.unwrap();
        assert!(count > 0, "closed after {taken} bytes");
        taken += count;
    }
}

/// What is held back for a far side that sends no line feeds reaches one that
/// turns out to send some after all.
#[tokio::test(start_paused = true)]
async fn an_answer_held_back_survives_the_first_line_feed() {
    let (mut here, there) = tokio::io::duplex(1 << 16);
    let service = service(router(), Limits::default());
    let framing = WebSocket::server().carrying(Box::new(Lines::default()));
    tokio::spawn(async move {
        serve(Link::new(there, framing, Connection::new("websocket", "jsonrpc")), &service).await
    });
    let frame = |text: String| {
        [&[0x81, 0x80 | u8::try_from(text.len()).unwrap(), 0, 0, 0, 0], text.as_bytes()].concat()
    };
    let one = frame(request(1, "up", json!(["a"])));
    let two = frame(request(2, "up", json!(["b"])) + "\n");
    here.write_all(&[one, two].concat()).await.unwrap();
    let mut text = String::new();
    while !(text.contains("\"id\":1") && text.contains("\"id\":2")) {
        let mut some = [0; 4096];
        let read = tokio::time::timeout(Duration::from_secs(60), here.read(&mut some)).await;
        let count = read.unwrap_or_else(|_| panic!("only {text:?} came")).unwrap();
        text += &String::from_utf8_lossy(&some[..count]);
    }
}

/// Limits of time may be as long as can be said.
#[tokio::test(start_paused = true)]
async fn never_is_a_time_too() {
    let never = Duration::MAX;
    let limits = Limits::default()
        .call_timeout(never)
        .idle_timeout(never)
        .stall_timeout(never)
        .message_timeout(never)
        .handshake_timeout(never)
        .drain_timeout(never);
    let patient =
        Router::new().procedure("patient", trunkline::handler(async || 1).timeout(never)).merge(router());
    let client = crate::support::client(patient, limits, Router::new());
    assert_eq!(client.call::<u8>("patient", ()).timeout(never).await.unwrap(), 1);
    assert_eq!(client.call::<usize>("up", ("four",)).await.unwrap(), 4);
}

/// Handlers that yield by waking themselves let others have their turn.
#[tokio::test]
async fn a_handler_that_yields_lets_others_have_their_turn() {
    let done: Arc<std::sync::atomic::AtomicBool> = Arc::default();
    let router = Router::new().procedure("wait", move || {
        let done = done.clone();
        async move {
            let set = done.clone();
            tokio::spawn(async move { set.store(true, std::sync::atomic::Ordering::SeqCst) });
            let mut yields = 0;
            std::future::poll_fn(|cx| {
                yields += 1;
                assert!(yields < 10_000, "the task it waits for never has its turn");
                match done.load(std::sync::atomic::Ordering::SeqCst) {
                    true => Poll::Ready("done"),
                    false => {
                        cx.waker().wake_by_ref();
                        Poll::Pending
                    }
                }
            })
            .await
        }
    });
    let client = crate::support::client(router, Limits::default(), Router::new());
    assert_eq!(client.call::<String>("wait", ()).await.unwrap(), "done");
}
