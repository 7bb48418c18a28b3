//! A node of trunkline on the broker at `--broker`: `--role handler` has `math.add`, `--role gateway` lets clients reach
//! it over WebSocket, and `--role caller` keeps `--window` tasks calling it with no gateway between.
//!
//! Its defaults, but for limits that the load would meet: 20,000 connections, and a minute until the first call.

use std::time::Duration;

use anyhow::{Result, bail};
use rivals::args::Args;
use rivals::callers::measure;
use rivals::serve::{announce, run, runtime};
use rivals::sum::Add;
use serde::{Deserialize, Serialize};
use trunkline::broker::from_url;
use trunkline::schemars::JsonSchema;
use trunkline::{Client, Fault, Limits, Link, Router, Server, Therms};

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
struct Sum {
    sum: i64,
}

fn main() -> Result<()> {
    let args = Args::from_env()?;
    match args.text("role") {
        Some("handler") => run(async |args| handle(&args).await),
        Some("gateway") => run(async |args| forward(&args).await),
        Some("caller") => runtime(&args)?.block_on(call(&args)),
        _ => bail!("--role is handler, gateway or caller"),
    }
}

fn node(args: &Args, router: Router) -> Result<Server> {
    let limits = Limits::default().max_connections(20_000).handshake_timeout(Duration::from_secs(60));
    Ok(Server::new(router).limits(limits).broker(from_url(&args.need::<String>("broker")?)?))
}

async fn handle(args: &Args) -> Result<()> {
    let router = Router::new().procedure("math.add", async |add: Add| Ok::<_, Fault>(Sum { sum: add.sum() }));
    let handler = node(args, router)?.name("handler").bind().await?;
    handler.joined().await;
    announce(&[]);
    handler.serve().await;
    Ok(())
}

async fn forward(args: &Args) -> Result<()> {
    let gateway = node(args, Router::new())?.name("gateway").therms(Therms::default());
    let gateway = gateway.http("127.0.0.1:0").bind().await?;
    gateway.joined().await;
    let [http] = *gateway.addresses() else { bail!("asked for one listener") };
    announce(&[("ws", http)]);
    gateway.serve().await;
    Ok(())
}

async fn call(args: &Args) -> Result<()> {
    let caller = node(args, Router::new())?.name("caller");
    let (here, there) = Link::pair();
    tokio::spawn(caller.serve_link(there));
    let client = Client::over(here).connect_lazy()?;
    let call = move || {
        let client = client.clone();
        async move { Ok(client.call::<Sum>("math.add", &Add { a: 1, b: 2 }).await?.sum) }
    };
    measure(args, call).await
}
