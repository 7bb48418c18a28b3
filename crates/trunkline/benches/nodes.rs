//! What a call through two nodes costs, of which one asks the other by way of the broker in memory: all that nodes do, and
//! nothing of sockets.
//!
//! Its counts of instructions, with those of the functions below `Forward::start` and `Serving::take`, tell what either
//! node does; times are those of both together.

use divan::{Bencher, counter::ItemsCount};
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    runtime::Runtime,
};
use trunkline::{Connection, Fault, Link, Router, Server, broker::Memory, framing::Lines};

/// Calls that arrive together; the next arrive when all are answered.
const BATCH: usize = 64;
/// Calls of one connection, so that opening it, and joining the network, counts for little.
const CALLS: usize = 1 << 14;

fn main() {
    divan::main();
}

#[divan::bench(sample_size = 1)]
fn in_memory(bencher: Bencher<'_, '_>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let broker = Memory::new();
    runtime.block_on(async {
        let handler =
            Server::new(router()).broker(broker.clone()).unannounced().bind().await.expect("a handler");
        handler.joined().await;
        tokio::spawn(handler.serve());
    });
    let requests = requests();
    bencher.counter(ItemsCount::new(CALLS)).bench_local(|| run(&runtime, &broker, &requests));
}

fn router() -> Router {
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    struct Add {
        a: i64,
        b: i64,
    }
    #[derive(serde::Serialize, schemars::JsonSchema)]
    struct Sum {
        sum: i64,
    }
    Router::new().procedure("math.add", async |add: Add| Ok::<_, Fault>(Sum { sum: add.a + add.b }))
}

/// A gateway that is asked so often.
fn run(runtime: &Runtime, broker: &Memory, requests: &Arc<[u8]>) {
    let gateway = Server::new(Router::new()).broker(broker.clone()).unannounced();
    let client =
        Client { requests: requests.clone(), at: 0, times: CALLS / BATCH, unanswered: BATCH, reader: None };
    let link = Link::new(client, Lines::default(), Connection::new("memory", "jsonrpc"));
    runtime.block_on(gateway.serve_link(link));
}

fn requests() -> Arc<[u8]> {
    let call =
        |id| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"math.add","params":{{"a":1,"b":2}}}}"#) + "\n";
    (1000..1000 + BATCH).map(call).collect::<String>().into_bytes().into()
}

/// Somebody who asks the same things again and again, when all were answered.
struct Client {
    requests: Arc<[u8]>,
    at: usize,
    times: usize,
    unanswered: usize,
    reader: Option<Waker>,
}

impl AsyncRead for Client {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.at == this.requests.len() {
            if this.unanswered > 0 {
                this.reader = Some(cx.waker().clone());
                return Poll::Pending;
            }
            (this.at, this.unanswered, this.times) = (0, BATCH, this.times - 1);
        }
        if this.times > 0 {
            let count = buffer.remaining().min(this.requests.len() - this.at);
            buffer.put_slice(&this.requests[this.at..this.at + count]);
            this.at += count;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Client {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        for answer in bytes.split_inclusive(|byte| *byte == b'\n') {
            assert!(answer.ends_with(b"\"result\":{\"sum\":3}}\n"), "{}", String::from_utf8_lossy(answer));
            self.unanswered -= 1;
        }
        if self.unanswered == 0
            && let Some(reader) = self.reader.take()
        {
            reader.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
