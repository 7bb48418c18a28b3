//! Sessions that were captured, played to an endpoint for such clients.

use crate::{
    carrier::connect,
    contact::Contact,
    demo,
    load::{load, text},
    session::{Difference, assert_known, compare_with_original, differs, read, sent},
    tally::Tally,
    wire::{self, Arrival, Wire},
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use trunkline::{Fault, JsonRpc, Peer, RawArgs, Service};
use trunkline_net::ws::WebSocket;

/// Where a server of ws-rpc-messaging did something else.
const SESSIONS: &[Difference] = &[
    differs(
        "request without params",
        &[r#"{"id":"{{uuid1}}","result":{"value":0}}"#],
        "no params are an empty list, and the result 0 is one that its client cannot receive",
    ),
    differs(
        "request with null params",
        &[r#"{"id":"{{uuid1}}","result":{"value":0}}"#],
        "null params are none",
    ),
    differs(
        "request whose handler fails (throw)",
        &[r#"{"id":"{{uuid1}}","error":{"code":-32602}}"#],
        "params that do not fit are the caller's mistake, and not the handler's",
    ),
    differs(
        "respond with zero",
        &[r#"{"id":"{{uuid1}}","result":{"value":0}}"#],
        "its client waits for ever for a result that JavaScript finds false",
    ),
    differs("respond with null", &[r#"{"id":"{{uuid1}}","result":{}}"#], "the same"),
    differs("respond with undefined", &[r#"{"id":"{{uuid1}}","result":{}}"#], "the same"),
    differs(
        "server requests, client responds",
        &[r#"{"jsonrpc":"2.0","id":1,"method":"hello","params":["from server"]}"#],
        "ids of ours count from 1",
    ),
    differs(
        "server requests, client throws",
        &[r#"{"jsonrpc":"2.0","id":1,"method":"nope","params":[]}"#],
        "ids of ours count from 1",
    ),
    differs("respond to an id nobody asked for", &[], "there is no way to answer what was not asked"),
    differs("throw to an id nobody asked for", &[], "there is no way to answer what was not asked"),
];

/// The service that was captured, on an endpoint for its clients.
fn captured_service() -> Service {
    let subtract = async |numbers: Vec<i64>| {
        let mut numbers = numbers.into_iter();
        let first = numbers.next().unwrap_or_default();
        numbers.fold(first, |difference, number| difference - number)
    };
    let router = demo::router()
        .procedure("sub", subtract)
        .procedure("nul", async |RawArgs(_): RawArgs| None::<u8>)
        .procedure("nothing", async |RawArgs(_): RawArgs| ())
        .procedure("messages.write", async |RawArgs(_): RawArgs| "never sent")
        .procedure("ping", async |RawArgs(_): RawArgs| "never sent");
    Service::new(router, JsonRpc::ws_rpc_messaging())
}

async fn play(session: &Value) -> Result<(), String> {
    let name = text(session, "name");
    let service = captured_service();
    let mut contact = connect(&service, WebSocket::server(), Wire::WebSocket);
    contact.settle().await;
    let peer = service.peers().all().pop().ok_or("no peer is listed")?;
    let mut call = None;
    match name {
        "server notifies" => {
            peer.notify("messages.new", json!({"message": "hi"})).map_err(|fault| fault.to_string())?;
        }
        "server requests, client responds" => call = Some(ask(&peer, "hello", json!(["from server"]))),
        "server requests, client throws" => call = Some(ask(&peer, "nope", json!([]))),
        _ => {}
    }
    contact.settle().await;
    for message in sent(session, "c>s") {
        if message["type"] == "close" {
            return closes(contact, &peer).await;
        }
        // a response to a call of ours has the id that we gave
        let data = match call {
            Some(_) => text(message, "data").replace("\"{{uuid1}}\"", "1"),
            None => text(message, "data").to_owned(),
        };
        contact.raw(&Wire::WebSocket.wrap(data.as_bytes())).await?;
    }
    let original: Vec<Value> = sent(session, "s>c").map(|message| read(text(message, "data"))).collect();
    compare_with_original(&mut contact, name, &original, SESSIONS).await?;
    let outcome = match call {
        Some(call) => Some(call.await.map_err(|error| error.to_string())?),
        None => None,
    };
    let strangers = if name == "respond to an id nobody asked for" { 1 } else { 0 };
    if peer.unmatched_replies() != strangers {
        return Err(format!("{} responses for nobody", peer.unmatched_replies()));
    }
    match (name, outcome) {
        ("server requests, client responds", Some(Ok(result))) if result == "pong" => Ok(()),
        ("server requests, client throws", Some(Err(fault))) if fault.code() == Some(-32601) => Ok(()),
        (_, None) => Ok(()),
        (_, outcome) => Err(format!("the call ended with {outcome:?}")),
    }
}

fn ask(peer: &Peer, procedure: &'static str, args: Value) -> JoinHandle<Result<String, Fault>> {
    let peer = peer.clone();
    tokio::spawn(async move { peer.call(procedure, args).await })
}

/// A close is answered with its code, and ends the connection.
async fn closes(mut contact: Contact, peer: &Peer) -> Result<(), String> {
    contact.raw(&wire::close(1000)).await?;
    let (arrivals, ended) = contact.until_quiet().await;
    let fits = arrivals == [Arrival::Close(1000)] && ended && peer.is_closed();
    if fits { Ok(()) } else { Err(format!("ended: {ended}, {arrivals:?}")) }
}

#[tokio::test(start_paused = true)]
async fn sessions() {
    let sessions = load("ws-rpc-messaging.json", "sessions", 20);
    assert_known(SESSIONS, &sessions);
    let mut tally = Tally::default();
    for session in &sessions {
        tally.record(text(session, "name"), play(session).await);
    }
    tally.assert(20);
}
