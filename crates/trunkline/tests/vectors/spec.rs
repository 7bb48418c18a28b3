//! `spec.json`: one document in, the reply out.

use crate::{
    carrier::{Caller, Carrier, demo_service_with},
    compare,
    load::{load, text},
    tally::Tally,
};
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::Instant;

/// The vectors.
#[track_caller]
pub(crate) fn vectors() -> Vec<Value> {
    load("spec.json", "vectors", 179)
}

/// Whether durations mean something: where the clock stands still, only what
/// waits on it takes time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Clock {
    Still,
    Running,
}

/// Plays one vector.
pub(crate) async fn play(vector: &Value, mut caller: Caller, clock: Clock) -> Result<(), String> {
    static KEY: AtomicU64 = AtomicU64::new(0);
    let key = format!("key-{}", KEY.fetch_add(1, Ordering::Relaxed));
    let fill = |text: &str| text.replace("{{key}}", &key).into_bytes();
    let expected = &vector["out"];
    let start = Instant::now();
    let got = caller.ask(&fill(text(vector, "in")), usize::from(!expected.is_null())).await?;
    let took = start.elapsed();
    match (expected, got.as_slice()) {
        (Value::Null, []) => {}
        (Value::Null, _) => return Err(format!("an unexpected reply: {got:?}")),
        (_, [reply]) => compare::document(expected, reply)?,
        _ => return Err(format!("{} replies, expected one: {got:?}", got.len())),
    }
    let secret = |text: &str| got.iter().any(|reply| reply.contains(text));
    if vector["no_text"].as_str().is_some_and(secret) || secret("the secret of the demo service") {
        return Err(format!("the reply tells too much: {got:?}"));
    }
    if clock == Clock::Still
        && vector["within_ms"].as_u64().is_some_and(|most| took.as_millis() > most.into())
    {
        return Err(format!("took {took:?}"));
    }
    if let Some(then) = vector.get("then") {
        let again = caller.ask(&fill(text(then, "in")), 1).await?;
        compare::set(std::slice::from_ref(&then["out"]), again).map_err(|why| format!("then: {why}"))?;
    }
    caller.finish().await
}

async fn play_all(carrier: Carrier, count: usize) {
    let mut tally = Tally::default();
    for vector in vectors().iter().filter(|vector| carrier.carries(&vector["transports"])) {
        let caller = carrier.caller(&demo_service_with(&vector["option"]));
        tally.record(text(vector, "name"), play(vector, caller, Clock::Still).await);
    }
    tally.assert(count);
}

#[tokio::test(start_paused = true)]
async fn over_lines() {
    play_all(Carrier::Lines, 173).await;
}

#[tokio::test(start_paused = true)]
async fn over_headers() {
    play_all(Carrier::Headers, 177).await;
}

#[tokio::test(start_paused = true)]
async fn over_websocket() {
    play_all(Carrier::WebSocket, 177).await;
}

#[tokio::test(start_paused = true)]
async fn over_exchange() {
    play_all(Carrier::Exchange, 172).await;
}

#[test]
fn every_vector_is_played_somewhere_and_sixteen_need_settings() {
    let vectors = vectors();
    let plays = |carrier: &&Carrier, vector: &Value| carrier.carries(&vector["transports"]);
    assert!(vectors.iter().all(|vector| Carrier::ALL.iter().any(|carrier| plays(&carrier, vector))));
    let with_settings = vectors.iter().filter(|vector| vector.get("option").is_some());
    let runs: usize = with_settings
        .map(|vector| Carrier::ALL.iter().filter(|carrier| plays(carrier, vector)).count())
        .sum();
    assert_eq!(runs, 16);
}
