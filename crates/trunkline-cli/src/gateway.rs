//! `trunkline gateway`: what clients connect to, before handlers that only a broker reaches.
//!
//! [`settings`] knows where settings come from, [`config`] which there are, [`serve`] what
//! becomes of them, and [`reload`] how they change.

mod config;
mod file;
mod limits;
mod problem;
mod reload;
mod serve;
mod settings;
mod summary;
mod tokens;
mod value;

use self::{
    config::Config,
    reload::Reloading,
    settings::{CONFIG, Settings, Value},
    summary::Summary,
};
use crate::{failure::Failure, print, signals};
use std::{env, fs, path::PathBuf};
use trunkline::broker;

const AFTER_HELP: &str = "\
Examples:
  trunkline gateway --config gateway.toml --check       # what is wrong, or what would be served
  trunkline gateway --config gateway.toml
  trunkline gateway --http 0.0.0.0:8080 --broker amqp://rabbit.internal
  TRUNKLINE_LIMITS_MAX_MESSAGE=1MiB trunkline gateway   # every setting has a variable

Each setting is taken from the command line, or else from its environment variable, or else
from the file, or else it has its default. docs/gateway.md lists them all.

Signals:
  SIGHUP           reads the file anew; who is connected stays so
  SIGTERM, Ctrl-C  lets no one in, finishes what is under way, and ends; at most `limits.drain_timeout`

Exit codes:
  0  stopped in good order; with --check: nothing is wrong
  1  the settings make no sense; all that is wrong with them is told
  2  the arguments make no sense
  3  cannot listen";

/// Serves clients over HTTP and WebSocket, and calls handlers by way of a broker
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// The file that has the settings
    #[arg(long, value_name = "FILE", env = CONFIG)]
    config: Option<PathBuf>,

    /// Only says what is wrong with the settings, or what would be served
    #[arg(long)]
    check: bool,

    /// Where to listen for HTTP and WebSocket; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    http: Vec<String>,

    /// Where to listen for newline-delimited JSON over TCP; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    tcp: Vec<String>,

    /// The broker: amqp://, amqps://, nats://, tls:// or memory:. Passwords are better kept in files
    #[arg(long, value_name = "URL")]
    broker: Option<String>,

    /// The network, of those that share the broker
    #[arg(long, value_name = "NAME")]
    network: Option<String>,

    /// Sets anything else, such as limits.max_message=1MiB; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<Assignment>,

    /// Prints only where it listens, as a JSON object with the keys `http`, `ws`, `tcp` and `unix`
    #[arg(long)]
    json: bool,
}

/// `key=value`, of which the value may be a secret.
#[derive(Clone)]
struct Assignment {
    key: String,
    value: String,
}

impl std::str::FromStr for Assignment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, value) = text.split_once('=').ok_or("it has no `=`; write limits.max_message=1MiB")?;
        Ok(Self { key: key.trim().to_owned(), value: value.trim().to_owned() })
    }
}

impl std::fmt::Debug for Assignment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}=…", self.key)
    }
}

/// Settings that make sense.
struct Loaded {
    config: Config,
    /// What is strange about the environment.
    strange: Vec<String>,
}

/// Serves until it is told to stop.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    // from now on it does not end the program
    let wanted = signals::hang_up();
    let Loaded { config, strange } = load(&args)?;
    strange.iter().for_each(|strange| tracing::warn!("{strange}"));
    if args.check {
        return print::line(&format!(
            "The settings make sense. The gateway would serve\n\n{}",
            Summary::of(&config)
        ));
    }
    let stopped = signals::stopped(args.json);
    let broker = broker::from_url(&config.broker.0).map_err(|error| Failure::fault(error.to_string()))?;
    let bound = serve::server(&config).broker(broker).bind().await.map_err(|error| {
        Failure::cannot_listen(&error, "another address: --http, --tcp, or the section [listen] of the file")
    })?;
    let summary = Summary::bound(&config, &bound.addresses());
    let printed = print::line(&match args.json {
        true => summary.json(),
        false => format!("The gateway serves\n\n{summary}"),
    });
    if printed.is_err() {
        // clients are served whether anybody reads this or not
        tracing::warn!(
            "where the gateway listens could not be printed: stdout is closed, or cannot be written"
        );
    }
    let reloader = bound.reloader();
    let reloading = Reloading { args, config, reloader, wanted };
    tokio::select! {
        () = bound.serve_until(stopped) => Ok(()),
        () = reloading.run() => Ok(()),
    }
}

/// Reads all settings.
fn load(args: &Args) -> Result<Loaded, Failure> {
    let mut settings = Settings::default();
    if let Some(path) = &args.config {
        let text = fs::read_to_string(path)
            .map_err(|error| Failure::fault(format!("cannot read `{}`", path.display())).cause(&error))?;
        settings.file(path, &text);
    }
    settings.variables(
        env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
    );
    for Assignment { key, value } in &args.set {
        settings.flag("--set", key, Value::Typed(value.clone()));
    }
    let many = |texts: &[String]| Value::List(texts.iter().cloned().map(Value::Typed).collect());
    let one = |text: &String| Value::Typed(text.clone());
    for (flag, key, value) in [
        ("--http", "listen.http", (!args.http.is_empty()).then(|| many(&args.http))),
        ("--tcp", "listen.tcp", (!args.tcp.is_empty()).then(|| many(&args.tcp))),
        ("--broker", "broker.url", args.broker.as_ref().map(one)),
        ("--network", "broker.network", args.network.as_ref().map(one)),
    ] {
        if let Some(value) = value {
            settings.flag(flag, key, value);
        }
    }
    let config = Config::read(&mut settings);
    let (problems, strange) = settings.finish();
    if problems.is_empty() {
        return Ok(Loaded { config, strange });
    }
    let what = match problems.len() {
        1 => "there is something wrong with the settings".to_owned(),
        many => format!("there are {many} things wrong with the settings"),
    };
    Err(problems
        .iter()
        .fold(Failure::fault(what), |failure, problem| failure.problem(&problem.place, &problem.text)))
}

#[cfg(test)]
mod tests;
