//! What a caller costs that never reads: how far the server's memory grows, and whether it lets go.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rivals::args::Args;
use rivals::meter::{resident_bytes, sockets};
use rivals::requests::{ADD, Requests, Wire};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::socket;

/// How many calls go into one write.
const BATCH: usize = 64;

/// Sends up to `--calls` and reads nothing, then waits up to `--patience` seconds for the server to close.
///
/// Sending ends early once the server has taken nothing for a second. Whether it closed is seen from its side: a
/// peer that reads nothing may never hear of it.
pub(crate) async fn measure(args: &Args) -> Result<Value> {
    let (wire, server): (Wire, u32) = (args.need("wire")?, args.need("pid")?);
    let (calls, patience) = (args.get("calls", 300_000_u64)?, args.get("patience", 10.0)?);
    let requests = Requests::encode(wire, "add", ADD, BATCH);
    let address: String = args.need("address")?;

    let closed_at = sockets(server)?;
    let stream = socket::open(&address, wire).await?;
    ensure!(sockets(server)? > closed_at, "the server's sockets cannot be seen");
    let (before, start) = (resident_bytes(server)?, Instant::now());
    let (mut most, mut sent) = (before, 0_u64);
    let mut rest: &[u8] = &[];
    let mut hung_up = false;
    while sent < calls {
        if rest.is_empty() {
            rest = requests.batch(sent, BATCH);
            sent += BATCH as u64;
            if sent.is_multiple_of(8 * BATCH as u64) {
                most = most.max(resident_bytes(server)?);
            }
        }
        // A server that takes nothing for a second has stopped reading, which is what it should do.
        let Ok(ready) = timeout(Duration::from_secs(1), stream.writable()).await else { break };
        ready?;
        match stream.try_write(rest) {
            Ok(length) => rest = &rest[length..],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => {
                hung_up = true;
                break;
            }
        }
    }
    let deadline = Instant::now() + Duration::from_secs_f64(patience);
    let mut closed = None;
    loop {
        most = most.max(resident_bytes(server)?);
        if sockets(server)? <= closed_at {
            closed = Some(start.elapsed().as_secs_f64());
        }
        if closed.is_some() || Instant::now() > deadline {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let left = rest.len() / requests.each();
    Ok(json!({
        "sent": sent - left as u64, "grown": most - before, "closed_after": closed, "hung_up": hung_up,
    }))
}
