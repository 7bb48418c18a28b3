//! `trunkline discover`: what a server has, as it tells by `rpc.discover`.

mod document;
mod json_schema;
mod kind;
mod table;

use self::document::Document;
use crate::{
    cli::EXIT_CODES,
    failure::Failure,
    print,
    target::{self, Target},
};
use clap::ValueEnum;
use serde_json::value::RawValue;
use trunkline::{Fault, FaultKind, client::Reconnect};

const AFTER_HELP: &str = "\
Examples:
  trunkline discover ws://127.0.0.1:9876
  trunkline discover http://127.0.0.1:9876 --format openrpc > openrpc.json
  trunkline discover tcp://127.0.0.1:9877 --format jsonschema | jq '.properties.add'

The server is asked by the method rpc.discover, as OpenRPC has it. Not every server answers.";

/// Asks a server what it has: methods, parameters, results
#[derive(clap::Args, Debug)]
#[command(after_help = format!("{AFTER_HELP}\n\n{EXIT_CODES}"))]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,

    /// What to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What the answer is printed as.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// A line a method, for people
    #[default]
    Table,
    /// The OpenRPC document, as the server sent it
    Openrpc,
    /// One JSON Schema (draft 7), with a property for each method
    Jsonschema,
}

/// Asks, and prints the answer.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = args.target.client()?.reconnect(Reconnect::never()).connect().await?;
    let answer = client.call::<Box<RawValue>>("rpc.discover", ()).await;
    target::leave(&client).await;
    let text = answer.map_err(untold)?;
    // also what is printed as it came has to be what it is said to be
    let document = Document::read(text.get())?;
    match args.format {
        Format::Table => print::line(&table::render(&document)),
        Format::Openrpc => print::line(&print::json(text.get(), print::layout())),
        Format::Jsonschema => {
            let schema = json_schema::of(&document).to_string();
            print::line(&print::json(&schema, print::layout()))
        }
    }
}

fn untold(fault: Fault) -> Failure {
    match fault.kind() {
        FaultKind::NotFound => {
            Failure::fault("the server does not tell what it has: rpc.discover is unknown to it")
                .hint("its documentation; if it is a trunkline server of your own, Server::discoverable")
        }
        _ => fault.into(),
    }
}
