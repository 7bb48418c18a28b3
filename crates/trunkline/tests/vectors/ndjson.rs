//! `ndjson.json`: chunks of a stream of lines.

use crate::{
    carrier::{connect, demo_service},
    compare,
    contact::documents,
    load::{bytes, list, load, text},
    reply::elements,
    tally::Tally,
    wire::Wire,
};
use serde::de::IgnoredAny;
use serde_json::Value;
use trunkline::framing::{Cut, Framing, Lines};
use trunkline_core::{Input, Outbox};

/// What ends a document, besides the end of the stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Delimiter {
    Auto,
    Newline,
}

impl Delimiter {
    fn framing(self) -> Lines {
        match self {
            Self::Auto => Lines::default(),
            Self::Newline => Lines::default().only_newlines(),
        }
    }

    /// The outcome of a vector, which says so where it is another one here.
    fn outcome(self, vector: &Value) -> &Value {
        match (self, vector.get("newline")) {
            (Self::Newline, Some(other)) => other,
            _ => vector,
        }
    }
}

#[track_caller]
fn vectors() -> Vec<Value> {
    let vectors = load("ndjson.json", "vectors", 63);
    assert_eq!(vectors.iter().filter(|vector| vector.get("newline").is_some()).count(), 13);
    vectors
}

async fn play(vector: &Value, delimiter: Delimiter) -> Result<(), String> {
    let mut contact = connect(&demo_service(), delimiter.framing(), Wire::Lines);
    let chunks: Vec<Vec<u8>> = list(vector, "chunks").iter().map(bytes).collect();
    for chunk in &chunks {
        contact.raw(chunk).await?;
        contact.settle().await;
    }
    let ends = vector["eof"] == true;
    if ends {
        contact.end().await?;
    }
    let (arrivals, ended) = contact.until_quiet().await;
    if ended != ends {
        return Err(format!("the stream ended: {ended}, expected {ends}"));
    }
    let got = documents(arrivals)?;
    let expected = list(delimiter.outcome(vector), "out");
    if chunks.iter().any(|chunk| chunk.contains(&b'\n')) {
        return compare::set(expected, got);
    }
    // replies to a sender of which no line feed has come may be merged into arrays
    let expected: Vec<Value> = expected.iter().flat_map(one_by_one).collect();
    let mut singles = Vec::new();
    for text in got {
        match elements(&text) {
            Ok(elements) => singles.extend(elements.into_iter().map(str::to_owned)),
            Err(_) => singles.push(text),
        }
    }
    compare::set(&expected, singles)
}

fn one_by_one(reply: &Value) -> Vec<Value> {
    reply.as_array().cloned().unwrap_or_else(|| vec![reply.clone()])
}

/// Cuts the chunks into the documents that reach the parser.
fn frames(vector: &Value, delimiter: Delimiter) -> Result<Vec<Vec<u8>>, String> {
    let mut framing = delimiter.framing();
    let mut input = Input::default();
    let mut out = Outbox::new(framing.marking());
    let mut frames = Vec::new();
    for chunk in list(vector, "chunks") {
        input.extend(&bytes(chunk));
        while let Cut::Frame(frame) = framing.cut(&mut input, &mut out).map_err(|error| error.to_string())? {
            let body = frame.body.as_bytes();
            // as a dialect does that could not read it as one value
            if frame.several && serde_json::from_slice::<IgnoredAny>(body).is_err() {
                framing.recut(&mut input);
            } else {
                frames.push(trim(body).to_vec());
            }
        }
    }
    if vector["eof"] == true {
        while let Cut::Frame(frame) = framing.finish(&mut input).map_err(|error| error.to_string())? {
            frames.push(trim(frame.body.as_bytes()).to_vec());
        }
    }
    Ok(frames)
}

fn trim(mut document: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\r', rest @ ..] | [rest @ .., b' ' | b'\t' | b'\r'] = document {
        document = rest;
    }
    document
}

async fn play_all(delimiter: Delimiter) {
    let mut tally = Tally::default();
    for vector in vectors() {
        tally.record(text(&vector, "name"), play(&vector, delimiter).await);
    }
    tally.assert(63);
}

fn cut_all(delimiter: Delimiter) {
    let mut tally = Tally::default();
    for vector in vectors() {
        let expected: Vec<Vec<u8>> = list(delimiter.outcome(&vector), "frames").iter().map(bytes).collect();
        let outcome = frames(&vector, delimiter).and_then(|frames| match frames == expected {
            true => Ok(()),
            false => Err(format!("{:?}", frames.iter().map(|frame| frame.escape_ascii().to_string()))),
        });
        tally.record(text(&vector, "name"), outcome);
    }
    tally.assert(63);
}

#[tokio::test(start_paused = true)]
async fn replies() {
    play_all(Delimiter::Auto).await;
}

#[tokio::test(start_paused = true)]
async fn replies_where_only_newlines_delimit() {
    play_all(Delimiter::Newline).await;
}

#[test]
fn documents_that_reach_the_parser() {
    cut_all(Delimiter::Auto);
}

#[test]
fn documents_that_reach_the_parser_where_only_newlines_delimit() {
    cut_all(Delimiter::Newline);
}
