//! `trunkline listen`: prints what a server says of its own accord.

use crate::{
    cli::EXIT_CODES,
    failure::Failure,
    params::{self, Params},
    print::{self, Layout, plain},
    signals,
    target::{self, Target},
};
use serde::Serialize;
use serde_json::value::RawValue;
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};
use trunkline::{
    Client, Fault, FaultKind, ProcedureName, RawArgs, Router,
    client::{ConnectionState, Reconnect},
};

const AFTER_HELP: &str = "\
Examples:
  trunkline listen ws://127.0.0.1:9876 chat.join '[\"Ada\"]'
  trunkline listen tcp://127.0.0.1:9877 clock.ticks --reconnect | jq .params.result

Each notification is one line of JSON on stdout: {\"method\": …, \"params\": …}. Calls are
printed as well, and answered with `Method not found`. It ends with Ctrl-C, or when the
server closes the connection. What happens besides is told on stderr.";

/// Prints what a server sends of its own accord
#[derive(clap::Args, Debug)]
#[command(after_help = format!("{AFTER_HELP}\n\n{EXIT_CODES}"))]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,

    /// A method to call first, such as one that subscribes
    method: Option<String>,

    /// Its parameters: a JSON array or object, a single value, or `-` to read them from stdin
    #[arg(value_name = "JSON", allow_hyphen_values = true)]
    params: Option<String>,

    /// Connects again when the connection is lost, and makes the first call again
    #[arg(long)]
    reconnect: bool,
}

/// Listens until the connection ends, or the user wants no more.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    if !args.target.is_two_way() {
        return Err(Failure::usage("over HTTP a server says nothing of its own accord")
            .hint("its address as a WebSocket: ws:// in place of http://"));
    }
    let params = params::read(args.params.as_deref())?;
    let unread = Arc::new(Notify::new());
    let (tell, states) = mpsc::unbounded_channel();
    let client = args
        .target
        .client()?
        .router(printing(unread.clone()))
        .reconnect(if args.reconnect { Reconnect::default() } else { Reconnect::never() })
        .on_state(move |state| {
            // once nobody wants to know, it is over anyway
            let _ = tell.send(state.clone());
        })
        .connect()
        .await?;
    let done = tokio::select! {
        done = follow(&client, states, args.method.as_deref(), &params) => done,
        () = signals::stop() => Ok(()),
        () = unread.notified() => Ok(()),
    };
    target::leave(&client).await;
    done
}

/// Tells what becomes of the connection, until there is none any more.
async fn follow(
    client: &Client,
    mut states: mpsc::UnboundedReceiver<ConnectionState>,
    method: Option<&str>,
    params: &Params,
) -> Result<(), Failure> {
    while let Some(state) = states.recv().await {
        match state {
            ConnectionState::Connected => {
                eprintln!("connected");
                if let Some(method) = method {
                    begin(client, method, params).await?;
                }
            }
            ConnectionState::Disconnected { reason } => eprintln!("disconnected: {}", plain(&reason)),
            ConnectionState::Closed => break,
            _ => {}
        }
    }
    Ok(())
}

/// Makes the first call on a connection.
async fn begin(client: &Client, method: &str, params: &Params) -> Result<(), Failure> {
    match client.call::<Box<RawValue>>(method, params).await {
        Ok(result) => {
            eprintln!("{method}: {}", plain(result.get()));
            Ok(())
        }
        // the next state says more of it
        Err(fault) if fault.kind() == FaultKind::Disconnected => Ok(()),
        Err(fault) => Err(fault.into()),
    }
}

/// Prints whatever the server says. It is printed where it is heard: in its
/// order, and a reader who falls behind holds up the server, not our memory.
fn printing(unread: Arc<Notify>) -> Router {
    Router::new().fallback(move |ProcedureName(method): ProcedureName, RawArgs(args): RawArgs| {
        let params = args.and_then(|args| args.decode().ok());
        if print::line(&print::json(&said(&method, params), Layout::Line)).is_err() {
            unread.notify_one();
        }
        async { Err::<(), _>(Fault::new(FaultKind::NotFound, "Method not found")) }
    })
}

fn said(method: &str, params: Params) -> String {
    #[derive(Serialize)]
    struct Said<'a> {
        method: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        params: Params,
    }
    serde_json::to_string(&Said { method, params }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_one_object() {
        assert_eq!(said("tick", None), r#"{"method":"tick"}"#);
        let params = RawValue::from_string("[1.50]".into()).ok();
        assert_eq!(said("a\nb", params), r#"{"method":"a\nb","params":[1.50]}"#);
    }
}
