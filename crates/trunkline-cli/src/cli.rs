//! [`Cli`]: the arguments, as clap reads them.

#[cfg(feature = "gateway")]
use crate::gateway;
use crate::{bench, call, completions, demo, discover, listen, nodes};
use clap::{
    Parser, Subcommand,
    builder::styling::{AnsiColor, Styles},
};
use tracing_subscriber::filter::LevelFilter;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const AFTER_HELP: &str = "\
Examples:
  trunkline demo
  trunkline discover ws://127.0.0.1:9876
  trunkline call ws://127.0.0.1:9876 add '[2, 3]'
  trunkline listen ws://127.0.0.1:9876 chat.join '[\"Ada\"]'

Addresses:
  tcp://HOST:PORT  tls+tcp://HOST:PORT  unix:/PATH  ws://HOST:PORT/PATH  wss://…
  http://HOST:PORT/PATH  https://…  stdio:COMMAND ARG…  stdio+lsp:COMMAND ARG…

Environment:
  RUST_LOG  what is logged to stderr, such as `debug` or `trunkline=trace` [default: warn; gateway: info]
  NO_COLOR  set to anything: no colours";

/// What a subcommand that calls a server says of its exit codes.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the server answered with a fault, or with something that is no answer
  2  the arguments, the address or the input make no sense
  3  no connection: it could not be made, or it was lost
  4  no answer in time";

/// Explores, calls, watches and measures JSON-RPC servers, and serves one to try.
#[derive(Debug, Parser)]
#[command(name = "trunkline", version, styles = STYLES, after_help = AFTER_HELP)]
#[command(propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(demo::Args),
    Discover(discover::Args),
    Call(call::Args),
    Listen(listen::Args),
    Bench(bench::Args),
    Nodes(nodes::Args),
    #[cfg(feature = "gateway")]
    Gateway(gateway::Args),
    Completions(completions::Args),
}

impl Command {
    /// From which level on it logs where nothing else is said: what runs for long tells what
    /// becomes of it.
    pub(crate) fn log_level(&self) -> LevelFilter {
        match self {
            #[cfg(feature = "gateway")]
            Self::Gateway(_) => LevelFilter::INFO,
            _ => LevelFilter::WARN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, error::ErrorKind};

    #[test]
    fn the_arguments_agree_with_each_other() {
        Cli::command().debug_assert();
    }

    #[track_caller]
    fn refused(args: &str, kind: ErrorKind) {
        let words = std::iter::once("trunkline").chain(args.split(' '));
        assert_eq!(Cli::try_parse_from(words).unwrap_err().kind(), kind, "{args}");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        refused("call", ErrorKind::MissingRequiredArgument);
        refused("call tcp://a:1 --notify --batch calls.json", ErrorKind::ArgumentConflict);
        refused("call tcp://a:1 add --network other", ErrorKind::MissingRequiredArgument);
        refused("discover localhost:1", ErrorKind::ValueValidation);
        refused("call tcp://a:1 add --timeout 5", ErrorKind::ValueValidation);
        refused("call http://a add --header Authorization", ErrorKind::ValueValidation);
        refused("bench tcp://a:1 add --connections 0", ErrorKind::ValueValidation);
        refused("discover tcp://a:1 --format yaml", ErrorKind::InvalidValue);
        refused("nodes", ErrorKind::MissingRequiredArgument);
        refused("nodes nats://a --listen 2", ErrorKind::ValueValidation);
        refused("demo --http 9876", ErrorKind::ValueValidation);
        #[cfg(feature = "gateway")]
        refused("gateway --set limits.max_batch", ErrorKind::ValueValidation);
    }

    #[test]
    fn parameters_may_be_negative_numbers_or_stdin() {
        for params in ["-5", "-", "[-5]"] {
            let parsed = Cli::try_parse_from(["trunkline", "call", "tcp://a:1", "abs", params]).unwrap();
            let Command::Call(args) = parsed.command else { panic!("another command") };
            assert_eq!(args.third.as_deref(), Some(params));
        }
    }
}
