//! `mux.json`: several streams over one.

mod calls;

use crate::{
    load::{hex, list, load, text},
    tally::Tally,
};
use serde_json::Value;
use std::{collections::BTreeMap, panic::catch_unwind};
use trunkline::framing::{Cut, Framing, Mux};
use trunkline_core::{Input, Outbox};

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

/// What trunkline writes for the pieces that the original wrote. Streams are of
/// lines, so a line feed at the end is the setting that asks for it.
fn encode(vector: &Value) -> Result<(), String> {
    let original = &vector["mux_demux_stream"];
    if original.get("throws").is_some() {
        return refused(channels(vector));
    }
    for wire in list(original, "wire") {
        let wire = hex(wire.as_str().unwrap_or_default());
        let mut written = Vec::new();
        for (channel, payload) in pieces(&wire)? {
            let mux = Mux::with_channels(channels(vector));
            let (document, mux) = match payload.strip_suffix(b"\n") {
                Some(document) => (document, mux.with_newline()),
                None => (&*payload, mux),
            };
            let mut out = Outbox::new(mux.marking());
            out.frame(channel, |body| body.extend_from_slice(document));
            written.extend_from_slice(out.bytes());
        }
        let expected = match text(vector, "name") {
            // what is sent here are documents, which stand on one line
            "encode: binary payload" => b"\x01\0\0\0\x04\x00\xff \r".to_vec(),
            _ => wire,
        };
        if written != expected {
            return Err(format!("written as {}", written.escape_ascii()));
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
