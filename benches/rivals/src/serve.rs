//! How every server here starts, tells where it listens, and ends.

use std::future::Future;
use std::io::Read;
use std::net::SocketAddr;

use anyhow::{Result, bail};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use crate::args::Args;

/// Runs `server` on the runtime that `--runtime current|multi` names (default `current`).
///
/// `multi` has `--workers` threads, 1 unless told: what tokio itself would choose for a process pinned to one core.
///
/// The process ends when its standard input does, so that none outlives the harness.
///
/// # Errors
///
/// Fails on an unknown runtime, and with the error of `server`.
pub fn run<F: Future<Output = Result<()>>>(server: impl FnOnce(Args) -> F) -> Result<()> {
    let args = Args::from_env()?;
    let runtime = runtime(&args)?;
    std::thread::spawn(|| {
        // Bytes are of no interest; the end is.
        while matches!(std::io::stdin().read(&mut [0; 64]), Ok(1..)) {}
        std::process::exit(0);
    });
    runtime.block_on(server(args))
}

/// The runtime the flags ask for.
///
/// # Errors
///
/// Fails on an unknown name, and when threads cannot be had.
pub fn runtime(args: &Args) -> Result<Runtime> {
    Ok(match args.text("runtime").unwrap_or("current") {
        "current" => Builder::new_current_thread().enable_all().build()?,
        "multi" => {
            Builder::new_multi_thread().worker_threads(args.get("workers", 1)?).enable_all().build()?
        }
        other => bail!("--runtime {other} is neither `current` nor `multi`"),
    })
}

/// Prints where the server listens, one JSON object on one line: `{"ws":"127.0.0.1:4000"}`.
pub fn announce(addresses: &[(&str, SocketAddr)]) {
    let map: serde_json::Map<_, _> =
        addresses.iter().map(|(kind, address)| ((*kind).to_owned(), address.to_string().into())).collect();
    println!("{}", serde_json::Value::Object(map));
}

/// A listener on a free loopback port.
///
/// # Errors
///
/// Fails when there is none.
pub async fn listen() -> Result<TcpListener> {
    Ok(TcpListener::bind("127.0.0.1:0").await?)
}

/// The next connection, with Nagle's algorithm off, as every server here has it.
///
/// # Errors
///
/// Fails when no more connections can be taken.
pub async fn accept(listener: &TcpListener) -> Result<TcpStream> {
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
