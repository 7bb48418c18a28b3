//! Serves what the interoperability kits call, and prints one line that names the ports.
//!
//! ```text
//! cargo run --release --example interop -- jsonrpc
//! cargo run --release --features gzip --example interop -- therms --http 127.0.0.1:3995
//! cargo run --release --features amqp --example interop -- therms --role handler --broker amqp://127.0.0.1
//! ```

mod demo;
mod jsonrpc;
mod streams;
mod therms;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match *args {
        ["jsonrpc"] => jsonrpc::serve().await,
        ["jsonrpc", "--stdio-ndjson"] => jsonrpc::serve_stdio(trunkline::framing::Lines::default()).await,
        ["jsonrpc", "--stdio-lsp"] => {
            jsonrpc::serve_stdio(trunkline::framing::ContentLength::default()).await
        }
        ["streams"] => streams::serve().await,
        ["therms", ref options @ ..] => therms::serve(options).await,
        _ => Err("usage: interop jsonrpc [--stdio-ndjson | --stdio-lsp], interop streams, \
                  or interop therms OPTIONS"
            .into()),
    }
}
