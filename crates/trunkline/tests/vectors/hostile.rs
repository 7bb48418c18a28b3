//! `hostile.json`: documents that are meant to hurt. Whatever is answered, the
//! connection must live on. That memory does not grow with what is refused is
//! tested where the refusing is done, with the framings.

use crate::{
    carrier::{Caller, Carrier, demo_service},
    compare::{self, spells},
    contact::Contact,
    load::{build, list, load, text},
    reply::{Reply, cut, elements},
    spec::Clock,
    tally::Tally,
    wire::{Arrival, Wire},
};
use serde_json::{Value, json};
use tokio::time::Instant;

/// The vectors.
#[track_caller]
pub(crate) fn vectors() -> Vec<Value> {
    load("hostile.json", "vectors", 84)
}

/// Plays one vector.
pub(crate) async fn play(vector: &Value, mut caller: Caller, clock: Clock) -> Result<(), String> {
    let document = build(list(vector, "parts"));
    if let Some(code) = vector["close"].as_u64() {
        let Caller::Connected(contact) = caller else { return Err("nothing to close".to_owned()) };
        return closes(contact, &document, code).await;
    }
    let expected = list(vector, "expect");
    let replies = |outcome: &Value| match outcome.get("none") {
        Some(_) => 0,
        None => outcome["lines_of"].as_u64().unwrap_or(1),
    };
    let most = expected.iter().map(replies).max().unwrap_or(0);
    let start = Instant::now();
    let got = caller.ask(&document, usize::try_from(most).unwrap_or(usize::MAX)).await?;
    let took = start.elapsed();
    let reasons: Vec<String> = expected.iter().filter_map(|outcome| fits(outcome, &got).err()).collect();
    if reasons.len() == expected.len() {
        return Err(reasons.join(" | "));
    }
    if vector["max_reply"].as_u64().is_some_and(|most| got.iter().any(|reply| reply.len() as u64 > most)) {
        return Err("the reply is too long".to_owned());
    }
    if let Some(status) = caller.status()
        && u64::from(status) != vector["status"].as_u64().unwrap_or(if got.is_empty() { 204 } else { 200 })
    {
        return Err(format!("status {status}"));
    }
    if clock == Clock::Still
        && vector["within_ms"].as_u64().is_some_and(|most| took.as_millis() > most.into())
    {
        return Err(format!("took {took:?}"));
    }
    if let Some(then) = vector.get("then") {
        let again = caller.ask(text(then, "in").as_bytes(), 1).await?;
        compare::set(std::slice::from_ref(&then["out"]), again).map_err(|why| format!("then: {why}"))?;
    }
    caller.finish().await
}

/// The far side closes the WebSocket, and takes the next one.
async fn closes(mut contact: Contact, document: &[u8], code: u64) -> Result<(), String> {
    // it may have closed before all of it is sent
    let _ = contact.raw(&Wire::WebSocket.wrap(document)).await;
    match contact.arrival().await? {
        Some(Arrival::Close(closed)) if u64::from(closed) == code => {}
        other => return Err(format!("{other:?} in place of a close with {code}")),
    }
    let mut next = Carrier::WebSocket.caller(&demo_service());
    let got = next.ask(br#"{"jsonrpc":"2.0","id":1,"method":"zero"}"#, 1).await?;
    compare::set(&[json!({"id": 1, "result": 0})], got)
}

/// One acceptable outcome against the replies that came.
fn fits(expected: &Value, got: &[String]) -> Result<(), String> {
    if expected.get("none").is_some() {
        return if got.is_empty() { Ok(()) } else { Err(format!("unexpected reply {}", cut(&got[0]))) };
    }
    let all_error = expected["all_error"].as_i64();
    let each = |reply: &str| match (Reply::read(reply)?.outcome, all_error) {
        (Ok(_), None) => Ok(()),
        (Err(error), Some(code)) if error.code == code => Ok(()),
        (outcome, _) => Err(format!("{outcome:?}, expected {all_error:?}")),
    };
    if let Some(lines) = expected["lines_of"].as_u64() {
        if got.len() as u64 != lines {
            return Err(format!("{} replies, expected {lines}", got.len()));
        }
        return got.iter().try_for_each(|reply| each(reply));
    }
    let [reply] = got else { return Err(format!("{} replies, expected one", got.len())) };
    if let Some(count) = expected["batch_of"].as_u64() {
        let elements = elements(reply)?;
        if elements.len() as u64 != count {
            return Err(format!("{} replies in the batch, expected {count}", elements.len()));
        }
        return elements.into_iter().try_for_each(each);
    }
    one(expected, reply)
}

fn one(expected: &Value, text: &str) -> Result<(), String> {
    let Reply { id, outcome } = Reply::read(text)?;
    let id_fits = match (&expected["id_text"], &expected["id_repeat"], expected.get("id")) {
        (Value::String(spelled), ..) => id == spelled,
        (_, Value::Array(repeated), _) => {
            let times = repeated[1].as_u64().and_then(|times| usize::try_from(times).ok()).unwrap_or(0);
            id.trim_matches('"') == repeated[0].as_str().unwrap_or_default().repeat(times)
        }
        (.., Some(expected)) => spells(expected, id),
        _ => expected["id_any"] == true,
    };
    if !id_fits {
        return Err(format!("id {}", cut(id)));
    }
    let result = match (outcome, expected["error"].as_i64()) {
        (Ok(result), None) => result,
        (Err(error), Some(code)) if error.code == code => return Ok(()),
        (outcome, code) => return Err(format!("{:?}, expected {code:?}", outcome.map(cut))),
    };
    let result_fits = match expected {
        Value::Object(members) if members.contains_key("result") => spells(&expected["result"], result),
        Value::Object(members) if members.contains_key("result_depth") => {
            let depth = result.bytes().take_while(|&byte| byte == b'[').count();
            expected["result_depth"] == depth && result.len() == 2 * depth
        }
        Value::Object(members) if members.contains_key("result_text_length") => {
            let texts: Vec<String> = serde_json::from_str(result).unwrap_or_default();
            texts.len() == 1 && expected["result_text_length"] == texts[0].len()
        }
        _ => expected["any_result"] == true,
    };
    if result_fits { Ok(()) } else { Err(format!("result {}", cut(result))) }
}

async fn play_all(carrier: Carrier, count: usize) {
    let mut tally = Tally::default();
    let service = demo_service();
    for vector in vectors().iter().filter(|vector| carrier.carries(&vector["transports"])) {
        tally.record(text(vector, "name"), play(vector, carrier.caller(&service), Clock::Still).await);
    }
    tally.assert(count);
}

#[tokio::test(start_paused = true)]
async fn over_lines() {
    play_all(Carrier::Lines, 82).await;
}

#[tokio::test(start_paused = true)]
async fn over_headers() {
    play_all(Carrier::Headers, 79).await;
}

#[tokio::test(start_paused = true)]
async fn over_websocket() {
    play_all(Carrier::WebSocket, 79).await;
}

#[tokio::test(start_paused = true)]
async fn over_exchange() {
    play_all(Carrier::Exchange, 78).await;
}
