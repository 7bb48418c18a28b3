//! `http.json`: one HTTP exchange each, with the listener as users make it.

use crate::{
    compare,
    http_client::Request,
    load::{bytes, load, text},
    sockets::Listening,
    tally::Tally,
};
use serde_json::Value;

async fn play(vector: &Value, listening: &Listening) -> Result<(), String> {
    let path = format!("/{}", vector["path"].as_str().unwrap_or_default());
    let body = vector.get("body").map(bytes).unwrap_or_default();
    let mut request = Request::new(text(vector, "method"), body);
    request.path = &path;
    request.chunked = vector["chunked"] == true;
    request.head_only = vector["raw"] == true;
    for (name, value) in vector["headers"].as_object().into_iter().flatten() {
        request = request.header(name, value.as_str().unwrap_or_default());
    }
    let response = request.send(listening.address(&Value::Null)).await?;
    if vector["status"] != response.status {
        return Err(format!("expected status {}: {response:?}", vector["status"]));
    }
    for (name, expected) in vector["response_headers"].as_object().into_iter().flatten() {
        let have = response.header(name).unwrap_or_default();
        if !have.split(',').any(|value| Some(value.trim()) == expected.as_str()) {
            return Err(format!("the header {name} is {have:?}, expected {expected}"));
        }
    }
    if response.status == 200 && response.header("content-type") != Some("application/json") {
        return Err(format!("the content type of {response:?}"));
    }
    match vector.get("out") {
        Some(Value::Null) if response.body.is_empty() => Ok(()),
        Some(Value::Null) => Err(format!("a body where none is due: {}", response.body)),
        Some(expected) => compare::document(expected, &response.body),
        None if response.body.contains("\"result\"") => Err(format!("a result came back: {}", response.body)),
        None => Ok(()),
    }
}

#[tokio::test]
async fn exchanges() {
    let listening = Listening::http().await;
    let mut tally = Tally::default();
    for vector in load("http.json", "vectors", 46) {
        tally.record(text(&vector, "name"), play(&vector, &listening).await);
    }
    listening.stop().await;
    tally.assert(46);
}
