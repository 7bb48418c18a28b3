//! How output leaves: in as few writes as can be.

use crate::support::{Wire, request, service};
use serde_json::json;
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use trunkline::{Connection, Limits, Link, Router, framing::Lines, serve};

/// Counts the writes to a stream.
struct Counted(DuplexStream, Arc<AtomicUsize>);

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

async fn writes_for(calls: usize, method: &str) -> usize {
    let router = Router::new()
        .procedure("ready", async || 1)
        .procedure("awaits", async || tokio::spawn(async { 1 }).await.unwrap_or_default());
    let service = service(router, Limits::default());
    let (mut here, there) = tokio::io::duplex(1 << 20);
    let writes: Arc<AtomicUsize> = Arc::default();
    let link =
        Link::new(Counted(there, writes.clone()), Lines::default(), Connection::new("memory", "jsonrpc"));
    let all: String = (0..calls).map(|id| request(id, method, json!([])) + "\n").collect();
    here.write_all(all.as_bytes()).await.unwrap();
    here.shutdown().await.unwrap();
    serve(link, &service).await;
    writes.load(Ordering::SeqCst)
}

#[tokio::test]
async fn answers_to_one_read_leave_in_one_write() {
    assert_eq!(writes_for(64, "ready").await, 1);
}

/// Also where handlers wait for other tasks, which would otherwise let every
/// answer leave on its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn answers_of_handlers_that_wait_share_writes() {
    let writes = tokio::spawn(writes_for(64, "awaits")).await.unwrap();
    assert!(writes <= 4, "{writes} writes for 64 answers");
}

/// A peer that sends no line feeds is answered at a pace. The pause may be over
/// before the handler that made the answer is.
#[tokio::test]
async fn an_answer_that_took_longer_than_the_pause_leaves_at_once() {
    let router = Router::new().procedure("fast", async || 1).procedure("slow", async || {
        std::thread::sleep(std::time::Duration::from_millis(30));
        2
    });
    let mut wire = Wire::to(router);
    for _ in 0..3 {
        wire.send(request(1, "fast", json!([]))).await;
        assert_eq!(wire.next().await["result"], 1);
        wire.send(request(2, "slow", json!([]))).await;
        let answer = tokio::time::timeout(std::time::Duration::from_secs(20), wire.next()).await;
        assert_eq!(answer.expect("the answer is not held back")["result"], 2);
    }
}
