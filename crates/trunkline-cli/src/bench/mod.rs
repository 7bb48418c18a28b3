//! `trunkline bench`: how many calls a second a server answers, and how fast.

mod load;
mod progress;
mod report;
mod tally;

use self::{load::Load, report::Report};
use crate::{cli::EXIT_CODES, failure::Failure, params, print, target::Target};
use std::{num::NonZeroU32, time::Duration};

const AFTER_HELP: &str = "\
Examples:
  trunkline bench ws://127.0.0.1:9876 add '[2, 3]'
  trunkline bench tcp://127.0.0.1:9877 add '[2, 3]' --connections 4 --in-flight 256 --seconds 30
  trunkline bench http://127.0.0.1:9876 echo '[1]' --json > echo.json

This is a lot of load: point it only at servers that are yours.

Every call in flight is followed by the next as soon as it is answered, so a server that is
slow is also asked less often. Over HTTP/1.1 each of them has a connection of its own. The
first second is a warm-up and not counted. Latencies are those of calls that succeeded; faults
are counted by what they say, and make the exit code 1.
Ctrl-C ends the measurement early, with the report.";

/// Measures calls per second and latencies; for servers that are your own
#[derive(clap::Args, Debug)]
#[command(after_help = format!("{AFTER_HELP}\n\n{EXIT_CODES}"))]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,

    /// The method
    method: String,

    /// Its parameters: a JSON array or object, a single value, or `-` to read them from stdin
    #[arg(value_name = "JSON", allow_hyphen_values = true)]
    params: Option<String>,

    /// How many connections
    #[arg(short, long, value_name = "N", default_value = "1")]
    connections: NonZeroU32,

    /// How many calls at a time on each of them
    #[arg(short, long, value_name = "N", default_value = "64")]
    in_flight: NonZeroU32,

    /// How long to count
    #[arg(short, long, value_name = "S", default_value = "10")]
    seconds: NonZeroU32,

    /// Prints the report as one JSON object
    #[arg(long)]
    json: bool,
}

/// Measures, and reports.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let params = params::read(args.params.as_deref())?;
    let load = Load::connect(&args.target, args.connections.get(), args.in_flight.get()).await?;
    let counted = load.run(args.method.clone(), params, Duration::from_secs(args.seconds.get().into())).await;
    let report = Report {
        url: &args.target.url.text,
        method: &args.method,
        connections: args.connections.get(),
        in_flight: args.in_flight.get(),
        elapsed: counted.elapsed,
        tally: &counted.tally,
    };
    if counted.tally.is_empty() {
        let failure = format!("no call was answered within {:.1} s", counted.elapsed.as_secs_f64());
        return Err(Failure::deadline(failure).hint("more --seconds, or less --in-flight"));
    }
    print::line(&if args.json { report.json() } else { report.text() })?;
    match counted.tally.failed() {
        0 => Ok(()),
        failed => Err(Failure::fault(format!("{failed} calls failed"))),
    }
}
