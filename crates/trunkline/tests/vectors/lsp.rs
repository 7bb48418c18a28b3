//! `lsp.json`: chunks of a stream of frames with a `Content-Length` header.

use crate::{
    carrier::{connect, demo_service},
    compare,
    contact::documents,
    load::{bytes, list, load, text},
    tally::Tally,
    wire::Wire,
};
use serde_json::{Value, json};
use trunkline::framing::{ContentLength, Cut, Framing};
use trunkline_core::{Input, Outbox};

#[track_caller]
fn vectors() -> Vec<Value> {
    load("lsp.json", "vectors", 56)
}

async fn play(chunks: &[Vec<u8>], expected: &[Value], closes: bool) -> Result<(), String> {
    let mut contact = connect(&demo_service(), ContentLength::default(), Wire::Headers);
    for chunk in chunks {
        contact.raw(chunk).await?;
        contact.settle().await;
    }
    let (arrivals, ended) = contact.until_quiet().await;
    if ended != closes {
        return Err(format!("the connection ended: {ended}, expected {closes}"));
    }
    compare::set(expected, documents(arrivals)?)
}

/// The bodies that reach the parser, and whether the position was lost.
fn frames(vector: &Value) -> (Vec<Vec<u8>>, bool) {
    let mut framing = ContentLength::default();
    let mut input = Input::default();
    let mut out = Outbox::new(framing.marking());
    let mut frames = Vec::new();
    for chunk in list(vector, "chunks") {
        input.extend(&bytes(chunk));
        loop {
            match framing.cut(&mut input, &mut out) {
                Ok(Cut::Frame(frame)) => frames.push(frame.body.as_bytes().to_vec()),
                Ok(_) => break,
                Err(_) => return (frames, true),
            }
        }
    }
    (frames, false)
}

#[tokio::test(start_paused = true)]
async fn replies() {
    let mut tally = Tally::default();
    for vector in vectors() {
        let chunks: Vec<Vec<u8>> = list(&vector, "chunks").iter().map(bytes).collect();
        let outcome = play(&chunks, list(&vector, "out"), vector["close"] == true).await;
        tally.record(text(&vector, "name"), outcome);
    }
    tally.assert(56);
}

#[test]
fn bodies_that_reach_the_parser() {
    let mut tally = Tally::default();
    for vector in vectors() {
        let expected: Vec<Vec<u8>> = list(&vector, "frames").iter().map(bytes).collect();
        let (frames, lost) = frames(&vector);
        let fits = frames == expected && lost == (vector["close"] == true);
        let outcome = if fits { Ok(()) } else { Err(format!("{} bodies, lost: {lost}", frames.len())) };
        tally.record(text(&vector, "name"), outcome);
    }
    tally.assert(56);
}

/// What the client of vscode-jsonrpc writes, and what the demo service answers to it.
#[tokio::test(start_paused = true)]
async fn what_vscode_jsonrpc_writes_is_understood() {
    let unknown = |id: u8| json!({"id": id, "error": {"code": -32601, "message": "Method not found"}});
    let expected = [
        vec![json!({"id": 0, "result": 3})],
        vec![json!({"id": 0, "result": ["hello", 5]})],
        vec![json!({"id": 0, "result": {"a": 1}})],
        vec![json!({"id": 0, "result": [[1, 2]]})],
        vec![json!({"id": 0, "result": ["x"]})],
        vec![json!({"id": 0, "result": [null]})],
        vec![json!({"id": 0, "result": [null, 1]})],
        vec![],
        vec![],
        vec![unknown(0), unknown(1)],
        vec![json!({"id": 0, "error": {"code": -32800, "message": "Request cancelled"}})],
        vec![unknown(0)],
        vec![unknown(0)],
        vec![json!({"id": 0, "result": ["€"]})],
    ];
    let mut tally = Tally::default();
    for (call, expected) in load("lsp.json", "client_calls", 14).iter().zip(&expected) {
        let outcome = play(&[bytes(&call["bytes"])], expected, false).await;
        tally.record(text(call, "call"), outcome);
    }
    tally.assert(14);
}
