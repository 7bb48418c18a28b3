//! trunkline's client: `--window` tasks that call `add` at `--address`, over `--wire tcp` or `ws`.

use anyhow::Result;
use rivals::args::Args;
use rivals::callers::measure;
use rivals::serve::runtime;
use rivals::sum::Add;
use trunkline::Client;

fn main() -> Result<()> {
    let args = Args::from_env()?;
    runtime(&args)?.block_on(async {
        let (wire, address): (String, String) = (args.need("wire")?, args.need("address")?);
        let client = Client::connect(&format!("{wire}://{address}")).await?;
        let call = move || {
            let client = client.clone();
            async move { Ok(client.call::<i64>("add", &Add { a: 1, b: 2 }).await?) }
        };
        measure(&args, call).await
    })
}
