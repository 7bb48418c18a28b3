//! What clients of a gateway cost that has no procedure of its own: its resident memory, before and after thousands
//! have come, and whether each is answered for itself.

use anyhow::{Context, Result, bail, ensure};
use futures_util::future::try_join_all;
use rivals::args::Args;
use rivals::meter::{connections_to, resident_bytes};
use rivals::replies::text_message;
use rivals::requests::{Wire, push_frame, therms};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::idle::open;

/// Clients that come first and are not counted: they pay for what is allocated once.
const SETTLING: usize = 200;

/// How many call at a time: a network holds so many calls, and no more.
const AT_A_TIME: usize = 64;

/// Lets `--connections` WebSocket clients of @therms come, and call `math::add::1` with a number of their own; memory
/// is read after either. `--broker` is the port of the gateway's broker.
pub(crate) async fn measure(args: &Args) -> Result<Value> {
    let (address, server): (String, u32) = (args.need("address")?, args.need("pid")?);
    let (broker, connections): (u16, _) = (args.need("broker")?, args.get("connections", 10_000_usize)?);

    let mut settling = open(&address, Wire::WebSocket, SETTLING).await?;
    call_all(&mut settling).await?;
    let before = resident_bytes(server)?;
    let mut clients = open(&address, Wire::WebSocket, connections).await?;
    let opened = resident_bytes(server)?;
    call_all(&mut clients).await?;
    let called = resident_bytes(server)?;
    Ok(json!({
        "connections": connections,
        "before": before,
        "opened": opened,
        "called": called,
        "broker_connections": connections_to(server, broker)?,
    }))
}

async fn call_all(clients: &mut [TcpStream]) -> Result<()> {
    for (group, clients) in clients.chunks_mut(AT_A_TIME).enumerate() {
        let calls = clients.iter_mut().enumerate();
        try_join_all(calls.map(|(n, client)| call(client, group * AT_A_TIME + n))).await?;
    }
    Ok(())
}

/// Adds 2 to a number that no other client has, and holds the answer against it.
async fn call(client: &mut TcpStream, number: usize) -> Result<()> {
    let text = therms("math", "add", &format!(r#"{{"a":{number},"b":2}}"#), number);
    let mut frame = Vec::new();
    push_frame(&mut frame, text.as_bytes(), number);
    client.write_all(&frame).await?;
    let mut read = Vec::new();
    let answer: Value = loop {
        ensure!(client.read_buf(&mut read).await? > 0, "the gateway hung up on client {number}");
        if let Some(text) = text_message(&read)? {
            break serde_json::from_slice(text).context("the answer is no JSON")?;
        }
    };
    if answer["correlationId"].as_str() != Some(&*number.to_string()) || answer["data"]["sum"] != number + 2 {
        bail!("client {number} was answered {answer}");
    }
    Ok(())
}
