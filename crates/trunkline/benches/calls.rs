//! What a call costs in memory: one connection, many calls a read, and a stream that costs nothing.
//!
//! `alike` are calls that look like the one before, which most are; `unlike` are calls of which each second one is
//! spelled in another order, so that each is read with the scanner: the road not taken; `constrained` are calls with an
//! argument of 1 KiB whose schema says more than its type, unchecked and checked. `docs/performance.md` tells how the
//! time is spent.

#[path = "support/order.rs"]
#[expect(unreachable_pub, reason = "it is a module of benches/rivals too")]
mod order;

use self::order::Order;
use divan::{Bencher, counter::ItemsCount};
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    runtime::Runtime,
};
use trunkline::{Connection, Fault, JsonRpc, Link, Router, Service, framing::Lines, handler, serve};

/// Calls that arrive together.
const BATCHES: [usize; 3] = [1, 64, 512];
/// Calls of one connection, so that opening it counts for little.
const CALLS: usize = 1 << 14;

fn main() {
    let writes = run(&runtime(), &service(), &requests(64, |_| true), 64);
    assert_eq!(writes, CALLS / 64, "one write answers all that came with one read");
    divan::main();
}

#[divan::bench(args = BATCHES, sample_size = 1)]
fn alike(bencher: Bencher<'_, '_>, batch: usize) {
    bench(bencher, batch, |_| true);
}

#[divan::bench(args = BATCHES, sample_size = 1)]
fn unlike(bencher: Bencher<'_, '_>, batch: usize) {
    bench(bencher, batch, |at| at % 2 == 0);
}

#[divan::bench(args = [false, true], sample_size = 1)]
fn constrained(bencher: Bencher<'_, '_>, checked: bool) {
    let order = handler(async |order: Order| order.len());
    let order = if checked { order } else { order.unchecked() };
    let service = Service::new(Router::new().procedure("order", order), JsonRpc::default());
    let mut requests = String::new();
    let params = order::params();
    for id in 1000..1064 {
        requests += &format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"order","params":{params}}}"#);
        requests.push('\n');
    }
    let (runtime, requests) = (runtime(), requests.into_bytes().into());
    bencher.counter(ItemsCount::new(CALLS)).bench_local(|| run(&runtime, &service, &requests, 64));
}

fn bench(bencher: Bencher<'_, '_>, batch: usize, id_first: impl Fn(usize) -> bool) {
    let (runtime, service, requests) = (runtime(), service(), requests(batch, id_first));
    bencher.counter(ItemsCount::new(CALLS)).bench_local(|| run(&runtime, &service, &requests, batch));
}

/// Serves a connection on which `requests` arrive until there have been [`CALLS`]; how often it wrote.
fn run(runtime: &Runtime, service: &Service, requests: &Arc<[u8]>, batch: usize) -> usize {
    let writes = Arc::new(AtomicUsize::new(0));
    let stream = Memory {
        requests: requests.clone(),
        at: 0,
        times: CALLS.div_ceil(batch),
        paused: false,
        writes: writes.clone(),
    };
    let link = Link::new(stream, Lines::default(), Connection::new("memory", "jsonrpc"));
    runtime.block_on(serve(link, service));
    writes.load(Ordering::Relaxed)
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

fn service() -> Service {
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    struct Add {
        a: i64,
        b: i64,
    }
    let router = Router::new().procedure("add", async |add: Add| Ok::<_, Fault>(add.a + add.b));
    Service::new(router, JsonRpc::default())
}

fn requests(batch: usize, id_first: impl Fn(usize) -> bool) -> Arc<[u8]> {
    let mut requests = String::new();
    for at in 0..batch {
        let (id, params) = (1000 + at, format!(r#"{{"a":{at},"b":2}}"#));
        requests += &match id_first(at) {
            true => format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"add","params":{params}}}"#),
            false => format!(r#"{{"jsonrpc":"2.0","method":"add","params":{params},"id":{id}}}"#),
        };
        requests.push('\n');
    }
    requests.into_bytes().into()
}

/// A stream on which the same requests arrive again and again, with a pause between.
struct Memory {
    requests: Arc<[u8]>,
    at: usize,
    times: usize,
    paused: bool,
    writes: Arc<AtomicUsize>,
}

impl AsyncRead for Memory {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.at == this.requests.len() {
            (this.at, this.times, this.paused) = (0, this.times - 1, true);
        }
        if this.times == 0 {
            return Poll::Ready(Ok(()));
        }
        if std::mem::take(&mut this.paused) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let count = buffer.remaining().min(this.requests.len() - this.at);
        buffer.put_slice(&this.requests[this.at..this.at + count]);
        this.at += count;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Memory {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
