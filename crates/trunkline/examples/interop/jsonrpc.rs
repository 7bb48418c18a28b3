//! The endpoints of the JSON-RPC kit.

use crate::demo;
use std::error::Error;
use trunkline::{Link, Listener, Server, framing::Framing};

/// Serves every endpoint until the process is ended.
pub(crate) async fn serve() -> Result<(), Box<dyn Error>> {
    let server = Server::new(demo::router())
        .name("demo")
        .listen(Listener::tcp("127.0.0.1:0"))
        .listen(Listener::tcp("127.0.0.1:0").content_length())
        .bind()
        .await?;
    let addresses = server.addresses();
    let [tcp, lsp] = *addresses else { return Err("two listeners were bound".into()) };
    let here = std::env::current_exe()?;
    println!(
        "{}",
        serde_json::json!({
            "tcp": tcp.to_string(),
            "lsp": lsp.to_string(),
            "lsp_cmd": [here, "jsonrpc", "--stdio-lsp"],
            "ndjson_cmd": [here, "jsonrpc", "--stdio-ndjson"],
        })
    );
    server.serve().await;
    Ok(())
}

/// Serves the standard streams until the input ends.
pub(crate) async fn serve_stdio(framing: impl Framing + 'static) -> Result<(), Box<dyn Error>> {
    Server::new(demo::router()).name("demo").serve_link(Link::stdio(framing)).await;
    Ok(())
}
