//! tonic's client: one stream of `--items` from `--address`, read as fast as it comes.

use anyhow::{Context, Result, ensure};
use rivals::args::Args;
use rivals::count::Count;
use rivals::sequence::{PATIENCE, Sequence};
use rivals::serve::runtime;
use rivals::stretch::{Servers, Stretch};
use rivals::tonic_service::numbers_client::NumbersClient;
use tokio::time::timeout;
use tonic::transport::Endpoint;

fn main() -> Result<()> {
    let args = Args::from_env()?;
    let (address, server): (String, Servers) = (args.need("address")?, args.need("pid")?);
    let items = args.get("items", 1_000_000)?;
    runtime(&args)?.block_on(async {
        let channel = Endpoint::from_shared(format!("http://{address}"))?.connect().await?;
        let (mut client, mut sequence) = (NumbersClient::new(channel), Sequence::new(items));
        let stretch = Stretch::begin(server)?;
        let read = async {
            let mut numbers = client.count(Count { items }).await?.into_inner();
            while let Some(item) = numbers.message().await? {
                sequence.take(item.n)?;
            }
            anyhow::Ok(())
        };
        timeout(PATIENCE, read).await.context("the stream has stopped")??;
        ensure!(sequence.is_whole(), "the stream ended after {} items", sequence.taken());
        println!("{}", stretch.end(items)?);
        Ok(())
    })
}
