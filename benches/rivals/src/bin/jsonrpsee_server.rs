//! jsonrpsee's server, WebSocket and HTTP on one port.
//!
//! Its defaults, but for limits that the load would meet: 20,000 connections, 4,096 messages buffered a connection.

use anyhow::Result;
use jsonrpsee::RpcModule;
use jsonrpsee::server::{Server, ServerConfig};
use jsonrpsee::types::ErrorObjectOwned;
use rivals::count::Count;
use rivals::serve::{announce, run};
use rivals::sum::Add;

fn main() -> Result<()> {
    run(async |_| {
        let limits =
            ServerConfig::builder().max_connections(20_000).set_message_buffer_capacity(4_096).build();
        let server = Server::builder().set_config(limits).build("127.0.0.1:0").await?;
        let address = server.local_addr()?;
        let mut module = RpcModule::new(());
        module.register_async_method("add", async |params, _, _| {
            let add: Add = params.parse()?;
            Ok::<_, ErrorObjectOwned>(add.sum())
        })?;
        module.register_async_method("add_spawn", async |params, _, _| {
            let add: Add = params.parse()?;
            let failed = |error| ErrorObjectOwned::owned(-32000, format!("{error}"), None::<()>);
            add.sum_elsewhere().await.map_err(failed)
        })?;
        module.register_subscription("count", "count", "uncount", |params, pending, _, _| async move {
            let count: Count = params.parse()?;
            let sink = pending.accept().await?;
            for n in count.numbers() {
                sink.send(serde_json::value::to_raw_value(&n)?).await?;
            }
            Ok(())
        })?;
        announce(&[("ws", address), ("http", address)]);
        server.start(module).stopped().await;
        Ok(())
    })
}
