//! `mux.json`: several streams over one.

use crate::{
    carrier::{connect, demo_service},
    compare,
    contact::Contact,
    load::{hex, list, load, text},
    reply::elements,
    tally::Tally,
    wire::{Arrival, Wire},
};
use serde_json::Value;
use std::{collections::BTreeMap, panic::catch_unwind};
use trunkline::{
    JsonRpc, Service,
    framing::{Cut, Framing, Mux},
};
use trunkline_core::{Input, Outbox};
use trunkline_net::ws::WebSocket;

/// A piece of one of the streams.
type Piece = (u8, Vec<u8>);

#[track_caller]
fn vectors(kind: &str, count: usize) -> Vec<Value> {
    let mut vectors = load("mux.json", "vectors", 33);
    vectors.retain(|vector| vector["kind"] == kind);
    assert_eq!(vectors.len(), count, "mux.json: {kind}");
    vectors
}

fn channels(vector: &Value) -> u8 {
    vector["channels"].as_u64().and_then(|count| u8::try_from(count).ok()).unwrap_or_default()
}

/// Takes the frames apart that `stream` consists of.
fn pieces(mut stream: &[u8]) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    while !stream.is_empty() {
        let cut = || format!("half a frame: {}", stream.escape_ascii());
        let &[channel, a, b, c, d] = stream.first_chunk().ok_or_else(cut)?;
        let end = 5 + u32::from_be_bytes([a, b, c, d]) as usize;
        pieces.push((channel, stream.get(5..end).ok_or_else(cut)?.to_vec()));
        stream = &stream[end..];
    }
    Ok(pieces)
}

/// No more than eight channels can be had: a mistake of the program, so it panics.
fn refused(count: u8) -> Result<(), String> {
    match catch_unwind(|| Mux::with_channels(count)) {
        Err(_) => Ok(()),
        Ok(_) => Err(format!("{count} channels were accepted")),
    }
}

/// What trunkline writes for the pieces that the original wrote.
fn encode(vector: &Value) -> Result<(), String> {
    let original = &vector["mux_demux_stream"];
    if original.get("throws").is_some() {
        return refused(channels(vector));
    }
    for wire in list(original, "wire") {
        let wire = hex(wire.as_str().unwrap_or_default());
        let mut out = Outbox::new(Mux::with_channels(channels(vector)).marking());
        for (channel, payload) in pieces(&wire)? {
            out.frame(channel, |body| body.extend_from_slice(&payload));
        }
        if out.bytes() != wire {
            return Err(format!("written as {}", out.bytes().escape_ascii()));
        }
    }
    Ok(())
}

#[test]
fn frames_are_written_as_the_original_writes_them() {
    let mut tally = Tally::default();
    for vector in vectors("encode", 13) {
        tally.record(text(&vector, "name"), encode(&vector));
    }
    tally.assert(13);
}

/// What is delivered on each channel. Channels are streams of lines, so what
/// matters is what they carry in all: a line feed on each channel ends it.
fn decode(vector: &Value) -> Result<(), String> {
    let count = channels(vector);
    if count > 8 {
        return refused(count);
    }
    let mut framing = Mux::with_channels(count);
    let mut input = Input::default();
    let mut out = Outbox::new(framing.marking());
    let mut delivered: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    let steps = list(vector, "steps").iter().flat_map(|tick| tick.as_array().into_iter().flatten());
    let mut chunks: Vec<Vec<u8>> = steps.map(|chunk| hex(chunk.as_str().unwrap_or_default())).collect();
    let ends = vector["eof"] == true;
    let truncated = vector["error"] == "truncated frame";
    if !truncated {
        chunks.extend((0..count).map(|channel| vec![channel, 0, 0, 0, 1, b'\n']));
    }
    let mut lost = None;
    'fed: for chunk in &chunks {
        input.extend(chunk);
        loop {
            match framing.cut(&mut input, &mut out) {
                Ok(Cut::Frame(frame)) => {
                    delivered.entry(frame.channel).or_default().extend_from_slice(frame.body.as_bytes());
                }
                Ok(_) => break,
                Err(error) => {
                    lost = Some(error.reason);
                    break 'fed;
                }
            }
        }
    }
    if ends {
        lost = framing.finish(&mut input).err().map(|error| error.reason);
    }
    let mut expected: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    for frame in list(vector, "frames") {
        let channel = frame[0].as_u64().and_then(|channel| u8::try_from(channel).ok()).unwrap_or(u8::MAX);
        expected.entry(channel).or_default().extend(hex(frame[1].as_str().unwrap_or_default()));
    }
    // an unknown channel is no error of the connection: the rest goes on
    let broken = match vector["error"].as_str() {
        Some("truncated frame") => Some("truncated frame"),
        Some("frame too large") => Some("a mux frame over the message limit"),
        Some("unknown channel") | None => None,
        Some(other) => return Err(format!("no such error: {other}")),
    };
    if delivered != expected {
        return Err(format!("delivered {delivered:?}, expected {expected:?}"));
    }
    if lost == broken { Ok(()) } else { Err(format!("{lost:?}, expected {broken:?}")) }
}

#[test]
fn frames_are_read() {
    let mut tally = Tally::default();
    for vector in vectors("decode", 20) {
        tally.record(text(&vector, "name"), decode(&vector));
    }
    tally.assert(20);
}

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
            let expected = serde_json::json!({"id": null, "error": {"code": -32700}});
            match pieces(bytes)?.as_slice() {
                [(0, payload)] => compare::reply(&expected, &String::from_utf8_lossy(payload)).is_ok(),
                _ => false,
            }
        }
        _ => false,
    };
    if parting && ended { Ok(()) } else { Err(format!("ended: {ended}, {arrivals:?}")) }
}
