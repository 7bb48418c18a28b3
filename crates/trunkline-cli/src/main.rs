//! The `trunkline` command: serve a demo, discover, call, listen, bench, list
//! nodes, be a gateway.
//!
//! A file or folder for each subcommand; beside them what they have in common:
//! what the arguments are ([`cli`]), where a server is ([`target`]), what may go
//! wrong ([`failure`]), and how things are printed ([`mod@print`]).

mod bench;
mod bind_address;
mod call;
mod cli;
mod completions;
mod demo;
mod discover;
mod duration;
mod failure;
#[cfg(feature = "gateway")]
mod gateway;
mod header;
mod listen;
mod logging;
mod nodes;
mod params;
mod print;
mod signals;
mod target;

use crate::{
    cli::{Cli, Command},
    failure::Failure,
};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            failure.exit_code()
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    logging::begin(command.log_level())?;
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::connection("cannot start threads for the network").cause(&error))?;
    let done = runtime.block_on(async {
        match command {
            Command::Demo(args) => demo::run(args).await,
            Command::Discover(args) => discover::run(args).await,
            Command::Call(args) => call::run(args).await,
            Command::Listen(args) => listen::run(args).await,
            Command::Bench(args) => bench::run(args).await,
            Command::Nodes(args) => nodes::run(args).await,
            #[cfg(feature = "gateway")]
            Command::Gateway(args) => gateway::run(args).await,
            Command::Completions(args) => completions::run(&args),
        }
    });
    // names that are still being looked up are not worth waiting for
    runtime.shutdown_background();
    done
}
