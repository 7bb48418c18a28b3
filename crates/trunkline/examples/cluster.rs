//! A gateway and two handlers: clients talk to the gateway, which has no procedure of its
//! own, and the handlers compete for the calls.
//!
//! ```text
//! cargo run --example cluster                                # three nodes of this process
//! cargo run --example cluster -- --broker amqp://127.0.0.1   # three processes, by way of RabbitMQ
//! cargo run --example cluster -- --broker nats://127.0.0.1   # the same by way of NATS
//! ```

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, error::Error, process::Stdio, sync::Arc};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};
use trunkline::{
    Caller, Client, Fault, Router, Server, State,
    broker::{Broker, Memory, from_url, url_to_show},
    handler,
    server::Bound,
};

type Anything<T> = Result<T, Box<dyn Error>>;

/// What is known of a book, and which handler says so.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
struct Book {
    title: String,
    cents: i64,
    told_by: String,
}

/// Asks for its price, which any handler of the network may answer, as a client cannot.
async fn book(name: State<String>, caller: Caller, title: String) -> Result<Book, Fault> {
    let cents = caller.call("books.price", (&title,)).await?;
    Ok(Book { title, cents, told_by: name.to_string() })
}

async fn price(title: String) -> i64 {
    100 * title.len() as i64
}

/// What each of the handlers has.
fn books(name: &str) -> Router {
    Router::new()
        .state(name.to_owned())
        .procedure("books.get", book)
        .procedure("books.price", handler(price).internal())
}

/// A server that serves nobody but the network.
async fn join(name: &str, broker: Arc<dyn Broker>) -> Anything<Bound> {
    let bound = Server::new(books(name)).name(name).broker(broker).bind().await?;
    bound.joined().await;
    Ok(bound)
}

/// This program once more, as a handler that has joined.
async fn start(name: &str, url: &str) -> Anything<Child> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--broker", url, "--handler", name])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let stdout = child.stdout.take().ok_or("its output is piped")?;
    let joined = BufReader::new(stdout).lines().next_line().await?;
    joined.ok_or_else(|| format!("{name} ended before it had joined"))?;
    Ok(child)
}

/// A gateway, which serves whatever the network has.
async fn gateway(broker: Arc<dyn Broker>) -> Anything<(Bound, String)> {
    let bound = Server::new(Router::new()).name("gateway").broker(broker).http("127.0.0.1:0").bind().await?;
    bound.joined().await;
    let address = format!("http://{}", bound.addresses()[0]);
    Ok((bound, address))
}

/// Asks for twenty books, and tells who has answered how often.
async fn shop(address: &str, mut say: impl FnMut(String)) -> Anything<()> {
    let client = Client::connect(address).await?;
    let titles = (1..=20).map(|volume| format!("Volume {volume}"));
    let books = join_all(titles.map(|title| client.call::<Book>("books.get", (title,)))).await;
    let mut told = BTreeMap::new();
    for book in books {
        *told.entry(book?.told_by).or_insert(0) += 1;
    }
    say(format!("20 books, told by {told:?}"));
    let refused = client.call::<i64>("books.price", ("Volume 1",)).await;
    say(format!("a client asks for a price: {}", refused.err().ok_or("it is internal")?));
    Ok(())
}

/// All three as nodes of this process, and what a client has of them.
pub(crate) async fn run(say: impl FnMut(String)) -> Anything<()> {
    let broker: Arc<dyn Broker> = Arc::new(Memory::new());
    for name in ["handler-1", "handler-2"] {
        tokio::spawn(join(name, broker.clone()).await?.serve());
    }
    let (bound, address) = gateway(broker).await?;
    tokio::spawn(bound.serve());
    shop(&address, say).await
}

#[tokio::main]
#[allow(dead_code, reason = "a test runs it too")]
async fn main() -> Anything<()> {
    let say = |line: String| println!("{line}");
    let args: Vec<_> = std::env::args().skip(1).collect();
    let (url, handler) = match &*args.iter().map(String::as_str).collect::<Vec<_>>() {
        [] => return run(say).await,
        ["--broker", url] => (*url, None),
        ["--broker", url, "--handler", name] => (*url, Some(*name)),
        _ => return Err("usage: cluster [--broker amqp://HOST|nats://HOST]".into()),
    };
    let broker = from_url(url).map_err(|error| error.to_string())?;
    if let Some(name) = handler {
        let bound = join(name, broker).await?;
        println!("joined");
        bound.serve_until(tokio::signal::ctrl_c()).await;
        return Ok(());
    }
    say(format!("three processes join, as soon as {} is there", url_to_show(url)));
    let _handlers = (start("handler-1", url).await?, start("handler-2", url).await?);
    let (bound, address) = gateway(broker).await?;
    tokio::spawn(bound.serve());
    shop(&address, say).await
}
