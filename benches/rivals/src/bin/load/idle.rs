//! What a connection costs that rests: the server's resident memory, before and after thousands were opened.

use anyhow::{Result, ensure};
use rivals::args::Args;
use rivals::meter::{open_files_allowed, resident_bytes};
use rivals::replies::Replies;
use rivals::requests::{ADD, Requests, Wire};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::socket;

/// Connections opened first and not counted: they pay for what is allocated once.
const SETTLING: usize = 200;

/// Opens `--connections`, then makes one call on each; memory is read after either.
pub(crate) async fn measure(args: &Args) -> Result<Value> {
    let (wire, server): (Wire, u32) = (args.need("wire")?, args.need("pid")?);
    let address: String = args.need("address")?;
    let wanted = args.get("connections", 10_000_usize)?;
    let connections = wanted.min(open_files_allowed().saturating_sub(SETTLING + 100));
    let requests = Requests::encode(wire, "add", ADD, 1);

    let mut settling = open(&address, wire, SETTLING).await?;
    call(&mut settling, wire, &requests).await?;
    let before = resident_bytes(server)?;
    let mut resting = open(&address, wire, connections).await?;
    let opened = resident_bytes(server)?;
    call(&mut resting, wire, &requests).await?;
    let called = resident_bytes(server)?;
    let each = |bytes: u64| bytes.saturating_sub(before) as f64 / connections as f64;
    Ok(json!({ "connections": connections, "opened": each(opened), "called": each(called) }))
}

pub(crate) async fn open(address: &str, wire: Wire, count: usize) -> Result<Vec<TcpStream>> {
    let mut streams = Vec::with_capacity(count);
    for _ in 0..count {
        streams.push(socket::open(address, wire).await?);
    }
    Ok(streams)
}

/// One call and its answer on each of `streams`.
async fn call(streams: &mut [TcpStream], wire: Wire, requests: &Requests) -> Result<()> {
    for stream in streams {
        stream.write_all(requests.batch(0, 1)).await?;
        let (mut replies, mut read) = (Replies::new(wire), [0; 1024]);
        loop {
            let length = stream.read(&mut read).await?;
            ensure!(length > 0, "the server hung up on an idle connection");
            if replies.count(&read[..length])? > 0 {
                break;
            }
        }
    }
    Ok(())
}
