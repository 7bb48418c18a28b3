//! Serves what the interoperability kits call, on ports of its own choice, and prints
//! one line of JSON that names them.
//!
//! ```text
//! cargo run --release --example interop -- jsonrpc
//! ```

mod demo;
mod jsonrpc;
mod streams;

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
        _ => Err("usage: interop jsonrpc [--stdio-ndjson | --stdio-lsp], or interop streams".into()),
    }
}
