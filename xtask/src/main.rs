//! `cargo xtask COMMAND`: the chores of this repository.
//!
//! Each command is a file of its own and says in its first lines what it does. They run from any
//! folder of the checkout, print what they start, and end with exit status 1 and a sentence that
//! says what to do when something is wrong.

mod autobahn;
mod deny;
mod dependencies;
mod features;
mod fuzz;
mod interop;
mod ledger;
mod process;
mod rivals;
mod services;
mod test;
mod workspace;

use std::process::ExitCode;

/// One word after `cargo xtask`.
struct Task {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Result<(), String>,
}

/// Every command, in the order in which the help lists them.
const TASKS: &[Task] = &[
    Task {
        name: "test",
        usage: "[--list] [--only STEP]... [--skip STEP]...",
        about: "everything that must pass before a change lands",
        run: test::run,
    },
    Task {
        name: "services",
        usage: "[stop]",
        about: "RabbitMQ and NATS for the tests: installed, started, ended",
        run: services::run,
    },
    Task {
        name: "interop",
        usage: "[jsonrpc | streams | therms]... [--spawn COMMAND]",
        about: "published clients, the shared vectors, and gateways and handlers in Node, against ours",
        run: interop::run,
    },
    Task {
        name: "autobahn",
        usage: "[--deflate] [--agent PROGRAM]",
        about: "the WebSocket conformance suite, as server and as client",
        run: autobahn::run,
    },
    Task {
        name: "fuzz",
        usage: "[TARGET]... [--seconds N]",
        about: "every fuzz target for N seconds (60), with the vectors as corpus",
        run: fuzz::run,
    },
    Task {
        name: "ledger",
        usage: "--broker amqp|nats [--calls N] [--json FILE]",
        about: "a history of calls while brokers and nodes fail: no hangs, none twice, none lost in a drain",
        run: ledger::run,
    },
    Task {
        name: "rivals",
        usage: "[--quick] [--without-trunkline] | --cluster [--json FILE] [--without-trunkline]",
        about: "trunkline beside other frameworks, measured in one run; or by way of brokers",
        run: rivals::run,
    },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = args.split_first() else {
        println!("{}", help());
        return ExitCode::SUCCESS;
    };
    if ["help", "-h", "--help"].contains(&name.as_str()) {
        println!("{}", help());
        return ExitCode::SUCCESS;
    }
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        eprintln!("xtask: there is no command `{name}`\n\n{}", help());
        return ExitCode::from(2);
    };
    match (task.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask {name}: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The commands with a line on each.
fn help() -> String {
    let mut text = String::from("usage: cargo xtask COMMAND\n");
    for task in TASKS {
        text += &format!("\n  {} {}\n      {}\n", task.name, task.usage, task.about);
    }
    text
}
