//! Who may call: tokens, groups, authenticating again on a live connection, and a rate limit.
//!
//! `cargo run -p trunkline --example auth --features rate-limit`, and then
//!
//! ```sh
//! curl -s http://127.0.0.1:9876/ -H 'content-type: application/json' -H 'authorization: Bearer lovelace' \
//!   -d '{"jsonrpc":"2.0","id":1,"method":"rooms.close","params":["lobby"]}'
//! ```

use std::{error::Error, net::SocketAddr, time::Duration};
use trunkline::{
    Client, Fault, FaultKind, Identity, Router, Server,
    access::{Access, RateLimit},
    handler,
    security::unauthenticated,
};

async fn whoami(identity: Identity) -> String {
    identity.subject().unwrap_or("nobody").to_owned()
}

/// Closes a room.
async fn close(identity: Identity, (room,): (String,)) -> String {
    format!("{} has closed the {room}", identity.subject().unwrap_or_default())
}

/// Asks whoever knows about tokens: a database, another service.
async fn verify(token: String) -> Result<Identity, Fault> {
    match token.as_str() {
        "lovelace" => Ok(Identity::new("ada").with_group("admin")),
        "babbage" => Ok(Identity::new("charles")),
        _ => Err(unauthenticated("nobody has this token")),
    }
}

/// What is served.
pub(crate) fn router() -> Router {
    let guesses = RateLimit::new(3, Duration::from_secs(60)).each_caller();
    Router::new()
        .procedure("whoami", whoami)
        .procedure("guess", handler(async |(number,): (u8,)| number == 42).guard(guesses.guard()))
        .procedure("rooms.close", handler(close).group("admin"))
}

pub(crate) fn server(address: &str) -> Server {
    Server::new(router()).security(Access::new().bearer(verify)).http(address)
}

/// Calls over one WebSocket, first as nobody, then as charles, then as ada.
pub(crate) async fn visit(address: SocketAddr, mut say: impl FnMut(String)) -> Result<(), Box<dyn Error>> {
    let client = Client::connect(format!("ws://{address}")).await?;
    for token in [None, Some("babbage"), Some("lovelace")] {
        if let Some(token) = token {
            say(format!("authenticated as {:?}", client.authenticate([token]).await?));
        }
        say(format!("I am {}", client.call::<String>("whoami", ()).await?));
        match client.call::<String>("rooms.close", ("lobby",)).await {
            Ok(done) => say(done),
            Err(fault) => say(format!("refused: {fault}")),
        }
    }
    // an item of a batch counts as a call
    let mut batch = client.batch();
    for number in 40..=44 {
        batch = batch.call("guess", (number,))?;
    }
    let answers = batch.send().await?;
    let limited = |fault: &Fault| fault.kind() == FaultKind::RateLimited;
    let refused = (0..5).filter(|at| answers.get::<bool>(*at).is_err_and(|fault| limited(&fault))).count();
    say(format!("of 5 guesses, {refused} were too many"));
    // a client that is told its token shows it with every connection it makes
    let ada = Client::builder(format!("http://{address}")).bearer("lovelace").connect().await?;
    say(ada.call("rooms.close", ("attic",)).await?);
    Ok(())
}

#[tokio::main]
#[allow(dead_code, reason = "a test starts the server itself")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = server("127.0.0.1:9876").bind().await?;
    let address = server.addresses()[0];
    let serving =
        tokio::spawn(server.serve_until(async { tokio::signal::ctrl_c().await.unwrap_or_default() }));
    visit(address, |line| println!("{line}")).await?;
    println!("serving on http://{address} until ctrl-c");
    Ok(serving.await?)
}
