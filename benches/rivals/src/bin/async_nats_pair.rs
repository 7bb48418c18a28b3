//! A request and its answer by way of NATS with nothing but async-nats: `--role handler` answers 3, `--role
//! caller` keeps `--window` tasks asking.

use anyhow::{Context, Result, bail};
use futures_util::StreamExt;
use rivals::args::Args;
use rivals::callers::measure;
use rivals::serve::{announce, run, runtime};

const SUBJECT: &str = "bare";

fn main() -> Result<()> {
    let args = Args::from_env()?;
    match args.text("role") {
        Some("handler") => run(async |args| respond(&args).await),
        Some("caller") => runtime(&args)?.block_on(request(&args)),
        _ => bail!("--role is caller or handler"),
    }
}

async fn respond(args: &Args) -> Result<()> {
    let client = async_nats::connect(args.need::<String>("broker")?).await?;
    let mut requests = client.queue_subscribe(SUBJECT, "handlers".into()).await?;
    // What was said reaches the server before anybody is told that requests may come.
    client.flush().await?;
    announce(&[]);
    while let Some(request) = requests.next().await {
        let reply = request.reply.context("a request says where its answer goes")?;
        client.publish(reply, "3".into()).await?;
    }
    bail!("the broker is gone")
}

async fn request(args: &Args) -> Result<()> {
    let client = async_nats::connect(args.need::<String>("broker")?).await?;
    let call = move || {
        let client = client.clone();
        async move {
            let answer = client.request(SUBJECT, r#"{"a":1,"b":2}"#.into()).await?;
            Ok(std::str::from_utf8(&answer.payload)?.parse()?)
        }
    };
    measure(args, call).await
}
