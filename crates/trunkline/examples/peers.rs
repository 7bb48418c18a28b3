//! Clients that call each other by name: alice serves, bob calls her through the server.
//!
//! ```text
//! cargo run -p trunkline --example peers
//! ```

use futures_util::{Stream, StreamExt, stream};
use std::error::Error;
use trunkline::{CallingPeer, Client, Fault, FaultKind, Router, Server};

/// What alice serves to other clients. It is apart from what she serves to the
/// server, which is nothing.
#[trunkline::service(scope = "alice")]
trait Alice {
    /// Says it louder.
    async fn shout(&self, #[extract] from: CallingPeer, text: String) -> String;
    /// Says it more softly, but not to everybody.
    async fn whisper(&self, #[extract] from: CallingPeer, text: String) -> Result<String, Fault>;
    /// Counts down.
    async fn countdown(&self, from: u8) -> impl Stream<Item = u8>;
}

struct Her;

/// The name of who calls, as the server knows it.
fn name(peer: &CallingPeer) -> &str {
    peer.name.as_deref().unwrap_or("somebody")
}

impl Alice for Her {
    async fn shout(&self, from: CallingPeer, text: String) -> String {
        format!("{}, {}", text.to_uppercase(), name(&from))
    }

    async fn whisper(&self, from: CallingPeer, text: String) -> Result<String, Fault> {
        match name(&from) {
            "bob" => Err(Fault::new(FaultKind::Forbidden, "alice does not whisper to bob")),
            _ => Ok(text.to_lowercase()),
        }
    }

    async fn countdown(&self, from: u8) -> impl Stream<Item = u8> {
        stream::iter((1..=from).rev())
    }
}

/// What alice serves.
pub(crate) fn router() -> Router {
    Router::new().service(AliceService::new(Her))
}

/// Serves, connects two clients, and tells what they have of each other.
pub(crate) async fn run(mut say: impl FnMut(String)) -> Result<(), Box<dyn Error>> {
    // who may take which name, and call whom, is up to `Server::security`
    let server = Server::new(Router::new()).peers_by_name().tcp("127.0.0.1:0").bind().await?;
    let (address, peers) = (format!("tcp://{}", server.addresses()[0]), server.peers());
    tokio::spawn(server.serve());

    let alice = Client::builder(&address).name("alice").for_peers(router()).connect().await?;
    let bob = Client::builder(&address).name("bob").connect().await?;

    let her = AliceClient::new(bob.peer("alice"));
    say(format!("bob asks alice: {}", her.shout("hello".into()).await?));
    let mut numbers = her.countdown(3).await?;
    while let Some(number) = numbers.next().await {
        say(format!("{} …", number?));
    }
    // what she refuses, and what the server does
    let mut refused = |fault: Fault| say(format!("refused: {fault}"));
    refused(her.whisper("Psst".into()).await.map(drop).expect_err("she does not whisper to bob"));
    refused(bob.peer("carol").notify("alice.shout", ("anybody?",)).await.expect_err("there is no carol"));
    refused(bob.register("alice").await.expect_err("the name is hers"));

    // her name goes with her connection
    let hers = peers.named("alice").ok_or("alice is here")?;
    alice.close().await;
    hers.closed().await;
    refused(bob.peer("alice").call::<String>("alice.shout", ("hello",)).await.expect_err("she is gone"));
    Ok(())
}

#[tokio::main]
#[allow(dead_code, reason = "a test runs it too")]
async fn main() -> Result<(), Box<dyn Error>> {
    run(|line| println!("{line}")).await
}
