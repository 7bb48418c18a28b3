//! `trunkline call`: one call, one notification, or one batch.

mod batch;
mod network;

use crate::{
    cli::EXIT_CODES,
    failure::Failure,
    params::{self, Params},
    print,
    target::{self, How, Target},
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
  trunkline call --broker amqp://127.0.0.1 users.get '{\"id\": 7}'

A batch is a JSON array, or one object a line:
  {\"method\": \"add\", \"params\": [2, 3]}
  {\"method\": \"log\", \"params\": [\"added\"], \"notify\": true}
Its answers are printed one a line, in the order of the calls; notifications have none.

On a terminal the result is laid out; elsewhere it is one line of JSON.";

const USAGE: &str = "\
trunkline call [OPTIONS] <URL> <METHOD> [JSON]
       trunkline call [OPTIONS] <URL> --batch <FILE>
       trunkline call [OPTIONS] --broker <URL> <METHOD> [JSON]";

/// Calls a method and prints the result
#[derive(clap::Args, Debug)]
#[command(override_usage = USAGE, after_help = format!("{AFTER_HELP}\n\n{EXIT_CODES}"))]
pub(crate) struct Args {
    /// Where the server is: tcp://, tls+tcp://, unix:, ws://, wss://, http://, https://, stdio:
    #[arg(value_name = "URL", required_unless_present = "broker")]
    first: Option<String>,

    /// The method
    #[arg(value_name = "METHOD", allow_hyphen_values = true)]
    second: Option<String>,

    /// Its parameters: a JSON array or object, a single value, or `-` to read them from stdin
    #[arg(value_name = "JSON", allow_hyphen_values = true)]
    pub(crate) third: Option<String>,

    #[command(flatten)]
    how: How,

    /// Calls by way of a broker, in place of a server: amqp://, amqps://, nats://, tls://
    #[arg(long, value_name = "URL")]
    broker: Option<String>,

    /// With --broker: which of the networks that share it
    #[arg(long, value_name = "NAME", default_value = "trunkline", requires = "broker")]
    network: String,

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
    let (url, method, params) = match (&args.broker, args.first, args.second, args.third) {
        (Some(_), method, params, None) => (None, method, params),
        (Some(_), _, _, Some(_)) => {
            return Err(Failure::usage(
                "with --broker there is no other URL: a method and its parameters are all",
            ));
        }
        (None, url, method, params) => (url, method, params),
    };
    let task = match (args.batch, method) {
        (Some(_), Some(_)) => {
            return Err(Failure::usage("a method stands beside --batch, which has its own"));
        }
        (Some(path), None) => Task::Batch(batch::read(&path)?),
        (None, Some(method)) => {
            let params = params::read(params.as_deref())?;
            if args.notify { Task::Notify(method, params) } else { Task::Call(method, params) }
        }
        (None, None) => return Err(Failure::usage("there is neither a method nor a batch to call")),
    };
    let client = match (&args.broker, url) {
        (Some(_), _) if !args.how.headers.is_empty() => {
            return Err(Failure::usage("a broker has no headers").hint("to leave --header out"));
        }
        (Some(broker), _) => network::client(broker, &args.network, args.how.timeout).await?,
        (None, url) => {
            let target = Target { url: url.unwrap_or_default().parse()?, how: args.how };
            target.client()?.reconnect(Reconnect::never()).connect().await?
        }
    };
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
