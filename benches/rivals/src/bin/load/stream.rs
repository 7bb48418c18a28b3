//! One stream, read as fast as it comes: every message after the answer is an item.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rivals::args::Args;
use rivals::meter::cpu_nanos;
use rivals::replies::Replies;
use rivals::requests::{Requests, Wire};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::socket;

/// Opens a stream by `--method` and counts its items for `--seconds`, or until `--calls` have come.
///
/// CPU time is read after a warm-up and again at the end, while the stream goes on.
pub(crate) async fn measure(args: &Args) -> Result<Value> {
    let (wire, server): (Wire, u32) = (args.need("wire")?, args.need("pid")?);
    let warmup = Duration::from_millis(args.get("warmup", 200)?);
    let (seconds, most) =
        (Duration::from_secs_f64(args.get("seconds", 1.0)?), args.get("calls", usize::MAX)?);
    let address: String = args.need("address")?;
    let requests = Requests::encode(wire, args.text("method").unwrap_or("count"), 1);
    let mut stream = socket::open(&address, wire).await?;
    stream.write_all(requests.batch(0, 1)).await?;
    let (mut replies, mut read) = (Replies::new(wire), vec![0; 256 * 1024]);
    let (own, opened) = (std::process::id(), Instant::now());
    let (mut items, mut from) = (0, None);
    loop {
        let length = stream.read(&mut read).await?;
        ensure!(length > 0, "the server hung up after {items} items");
        items += replies.count(&read[..length]).context("an item cannot be counted")?;
        let (start, before, server_cpu, client_cpu) = match from {
            Some(from) => from,
            None if opened.elapsed() < warmup => continue,
            None => *from.insert((Instant::now(), items, cpu_nanos(server)?, cpu_nanos(own)?)),
        };
        if start.elapsed() < seconds && items - before < most {
            continue;
        }
        let text = String::from_utf8_lossy(&read[..length]);
        ensure!(text.contains(r#""subscription":"#), "what came last is no item: {text}");
        return Ok(json!({
            "calls": items - before, "seconds": start.elapsed().as_secs_f64(),
            "server_cpu": cpu_nanos(server)? - server_cpu, "client_cpu": cpu_nanos(own)? - client_cpu,
        }));
    }
}
