//! The vectors in `tests/vectors/therms`, played against the service of the kit: those
//! over HTTP on a socket, with the listener as users make it, those over WebSocket in
//! memory, on a clock that stands still while anybody has something to do.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod amqp;
mod differences;
#[path = "../../examples/interop/therms/gateway.rs"]
mod gateway;
mod http;
#[path = "../../examples/interop/therms/service.rs"]
mod service;
mod ws;

use self::gateway::Events;
use crate::load::text;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr};
use trunkline::{Router, Therms};

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/therms");

/// The vectors whose names begin so, of which there must be as many.
#[track_caller]
fn load(prefix: &str, count: usize) -> Vec<Value> {
    let files = std::fs::read_dir(DIRECTORY).unwrap().map(|entry| entry.unwrap());
    let mut vectors: Vec<Value> = files
        .filter(|file| file.file_name().to_string_lossy().starts_with(prefix))
        .map(|file| serde_json::from_slice(&std::fs::read(file.path()).unwrap()).unwrap())
        .collect();
    assert_eq!(vectors.len(), count, "vectors {prefix}");
    vectors.sort_by_key(|vector| text(vector, "scenario").to_owned());
    vectors
}

/// The vectors were recorded behind a proxy on the same machine.
const PROXIES: [IpAddr; 1] = [IpAddr::V4(Ipv4Addr::LOCALHOST)];

/// The dialect as the vectors have it.
fn language() -> Therms {
    Therms::default().client_messages(gateway::CLIENT_MESSAGE).identity_changes(gateway::IDENTITY_CHANGE)
}

/// What the service has that the vectors were recorded of: a handler's procedures, and a
/// gateway's.
fn router(events: &Events) -> Router {
    service::router("trunkline", |_| true).merge(events.router())
}

/// The bytes that a message sends.
fn sent(message: &Value) -> Vec<u8> {
    let long = &message["body"];
    match (message.get("body"), message["bodyText"].as_str(), message["bodyBase64"].as_str()) {
        (Some(_), _, _) if long["truncated"] == true => {
            let (head, tail) = (text(long, "head"), text(long, "tail"));
            let length = usize::try_from(long["length"].as_u64().unwrap()).unwrap();
            let middle = "x".repeat(length - head.len() - tail.len());
            [head, &middle, tail].concat().into_bytes()
        }
        (Some(body), None, _) => body.to_string().into_bytes(),
        (_, Some(text), _) => text.as_bytes().to_vec(),
        (_, _, Some(base64)) => unbase64(base64),
        _ => Vec::new(),
    }
}

/// Bytes from their base64 digits.
fn unbase64(digits: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for six in digits.bytes().map_while(digit) {
        (bits, held) = (bits << 6 | u32::from(six), held + 6);
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).unwrap());
        }
    }
    bytes
}

/// Compares an answer with what was recorded; generated ids need only look alike.
fn compare(expected: &Value, got: &str) -> Result<(), String> {
    if expected["truncated"] == true {
        let fits = got.starts_with(text(expected, "head"))
            && got.ends_with(text(expected, "tail"))
            && expected["length"] == got.len();
        return if fits { Ok(()) } else { Err(format!("another text of {} bytes", got.len())) };
    }
    let value = serde_json::from_str(got).map_err(|error| format!("{got}: {error}"))?;
    if is_like(expected, &value) { Ok(()) } else { Err(format!("expected {expected}, got {got}")) }
}

fn is_like(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            expected.len() == got.len()
                && expected.iter().all(|(name, value)| got.get(name).is_some_and(|got| is_like(value, got)))
        }
        (Value::String(expected), Value::String(got)) => {
            expected == got || (is_generated(expected) && is_generated(got) && expected.len() == got.len())
        }
        _ => expected == got,
    }
}

/// Whether a text is an id that is made up anew each time: 24 hexadecimal digits, or a UUID.
fn is_generated(text: &str) -> bool {
    let hex = text.bytes().filter(u8::is_ascii_hexdigit).count();
    (text.len() == 24 && hex == 24) || (text.len() == 36 && hex == 32)
}
