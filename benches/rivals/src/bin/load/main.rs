//! The load generator: encoded calls out, answers counted, nothing parsed.
//!
//! `--mode pump` measures CPU per call in a closed loop, `idle` the memory of connections that rest, `deaf` that of
//! a connection which calls and never reads, `stream` CPU per item of one stream, `crowd` memory of clients that reach their procedure
//! by way of a network. Each prints one line of JSON.

mod crowd;
mod deaf;
mod idle;
mod pump;
mod socket;
mod stream;

use anyhow::{Result, bail};
use rivals::args::Args;

fn main() -> Result<()> {
    let args = Args::from_env()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = runtime.block_on(tokio::task::LocalSet::new().run_until(async {
        match args.text("mode").unwrap_or("pump") {
            "pump" => pump::measure(&args).await,
            "idle" => idle::measure(&args).await,
            "deaf" => deaf::measure(&args).await,
            "crowd" => crowd::measure(&args).await,
            "stream" => stream::measure(&args).await,
            other => bail!("--mode {other} is none of pump, stream, idle, deaf, crowd"),
        }
    }))?;
    println!("{found}");
    Ok(())
}
