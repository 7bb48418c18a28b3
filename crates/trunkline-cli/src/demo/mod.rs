//! `trunkline demo`: a small service to try things on.

mod arithmetic;
mod chat;
mod clock;
mod welcome;

use self::{chat::Room, welcome::Welcome};
use crate::{bind_address::BindAddress, failure::Failure, print, signals};
use std::sync::Arc;
use trunkline::{Hooks, RawArgs, Router, Server, handler};

const AFTER_HELP: &str = "\
Examples:
  trunkline demo
  trunkline demo --http 127.0.0.1:0 --tcp 127.0.0.1:0    # ports that are free
  trunkline demo --json                                  # for scripts: the addresses as JSON

Methods:
  add, subtract, multiply, divide   [a, b] or {\"a\": …, \"b\": …}
  sum                               [1, 2, 3, …]
  echo                              anything; the answer is the same
  clock.now                         the time
  clock.ticks                       a stream of it, an item a second; rpc.unsubscribe [id] ends it
  chat.join [name], chat.leave      notifications `chat.message`, `chat.joined`, `chat.left`
  chat.say [text], chat.members     what the others hear; who is there
  rpc.discover                      all of this as an OpenRPC document

Exit codes:
  0  stopped by Ctrl-C or SIGTERM, calls that were under way finished
  2  the arguments make no sense
  3  cannot listen";

const FREE_PORTS: &str =
    "trunkline demo --http 127.0.0.1:0 --tcp 127.0.0.1:0, which takes ports that are free";

/// Serves a demo: arithmetic, a clock, a chat room, an echo
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Where to listen for HTTP and WebSocket; port 0 takes one that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9876")]
    http: BindAddress,

    /// Where to listen for newline-delimited JSON over TCP; port 0 takes one that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9877")]
    tcp: BindAddress,

    /// Prints only the addresses, as a JSON object with the keys `http`, `ws` and `tcp`
    #[arg(long)]
    json: bool,
}

/// Serves the demo until it is told to stop.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let stopped = signals::stopped(args.json);
    let room = Arc::<Room>::default();
    let leaving = room.clone();
    let server = Server::new(router(&room))
        .name("trunkline demo")
        .version(env!("CARGO_PKG_VERSION"))
        .discoverable()
        .hooks(Hooks::default().on_disconnect(move |peer, _| {
            leaving.leave(peer);
        }))
        .http(args.http.to_string())
        .tcp(args.tcp.to_string())
        .bind()
        .await
        .map_err(|error| Failure::cannot_listen(&error, FREE_PORTS))?;
    let [http, tcp] = *server.addresses() else {
        return Err(Failure::connection("the addresses that were bound are not known"));
    };
    let welcome = Welcome { http, tcp };
    print::line(&if args.json { welcome.json() } else { welcome.text(&welcome::program()) })?;
    server.serve_until(stopped).await;
    Ok(())
}

/// All that the demo does.
fn router(room: &Arc<Room>) -> Router {
    Router::new()
        .merge(arithmetic::router())
        .scope("clock", clock::router())
        .scope("chat", chat::router(room.clone()))
        .procedure(
            "echo",
            handler(async |RawArgs(args): RawArgs| args).description("The parameters, exactly as they came."),
        )
}
