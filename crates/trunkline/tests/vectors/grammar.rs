//! `grammar.json`: JSON values inside `params`, which come back or are refused.

use crate::{
    carrier::{Caller, Carrier, demo_service},
    compare,
    load::{bytes, load, text},
    reply::Reply,
    tally::Tally,
};
use serde_json::{Value, json};

const PARSE_ERROR: i64 = -32700;
const INVALID_PARAMS: i64 = -32602;

/// The vectors.
#[track_caller]
pub(crate) fn vectors() -> Vec<Value> {
    load("grammar.json", "vectors", 192)
}

/// A value with a line feed in it does not fit on a line.
pub(crate) fn applies(carrier: Carrier, vector: &Value) -> bool {
    carrier != Carrier::Lines || vector["one_line"] != false
}

/// Plays one vector.
pub(crate) async fn play(vector: &Value, carrier: Carrier, mut caller: Caller) -> Result<(), String> {
    let document =
        [br#"{"jsonrpc":"2.0","id":1,"method":"echo","params":["#, &*bytes(vector), b"]}"].concat();
    let got = caller.ask(&document, 1).await?;
    match text(vector, "verdict") {
        "accept" => accepted(vector, &got)?,
        "reject" => refused(carrier, &got, &[PARSE_ERROR])?,
        "either" => came_back(vector, &got).or_else(|why| {
            refused(carrier, &got, &[PARSE_ERROR, INVALID_PARAMS])
                .map_err(|no| format!("neither value ({why}) nor error ({no})"))
        })?,
        other => panic!("no such verdict: {other}"),
    }
    caller.finish().await
}

fn accepted(vector: &Value, got: &[String]) -> Result<(), String> {
    let [reply] = got else { return Err(format!("{} replies: {got:?}", got.len())) };
    let value: Value = serde_json::from_str(text(vector, "text")).map_err(|error| error.to_string())?;
    compare::reply(&json!({"id": 1, "result": [value]}), reply)
}

/// What may be refused need not be a value that can be compared, but comes back as it was spelled.
fn came_back(vector: &Value, got: &[String]) -> Result<(), String> {
    let [reply] = got else { return Err(format!("{} replies: {got:?}", got.len())) };
    let Reply { id, outcome } = Reply::read(reply)?;
    let result = outcome.map_err(|error| format!("{error:?}"))?;
    let spelled = format!("[{}]", text(vector, "text"));
    if id == "1" && result == spelled { Ok(()) } else { Err(format!("id {id}, result {result}")) }
}

/// Rubbish left over on a line may be refused once more.
fn refused(carrier: Carrier, got: &[String], codes: &[i64]) -> Result<(), String> {
    let most = if carrier == Carrier::Lines { 2 } else { 1 };
    if got.is_empty() || got.len() > most {
        return Err(format!("{} replies: {got:?}", got.len()));
    }
    got.iter().try_for_each(|reply| match Reply::read(reply)?.outcome {
        Err(error) if codes.contains(&error.code) => Ok(()),
        _ => Err(format!("expected an error, got {reply}")),
    })
}

async fn play_all(carrier: Carrier, count: usize) {
    let service = demo_service();
    let mut tally = Tally::default();
    for vector in vectors().iter().filter(|vector| applies(carrier, vector)) {
        let outcome = play(vector, carrier, carrier.caller(&service)).await;
        tally.record(text(vector, "name"), outcome);
    }
    tally.assert(count);
}

#[tokio::test(start_paused = true)]
async fn over_lines() {
    play_all(Carrier::Lines, 188).await;
}

#[tokio::test(start_paused = true)]
async fn over_headers() {
    play_all(Carrier::Headers, 192).await;
}

#[tokio::test(start_paused = true)]
async fn over_websocket() {
    play_all(Carrier::WebSocket, 192).await;
}

#[tokio::test(start_paused = true)]
async fn over_exchange() {
    play_all(Carrier::Exchange, 192).await;
}
