//! One stream, read as fast as it comes.

use anyhow::{Context, Result, ensure};
use rivals::args::Args;
use rivals::count::Count;
use rivals::items::Items;
use rivals::requests::{Requests, Wire};
use rivals::sequence::PATIENCE;
use rivals::stretch::{Servers, Stretch};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::socket;

/// Opens a stream of `--items` and holds each against its place, from the call to the last of them.
pub(crate) async fn measure(args: &Args) -> Result<Value> {
    let (wire, server): (Wire, Servers) = (args.need("wire")?, args.need("pid")?);
    let (address, count): (String, _) = (args.need("address")?, args.get("items", 1_000_000)?);
    let params = serde_json::to_string(&Count { items: count })?;
    let requests = Requests::encode(wire, "count", &params, 1);
    let mut stream = socket::open(&address, wire).await?;
    let (mut items, mut read) = (Items::new(wire, count), vec![0; 256 * 1024]);
    let stretch = Stretch::begin(server)?;
    stream.write_all(requests.batch(0, 1)).await?;
    let all = async {
        while !items.sequence().is_whole() {
            let length = stream.read(&mut read).await?;
            ensure!(length > 0, "the server hung up after {} items", items.sequence().taken());
            items.take(&read[..length])?;
        }
        Ok(())
    };
    timeout(PATIENCE, all).await.context("the stream has stopped")??;
    stretch.end(count)
}
