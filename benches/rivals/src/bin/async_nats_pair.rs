//! A request and its answer by way of NATS with nothing but async-nats: `--role handler` answers 3, `--role
//! caller` keeps `--window` tasks asking, and `--role relay` asks for whoever sends it lines over TCP: a gateway that does
//! nothing but that.

use anyhow::{Context, Result, bail};
use async_nats::Client;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use rivals::args::Args;
use rivals::callers::measure;
use rivals::serve::{accept, announce, listen, run, runtime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

const SUBJECT: &str = "bare";

fn main() -> Result<()> {
    let args = Args::from_env()?;
    match args.text("role") {
        Some("handler") => run(async |args| respond(&args).await),
        Some("caller") => runtime(&args)?.block_on(request(&args)),
        Some("relay") => run(async |args| relay(&args).await),
        _ => bail!("--role is caller, handler or relay"),
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

async fn relay(args: &Args) -> Result<()> {
    let client = async_nats::connect(args.need::<String>("broker")?).await?;
    let listener = listen().await?;
    announce(&[("tcp", listener.local_addr()?)]);
    loop {
        tokio::spawn(pass_on(accept(&listener).await?, client.clone()));
    }
}

/// Asks what comes in lines, all at the same time, and writes together what is answered together.
async fn pass_on(stream: TcpStream, client: Client) -> Result<()> {
    let (mut reader, mut writer) = stream.into_split();
    let (answered, mut answers) = mpsc::unbounded_channel::<Bytes>();
    tokio::spawn(async move {
        let mut together = Vec::new();
        while answers.recv_many(&mut together, 1024).await > 0 {
            let lines: Vec<u8> = together.drain(..).flat_map(line).collect();
            writer.write_all(&lines).await?;
        }
        anyhow::Ok(())
    });
    let mut unread = BytesMut::new();
    while reader.read_buf(&mut unread).await? > 0 {
        while let Some(end) = memchr::memchr(b'\n', &unread) {
            let (client, answered, request) = (client.clone(), answered.clone(), unread.split_to(end + 1));
            tokio::spawn(async move {
                let answer = client.request(SUBJECT, request.freeze()).await?;
                answered.send(answer.payload)?;
                anyhow::Ok(())
            });
        }
    }
    Ok(())
}

fn line(answer: Bytes) -> impl Iterator<Item = u8> {
    let (before, after) =
        (Bytes::from_static(br#"{"jsonrpc":"2.0","id":1,"result":"#), Bytes::from_static(b"}\n"));
    before.into_iter().chain(answer).chain(after)
}
