//! Calls over two channels, on a stream and on a WebSocket.

use super::{Piece, pieces, vectors};
use crate::{
    carrier::{connect, demo_service},
    compare,
    contact::Contact,
    load::{hex, list, load, text},
    reply::elements,
    tally::Tally,
    wire::{Arrival, Wire},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use trunkline::{JsonRpc, Service, framing::Mux};
use trunkline_net::ws::WebSocket;

/// What the streams travel over.
#[derive(Clone, Copy, Debug)]
enum Over {
    Stream,
    WebSocket,
}

impl Over {
    fn connect(self, service: &Service) -> Contact {
        match self {
            Self::Stream => connect(service, Mux::default(), Wire::Bytes),
            Self::WebSocket => {
                let framing = WebSocket::server().binary().carrying(Box::new(Mux::default()));
                connect(service, framing, Wire::WebSocket)
            }
        }
    }

    async fn send(self, contact: &mut Contact, frame: &[u8]) -> Result<(), String> {
        let wire = match self {
            Self::Stream => Wire::Bytes,
            Self::WebSocket => Wire::WebSocket,
        };
        contact.raw(&wire.wrap_binary(frame)).await?;
        contact.settle().await;
        Ok(())
    }

    /// The frames that have come. A WebSocket message is one.
    fn pieces(self, arrivals: Vec<Arrival>) -> Result<Vec<Piece>, String> {
        let mut all = Vec::new();
        for arrival in arrivals {
            let Arrival::Binary(bytes) = arrival else {
                return Err(format!("{arrival:?} in place of a frame"));
            };
            let pieces = pieces(&bytes)?;
            if matches!(self, Self::WebSocket) && pieces.len() != 1 {
                return Err(format!("{} frames in a message", pieces.len()));
            }
            all.extend(pieces);
        }
        Ok(all)
    }
}

fn mux_service() -> Service {
    demo_service().in_language(JsonRpc::mux())
}

/// Plays calls over two channels. Replies that are ready together may share a
/// frame as one array, so they are compared one by one.
async fn talk(vector: &Value, over: Over) -> Result<(), String> {
    let mut contact = over.connect(&mux_service());
    for frame in list(vector, "in") {
        over.send(&mut contact, &hex(text(frame, "hex"))).await?;
    }
    let (arrivals, ended) = contact.until_quiet().await;
    if ended {
        return Err("the connection ended".to_owned());
    }
    let mut got: BTreeMap<u8, Vec<String>> = BTreeMap::new();
    for (channel, payload) in over.pieces(arrivals)? {
        let text = String::from_utf8(payload).map_err(|error| error.to_string())?;
        let documents = got.entry(channel).or_default();
        match elements(&text) {
            Ok(elements) => documents.extend(elements.into_iter().map(str::to_owned)),
            Err(_) => documents.push(text),
        }
    }
    let mut expected: BTreeMap<u8, Vec<Value>> = BTreeMap::new();
    for reply in list(vector, "out") {
        let channel = reply["channel"].as_u64().and_then(|channel| u8::try_from(channel).ok());
        let replies = expected.entry(channel.unwrap_or(u8::MAX)).or_default();
        match &reply["out"] {
            Value::Array(batch) => replies.extend_from_slice(batch),
            // what the service sends of its own accord is no reply
            message if message.get("method").is_some() => {
                let documents = got.get_mut(&channel.unwrap_or(u8::MAX));
                let sent = documents.and_then(|documents| {
                    let at = documents.iter().position(|text| compare::spells(message, text))?;
                    Some(documents.swap_remove(at))
                });
                sent.ok_or_else(|| format!("{message} was not sent on channel {channel:?}"))?;
            }
            reply => replies.push(reply.clone()),
        }
    }
    for (channel, texts) in got {
        let expected = expected.remove(&channel).unwrap_or_default();
        compare::set(&expected, texts).map_err(|why| format!("channel {channel}: {why}"))?;
    }
    match expected.into_iter().find(|(_, replies)| !replies.is_empty()) {
        Some((channel, replies)) => Err(format!("channel {channel}: {replies:?} did not come")),
        None => Ok(()),
    }
}

async fn talk_all(over: Over) {
    let mut tally = Tally::default();
    for vector in load("mux.json", "rpc", 17) {
        tally.record(text(&vector, "name"), talk(&vector, over).await);
    }
    tally.assert(17);
}

#[tokio::test(start_paused = true)]
async fn calls_over_a_stream() {
    talk_all(Over::Stream).await;
}

#[tokio::test(start_paused = true)]
async fn calls_over_websocket() {
    talk_all(Over::WebSocket).await;
}

/// A length that is absurd ends the connection, and a WebSocket says why.
#[tokio::test(start_paused = true)]
async fn absurd_lengths_end_the_connection() {
    let mut tally = Tally::default();
    for vector in vectors("decode", 20).iter().filter(|vector| vector["close"] == true) {
        for over in [Over::Stream, Over::WebSocket] {
            tally.record(text(vector, "name"), closes(vector, over).await);
        }
    }
    tally.assert(4);
}

async fn closes(vector: &Value, over: Over) -> Result<(), String> {
    let mut contact = over.connect(&mux_service());
    let steps = list(vector, "steps").iter().flat_map(|tick| tick.as_array().into_iter().flatten());
    for chunk in steps {
        over.send(&mut contact, &hex(chunk.as_str().unwrap_or_default())).await?;
    }
    let (arrivals, ended) = contact.until_quiet().await;
    let parting = match (over, arrivals.as_slice()) {
        (Over::WebSocket, [Arrival::Close(code)]) => *code == 1009,
        // a stream has no word for it but a parse error
        (Over::Stream, [Arrival::Binary(bytes)]) => {
            let expected = json!({"id": null, "error": {"code": -32700}});
            match pieces(bytes)?.as_slice() {
                [(0, payload)] => compare::reply(&expected, &String::from_utf8_lossy(payload)).is_ok(),
                _ => false,
            }
        }
        _ => false,
    };
    if parting && ended { Ok(()) } else { Err(format!("ended: {ended}, {arrivals:?}")) }
}
