//! trunkline's client: `--window` tasks that call `add` at `--address`, over `--wire tcp` or `ws`; or, with
//! `--mode stream`, one stream of `--items`, read as fast as it comes.

use anyhow::{Context, Result, ensure};
use futures_util::StreamExt;
use rivals::args::Args;
use rivals::callers::measure;
use rivals::count::Count;
use rivals::sequence::{PATIENCE, Sequence};
use rivals::serve::runtime;
use rivals::stretch::{Servers, Stretch};
use rivals::sum::Add;
use tokio::time::timeout;
use trunkline::Client;

fn main() -> Result<()> {
    let args = Args::from_env()?;
    runtime(&args)?.block_on(async {
        let (wire, address): (String, String) = (args.need("wire")?, args.need("address")?);
        let client = Client::connect(&format!("{wire}://{address}")).await?;
        if args.text("mode") == Some("stream") {
            return stream(&args, &client).await;
        }
        let call = move || {
            let client = client.clone();
            async move { Ok(client.call::<i64>("add", &Add { a: 1, b: 2 }).await?) }
        };
        measure(&args, call).await
    })
}

/// Takes a stream item by item, as tonic's client does.
async fn stream(args: &Args, client: &Client) -> Result<()> {
    let (items, server): (u64, Servers) = (args.get("items", 1_000_000)?, args.need("pid")?);
    let mut sequence = Sequence::new(items);
    let stretch = Stretch::begin(server)?;
    let read = async {
        let mut numbers = client.stream::<u64>("count", Count { items });
        if args.text("waiting").is_some() {
            numbers = numbers.max_waiting(args.need("waiting")?);
        }
        let mut numbers = numbers.await?;
        while let Some(number) = numbers.next().await {
            sequence.take(number?)?;
        }
        anyhow::Ok(())
    };
    timeout(PATIENCE, read).await.context("the stream has stopped")??;
    ensure!(sequence.is_whole(), "the stream ended after {} items", sequence.taken());
    println!("{}", stretch.end(items)?);
    Ok(())
}
