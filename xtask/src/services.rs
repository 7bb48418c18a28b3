//! `cargo xtask services`: RabbitMQ and NATS on loopback, which all tests share.
//!
//! Installs them from Debian when they are missing, starts them unless they run, and says where they
//! are. They run until `cargo xtask services stop`; their data, their logs and the ids of their
//! processes are in `target/services`. Tests that kill or stop a server start one of their own.

use std::io::Write;
use std::time::Instant;

use trunkline_services::{Kind, Nats, NatsServer, RabbitMq, RabbitMqServer, Server, end_all};

use crate::process::{command, output, run as run_command};

/// Starts both, or with `stop` ends them.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            let (rabbitmq, nats) = start()?;
            rabbitmq.leave_running();
            nats.leave_running();
            println!("to end them: cargo xtask services stop");
            Ok(())
        }
        ["stop"] => {
            println!("{} servers ended", end_all()?);
            Ok(())
        }
        _ => Err(format!("unknown arguments `{}`; there is `stop`, or none", args.join(" "))),
    }
}

/// Installs what is missing of both, without starting either.
pub(crate) fn install_all() -> Result<(), String> {
    need::<RabbitMqServer>()?;
    need::<NatsServer>()
}

/// Both servers; those that this started end when they go out of scope.
pub(crate) fn start() -> Result<(RabbitMq, Nats), String> {
    Ok((shared()?, shared()?))
}

/// Installs it if it is missing.
pub(crate) fn need<K: Kind>() -> Result<(), String> {
    if Server::<K>::is_installed() { Ok(()) } else { install::<K>() }
}

/// The one that tests share; it ends when this goes out of scope, if this started it.
pub(crate) fn shared<K: Kind>() -> Result<Server<K>, String> {
    need::<K>()?;
    print!("{}: ", K::NAME);
    // The name is to be read while it starts, which takes its time.
    std::io::stdout().flush().map_err(|error| format!("cannot print: {error}"))?;
    let began = Instant::now();
    let server = Server::<K>::shared_or_start()?;
    println!("{} (after {:.1} s)", server.uri(), began.elapsed().as_secs_f32());
    Ok(server)
}

/// Installs it from Debian, if root asks; others are told by what then fails.
fn install<K: Kind>() -> Result<(), String> {
    if output(&mut command("id", ["-u"]))?.trim() != "0" {
        return Ok(());
    }
    println!("{} is missing, installing {}", K::NAME, K::PACKAGE);
    run_command(&mut command("apt-get", ["update", "-qq"]))?;
    let args = ["install", "-qq", "--yes", "--no-install-recommends", K::PACKAGE];
    run_command(command("apt-get", args).env("DEBIAN_FRONTEND", "noninteractive"))
}
