//! Prices as they change, from one server over TCP, over a WebSocket, and as
//! server-sent events.
//!
//! ```text
//! cargo run --example ticker                # serves, listens in all three ways, ends
//! cargo run --example ticker -- --serve     # serves until Ctrl-C
//! ```

use futures_util::{Stream, StreamExt, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{error::Error, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{sync::watch, time::interval};
use trunkline::{Client, Plain, Router, Server, State, server::Bound};

#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub(crate) struct Price {
    pub(crate) symbol: String,
    pub(crate) cents: i64,
}

/// The last price. Each stream has a receiver of it.
pub(crate) type Feed = watch::Sender<Price>;

/// The prices from now on. Who is slow misses some, but never has an old one.
async fn prices(feed: State<Feed>) -> impl Stream<Item = Plain<Price>> {
    stream::unfold(feed.subscribe(), |mut feed| async {
        feed.changed().await.ok()?;
        let price = feed.borrow_and_update().clone();
        Some((Plain(price), feed))
    })
}

/// Trades for ever.
async fn trade(feed: Arc<Feed>) {
    let mut ticks = interval(Duration::from_millis(100));
    for step in 0.. {
        ticks.tick().await;
        feed.send_modify(|price| price.cents += step * 37 % 11 - 5);
    }
}

/// What is served.
pub(crate) fn router(feed: Arc<Feed>) -> Router {
    Router::new().shared_state(feed).procedure("prices", prices)
}

/// A server on ports of its own choice, for TCP and for HTTP, and what it streams.
async fn serve() -> Result<(Bound, [SocketAddr; 2], Arc<Feed>), Box<dyn Error>> {
    let feed = Arc::new(Feed::new(Price { symbol: "TRNK".into(), cents: 10_000 }));
    tokio::spawn(trade(feed.clone()));
    let server = Server::new(router(feed.clone())).tcp("127.0.0.1:0").http("127.0.0.1:0").bind().await?;
    let [tcp, http] = *server.addresses() else { return Err("two listeners were bound".into()) };
    println!("tcp://{tcp}  ws://{http}  http://{http}");
    println!("curl -N http://{http} -H 'Content-Type: application/json' \\");
    println!("     -H 'Accept: text/event-stream' -d '{CALL}'");
    Ok((server, [tcp, http], feed))
}

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"prices"}"#;

/// Serves, listens in every way, and tells what came of it.
pub(crate) async fn run() -> Result<Vec<String>, Box<dyn Error>> {
    let (server, [tcp, http], feed) = serve().await?;
    tokio::spawn(server.serve());
    let mut streams = vec![];
    for address in [format!("tcp://{tcp}"), format!("ws://{http}"), format!("http://{http}")] {
        let client = Client::connect(&address).await?;
        streams.push((address, client.stream::<Price>("prices", ()).await?, client));
    }
    let mut told = vec![];
    for _ in 0..3 {
        for (address, prices, _) in &mut streams {
            told.push(format!("{address}: {:?}", prices.next().await.ok_or("it has no end")??));
        }
    }
    told.push(format!("{} streams are open", feed.receiver_count()));
    drop(streams);
    feed.closed().await;
    told.push(format!("{} streams are open", feed.receiver_count()));
    Ok(told)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().any(|arg| arg == "--serve") {
        serve().await?.0.serve_until(tokio::signal::ctrl_c()).await;
    } else {
        run().await?.iter().for_each(|line| println!("{line}"));
    }
    Ok(())
}
