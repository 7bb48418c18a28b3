//! `cargo xtask ledger --broker amqp|nats [--calls N] [--json FILE]`: a history of calls while all
//! that carries them fails.
//!
//! Clients call by way of two gateways, which are `trunkline gateway`, what three handlers have. Under
//! load, handlers and gateways are killed, drained and started again, and the broker is restarted and
//! stopped, as the `plan` has it; after that each of the five processes is drained in turn, without
//! anything failing. Handlers enter each call that they run in a ledger, callers write down what
//! became of each; the `account` of both shows whether what `docs/cluster.md` promises is so.
//!
//! N calls, 100,000 by default, are made of a procedure that runs at most once, and as many of one
//! that is idempotent. The program that is called and calls is the example `ledger` of trunkline. All
//! that it writes is in `target/ledger`, and stays there if something is wrong.

mod account;
mod actor;
mod callers;
mod plan;
mod stage;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use trunkline_services::{Kind, NatsServer, RabbitMqServer};

use self::account::Account;
use self::stage::Stage;
use crate::process::{cargo, run as run_command, target};
use crate::services::need;

/// How many calls are made unless `--calls` says otherwise.
const CALLS: u64 = 100_000;
/// As many as it takes for calls to be under way whenever something fails.
const FEWEST: u64 = 1000;
/// As many as are made where it is one of many tests.
const FEW: u64 = 3000;

/// What is asked for.
struct Options {
    broker: String,
    calls: u64,
    json: Option<PathBuf>,
}

/// Plays the history on one broker.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let options = read(args)?;
    build()?;
    play(&options)
}

/// A short one on each broker.
pub(crate) fn both() -> Result<(), String> {
    build()?;
    ["amqp", "nats"]
        .into_iter()
        .try_for_each(|broker| play(&Options { broker: broker.to_owned(), calls: FEW, json: None }))
}

fn read(args: &[String]) -> Result<Options, String> {
    let mut options = Options { broker: String::new(), calls: CALLS, json: None };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--broker" => options.broker.clone_from(value()?),
            "--calls" => {
                let calls = value()?.parse().ok().filter(|calls| *calls >= FEWEST);
                options.calls = calls.ok_or_else(|| format!("--calls needs a number from {FEWEST} on"))?;
            }
            "--json" => options.json = Some(value()?.into()),
            other => {
                return Err(format!("unknown argument `{other}`; there are --broker, --calls and --json"));
            }
        }
    }
    match options.broker.as_str() {
        "amqp" | "nats" => Ok(options),
        _ => Err("say which broker: --broker amqp, or --broker nats".to_owned()),
    }
}

/// With all features, as `cargo xtask test` has built it before.
fn build() -> Result<(), String> {
    let what = ["build", "--workspace", "--all-features", "--bin", "trunkline", "--example", "ledger"];
    run_command(&mut cargo(what))
}

fn play(options: &Options) -> Result<(), String> {
    match options.broker.as_str() {
        "amqp" => play_on::<RabbitMqServer>(options),
        _ => play_on::<NatsServer>(options),
    }
}

fn play_on<K: Kind>(options: &Options) -> Result<(), String> {
    need::<K>()?;
    let folder = target().join("ledger").join(&options.broker);
    renew(&folder)?;
    let began = Instant::now();
    let told = |why| format!("{why}\nwhat the processes have written is in {}", folder.display());
    let plan = plan::of(options.calls);
    Stage::<K>::set(&folder, &plan).and_then(|stage| stage.play(&plan)).map_err(told)?;
    let account = Account::read(&folder, options.calls, plan.drains_from()).map_err(told)?;
    let json = account.json(&options.broker, &plan.count(), began.elapsed());
    println!("{json:#}");
    if let Some(file) = &options.json {
        fs::write(file, format!("{json:#}\n"))
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    }
    account.verdict().map_err(told)?;
    remove(&folder)
}

/// An empty folder.
fn renew(folder: &Path) -> Result<(), String> {
    if folder.exists() {
        remove(folder)?;
    }
    fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))
}

fn remove(folder: &Path) -> Result<(), String> {
    fs::remove_dir_all(folder).map_err(|error| format!("cannot remove {}: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str]) -> Result<Options, String> {
        super::read(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_asked_for_is_read() {
        let options = read(&["--broker", "nats", "--calls", "2000", "--json", "a.json"]).unwrap();
        assert_eq!((options.broker.as_str(), options.calls), ("nats", 2000));
        assert_eq!(options.json.as_deref(), Some(Path::new("a.json")));
        assert_eq!(read(&["--broker", "amqp"]).unwrap().calls, CALLS);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (args, why) in [
            (&[][..], "say which broker"),
            (&["--broker", "kafka"], "say which broker"),
            (&["--broker"], "--broker needs a value"),
            (&["--broker", "nats", "--calls", "10"], "from 1000 on"),
            (&["--fast"], "unknown argument `--fast`"),
        ] {
            assert!(read(args).err().is_some_and(|told| told.contains(why)), "{args:?}");
        }
    }
}
