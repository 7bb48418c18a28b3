//! `trunkline call`: one call, one notification, or one batch.

mod batch;

use crate::{
    cli::EXIT_CODES,
    failure::Failure,
    params::{self, Params},
    print,
    target::{self, Target},
};
use serde_json::value::RawValue;
use trunkline::{Client, client::Reconnect};

const AFTER_HELP: &str = "\
Examples:
  trunkline call http://127.0.0.1:9876 add '[2, 3]'
  trunkline call tcp://127.0.0.1:9877 divide '{\"a\": 1, \"b\": 4}' --timeout 500ms
  trunkline call wss://rpc.example/v1 status -H 'Authorization: Bearer TOKEN'
  trunkline call 'stdio:my-server --flag' ping
  generate | trunkline call ws://127.0.0.1:9876 echo -
  trunkline call ws://127.0.0.1:9876 --batch calls.json

A batch is a JSON array, or one object a line:
  {\"method\": \"add\", \"params\": [2, 3]}
  {\"method\": \"log\", \"params\": [\"added\"], \"notify\": true}
Its answers are printed one a line, in the order of the calls; notifications have none.

On a terminal the result is laid out; elsewhere it is one line of JSON.";

/// Calls a method and prints the result
#[derive(clap::Args, Debug)]
#[command(after_help = format!("{AFTER_HELP}\n\n{EXIT_CODES}"))]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,

    /// The method
    #[arg(required_unless_present = "batch", conflicts_with = "batch")]
    method: Option<String>,

    /// Its parameters: a JSON array or object, a single value, or `-` to read them from stdin
    #[arg(value_name = "JSON", allow_hyphen_values = true, conflicts_with = "batch")]
    pub(crate) params: Option<String>,

    /// Sends a notification: there is no answer to wait for
    #[arg(long, conflicts_with = "batch")]
    notify: bool,

    /// Sends all the calls of a file, or of stdin with `-`, in one message
    #[arg(long, value_name = "FILE")]
    batch: Option<String>,
}

/// Makes the call.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    // what was typed is looked at before anybody is spoken to
    let task = match (args.batch, args.method) {
        (Some(path), _) => Task::Batch(batch::read(&path)?),
        (None, Some(method)) => {
            let params = params::read(args.params.as_deref())?;
            if args.notify { Task::Notify(method, params) } else { Task::Call(method, params) }
        }
        (None, None) => return Err(Failure::usage("there is neither a method nor a batch to call")),
    };
    let client = args.target.client()?.reconnect(Reconnect::never()).connect().await?;
    let done = task.perform(&client).await;
    match (task, &done) {
        // what wants no answer is sent when the connection has ended in good order
        (Task::Notify(..), Ok(())) => client.close().await,
        _ => target::leave(&client).await,
    }
    done
}

enum Task {
    Call(String, Params),
    Notify(String, Params),
    Batch(Vec<batch::Item>),
}

impl Task {
    async fn perform(&self, client: &Client) -> Result<(), Failure> {
        match self {
            Self::Call(method, params) => {
                let result: Box<RawValue> = client.call(method, params).await?;
                print::line(&print::json(result.get(), print::layout()))
            }
            Self::Notify(method, params) => Ok(client.notify(method, params).await?),
            Self::Batch(items) => batch::send(client, items).await,
        }
    }
}
