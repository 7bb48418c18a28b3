//! A closed loop: every answer lets the next call go, so the window stays full.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rivals::args::Args;
use rivals::order;
use rivals::replies::Replies;
use rivals::requests::{ADD, Requests, Wire};
use rivals::stretch::{Servers, Stretch};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::socket;

/// Seen by all connections of one run.
#[derive(Debug, Default)]
struct Tally {
    answers: Cell<u64>,
    bytes: Cell<u64>,
    /// The tally at which `enough` is told.
    limit: Cell<u64>,
    enough: Notify,
}

/// Runs `--connections` with `--window` calls in flight each, for `--seconds` or `--calls`, whichever is first.
///
/// CPU time is read after a warm-up and again at the end, while the window is full.
pub(crate) async fn measure(args: &Args) -> Result<Value> {
    let (wire, server): (Wire, Servers) = (args.need("wire")?, args.need("pid")?);
    let (connections, window) = (args.get("connections", 1_usize)?, args.get("window", 64_usize)?);
    let (seconds, most) = (args.get("seconds", 1.0)?, args.get("calls", u64::MAX)?);
    let address: String = args.need("address")?;
    let method = args.text("method").unwrap_or("add");
    let call = |params: &str| Requests::encode(wire, method, params, window);
    let (requests, expected) = match method {
        // An echo sends the call itself back.
        "echo" => (call(ADD), r#""method":"echo""#),
        "order" | "order_unchecked" => (call(&order::params()), r#""result":6"#),
        "math::add::1" => (Requests::therms(wire, "math", "add", ADD, window), r#""data":{"sum":3}"#),
        _ => (call(ADD), r#""result":3"#),
    };
    let requests = Rc::new(requests);

    let tally = Rc::new(Tally { limit: Cell::new(u64::MAX), ..Tally::default() });
    let mut running = JoinSet::new();
    let mut answer = 0;
    for n in 0..connections {
        let mut stream = socket::open(&address, wire).await?;
        if n == 0 {
            answer = probe(&mut stream, wire, &requests, expected).await?;
        }
        running.spawn_local(pump(stream, wire, Rc::clone(&requests), window, Rc::clone(&tally)));
    }

    let measured = async {
        tokio::time::sleep(Duration::from_millis(args.get("warmup", 200)?)).await;
        let (answers, bytes, stretch) = (tally.answers.get(), tally.bytes.get(), Stretch::begin(server)?);
        tally.limit.set(answers.saturating_add(most));
        let _ = timeout(Duration::from_secs_f64(seconds), tally.enough.notified()).await;
        let (answers, bytes) = (tally.answers.get() - answers, tally.bytes.get() - bytes);
        let mut found = stretch.end(answers)?;
        // An error is longer than a result: a server that began to refuse would show here.
        let each = bytes as f64 / answers as f64;
        let whole = (each / answer as f64 - 1.0).abs() < 0.01 || answers < 10_000;
        ensure!(
            whole,
            "the first answer took {answer} bytes, but {each:.1} was the mean: not all are results"
        );
        found["answers"] = tally.answers.get().into();
        Ok(found)
    };
    tokio::select! {
        found = measured => found,
        Some(ended) = running.join_next() => Err(ended?.context("a connection ended early")?),
    }
}

/// Makes one call, and looks at the answer: its length is what all others must have.
async fn probe(stream: &mut TcpStream, wire: Wire, requests: &Requests, expected: &str) -> Result<usize> {
    stream.write_all(requests.batch(0, 1)).await?;
    let (mut replies, mut answer) = (Replies::new(wire), Vec::new());
    loop {
        let before = answer.len();
        ensure!(stream.read_buf(&mut answer).await? > 0, "the server hung up on the first call");
        if replies.count(&answer[before..])? == 1 {
            break;
        }
    }
    let text = String::from_utf8_lossy(&answer);
    ensure!(text.contains(expected), "the first answer is wrong: {text}");
    Ok(answer.len())
}

/// Keeps `window` calls in flight on `stream`; ends with an error or not at all.
async fn pump(
    mut stream: TcpStream,
    wire: Wire,
    requests: Rc<Requests>,
    window: usize,
    tally: Rc<Tally>,
) -> Result<anyhow::Error> {
    let (mut replies, mut read) = (Replies::new(wire), vec![0; 256 * 1024]);
    stream.write_all(requests.batch(0, window)).await?;
    let mut sent = window as u64;
    loop {
        let length = stream.read(&mut read).await?;
        if length == 0 {
            return Ok(anyhow::anyhow!("the server hung up after {} answers", tally.answers.get()));
        }
        let answered = replies.count(&read[..length]).context("an answer cannot be counted")?;
        ensure!(answered <= window, "more answers than calls");
        tally.bytes.set(tally.bytes.get() + length as u64);
        tally.answers.set(tally.answers.get() + answered as u64);
        if tally.answers.get() >= tally.limit.get() {
            tally.enough.notify_one();
        }
        if answered > 0 {
            stream.write_all(requests.batch(sent, answered)).await?;
            sent += answered as u64;
        }
    }
}
