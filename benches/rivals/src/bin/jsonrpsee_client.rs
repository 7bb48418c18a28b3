//! jsonrpsee's WebSocket client: `--window` tasks that call `add` at `--address`.

use std::rc::Rc;

use anyhow::Result;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::core::params::ObjectParams;
use jsonrpsee::ws_client::WsClientBuilder;
use rivals::args::Args;
use rivals::callers::measure;
use rivals::serve::runtime;

fn main() -> Result<()> {
    let args = Args::from_env()?;
    runtime(&args)?.block_on(async {
        let address: String = args.need("address")?;
        // As many calls as the window needs; 256 is its default.
        let builder = WsClientBuilder::default().max_concurrent_requests(args.get("window", 64)?.max(256));
        let client = Rc::new(builder.build(format!("ws://{address}")).await?);
        let call = move || {
            let client = Rc::clone(&client);
            async move {
                let mut params = ObjectParams::new();
                params.insert("a", 1)?;
                params.insert("b", 2)?;
                Ok(client.request::<i64, _>("add", params).await?)
            }
        };
        measure(&args, call).await
    })
}
