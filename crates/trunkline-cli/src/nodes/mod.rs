//! `trunkline nodes`: who is in a network, and what they serve, as they tell it themselves.

mod document;
mod table;

use crate::{duration, failure::Failure, print};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use trunkline::{Router, Server, broker};

const AFTER_HELP: &str = "\
Examples:
  trunkline nodes amqp://rabbit.internal
  trunkline nodes nats://127.0.0.1 --network staging --listen 10s
  trunkline nodes amqp://127.0.0.1 --json | jq '.nodes[].name'

They are asked, and answer at once. Who does not, as it is busy or told many others already, says so
by itself every 5 seconds: --listen 10s hears of those too. Servers of @therms/rpc-server say nothing
of themselves: they are not listed, and can be called all the same.

Exit codes:
  0  done, whoever is there
  2  the arguments make no sense
  3  the broker cannot be reached";

/// Lists the nodes of a network, and what they serve
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// The broker that they share: amqp://, amqps://, nats://, tls://
    #[arg(value_name = "BROKER-URL")]
    broker: String,

    /// Which of the networks that share it
    #[arg(long, value_name = "NAME", default_value = "trunkline")]
    network: String,

    /// For how long to listen to what they say: 500ms, 5s, 2m
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration::parse)]
    listen: Duration,

    /// How long to try to reach the broker
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration::parse)]
    timeout: Duration,

    /// Prints one JSON object, with the schemas of all procedures
    #[arg(long)]
    json: bool,
}

/// Asks, listens, and prints what was said.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let broker = broker::from_url(&args.broker).map_err(|error| Failure::usage(error.to_string()))?;
    let server = Server::new(Router::new()).name("trunkline-nodes").network(&args.network);
    let bound = server.unannounced().broker(broker).bind().await;
    let bound = bound.map_err(|error| Failure::connection("cannot join the network").cause(&error))?;
    let joined = timeout(args.timeout, bound.joined()).await;
    joined.map_err(|_| Failure::no_broker(&args.broker, args.timeout))?;
    sleep(args.listen).await;
    let nodes = bound.cluster().nodes();
    bound.serve_until(async {}).await;
    match args.json {
        true => {
            let text = document::of(&args.network, args.listen, &nodes).to_string();
            print::line(&print::json(&text, print::layout()))
        }
        false => print::line(&table::render(&args.network, args.listen, &nodes)),
    }
}
