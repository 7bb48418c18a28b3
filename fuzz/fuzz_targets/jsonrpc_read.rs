//! Reading JSON-RPC: what is JSON is decided as serde_json decides it, what is read
//! is what serde_json finds there, and can be written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use serde_json::{Value, value::RawValue};
use std::{
    borrow::Cow,
    hash::{DefaultHasher, Hash, Hasher},
};
use trunkline_dialects::jsonrpc::{
    Document, ErrorObject, Failure, Id, Item, Message, NotJsonReason, NullId, Params, Rules, read_bytes,
};

fuzz_target!(|bytes: &[u8]| {
    let mut relaxed = Rules::default();
    relaxed.any_version = true;
    relaxed.wrap_scalar_params = true;
    relaxed.null_id = NullId::Notification;
    let mut narrow = Rules::default();
    narrow.reject_null_params = true;
    narrow.null_id = NullId::Reject;
    narrow.max_batch = 2;
    narrow.max_depth = 3;
    for rules in [Rules::default(), relaxed, narrow] {
        check(bytes, &rules);
    }
});

fn check(bytes: &[u8], rules: &Rules) {
    let text = std::str::from_utf8(bytes);
    let is_json = text.is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    match read_bytes(bytes, rules) {
        Err(problem) => {
            match problem.reason {
                // serde_json passes over values however deep they are
                NotJsonReason::TooDeep { .. } => {
                    assert!(problem.offset < bytes.len());
                    assert!(depth(&bytes[..=problem.offset]) > rules.max_depth);
                }
                _ => assert!(!is_json, "refused, but JSON: {problem}"),
            }
            written(&Message::Failure(Failure::new(None, ErrorObject::from(&problem))));
        }
        Ok(document) => {
            assert!(is_json, "read, but not JSON");
            let text = text.expect("is JSON");
            assert!(depth(bytes) <= rules.max_depth, "deeper than the rules allow");
            self::document(text, &document, rules);
        }
    }
}

fn document(text: &str, document: &Document<'_>, rules: &Rules) {
    match document {
        Document::One(found) => item(text, found, rules),
        Document::Batch(batch) => {
            let there: Vec<&RawValue> = serde_json::from_str(text).expect("a batch is an array");
            assert!((1..=rules.max_batch).contains(&there.len()));
            assert_eq!(batch.len(), there.len());
            let found: Vec<Item<'_>> = batch.clone().collect();
            assert_eq!(found.len(), there.len());
            for (there, found) in there.iter().zip(&found) {
                item(there.get(), found, rules);
            }
        }
        Document::TooLarge { limit, len } => {
            let there: Vec<IgnoredAny> = serde_json::from_str(text).expect("a batch is an array");
            assert_eq!((*limit, *len), (rules.max_batch, there.len()));
            assert!(len > limit);
        }
    }
}

fn item(text: &str, item: &Item<'_>, rules: &Rules) {
    match item {
        Ok(message) => {
            // where serde_json cannot hold the value, as with 1e999, there is nothing to compare
            if let Ok(there) = serde_json::from_str(text) {
                agrees(&there, message, rules);
            }
            if let Message::Request(request) = message {
                assert!(text.contains(request.id.as_raw()), "an id is kept as spelled");
                id(&request.id);
            }
            written(message);
        }
        Err(invalid) => {
            let failure = Failure::from(invalid.clone());
            assert_eq!(failure.id, invalid.id);
            written(&Message::Failure(failure));
            invalid.id.iter().chain(&invalid.answers).for_each(id);
        }
    }
}

/// The message says what `there` says.
fn agrees(there: &Value, message: &Message<'_>, rules: &Rules) {
    let there = there.as_object().expect("a message is an object");
    assert!(rules.any_version || there["jsonrpc"] == "2.0");
    let same_id = |id: Option<&Id<'_>>| {
        let id = id.map_or(Value::Null, |id| serde_json::from_str(id.as_raw()).expect("an id is JSON"));
        assert_eq!(there.get("id").unwrap_or(&Value::Null), &id);
    };
    let same_params = |params: Option<&Params<'_>>| match (there.get("params"), params) {
        (None | Some(Value::Null), None) => {}
        (Some(there), Some(params)) => {
            let found: Value = params.decode().expect("params are JSON");
            let wrapped = !there.is_array() && !there.is_object();
            assert!(!wrapped || rules.wrap_scalar_params);
            assert_eq!(if wrapped { &found[0] } else { &found }, there);
        }
        (there, params) => panic!("{params:?} for {there:?}"),
    };
    match message {
        Message::Request(request) => {
            assert_eq!(there["method"], *request.method);
            same_id(Some(&request.id));
            same_params(request.params.as_ref());
        }
        Message::Notification(notification) => {
            assert_eq!(there["method"], *notification.method);
            same_id(None);
            same_params(notification.params.as_ref());
        }
        Message::Success(success) => {
            assert!(!there.contains_key("method"));
            same_id(Some(&success.id));
            assert_eq!(success.result.decode::<Value>().expect("a result is JSON"), there["result"]);
        }
        Message::Failure(failure) => {
            assert!(!there.contains_key("method"));
            same_id(failure.id.as_ref());
            let error = &there["error"];
            assert_eq!(error["message"], *failure.error.message);
            // serde_json's floats may be off by the last bit
            let (code, there) =
                (failure.error.code as f64, error["code"].as_f64().expect("a code is a number"));
            assert!((code - there).abs() <= code.abs() * 1e-12, "{there} was read as {code}");
            let data = failure.error.data.as_ref().map(|data| data.decode::<Value>().expect("data is JSON"));
            assert_eq!(error.get("data"), data.as_ref());
        }
    }
}

/// What is written is one line, and is read as the message that was written.
fn written(message: &Message<'_>) {
    let mut line = Vec::new();
    message.write_to(&mut line);
    assert!(!line.contains(&b'\n'));
    let line = String::from_utf8(line).expect("what is written is text");
    let again = Message::parse(&line).unwrap_or_else(|refusal| panic!("{line}: {refusal}"));
    let mut second = Vec::new();
    again.write_to(&mut second);
    assert_eq!(second, line.as_bytes(), "written, read and written");
    assert_eq!(again.clone().into_owned(), again);
    match (&again, message) {
        (Message::Request(again), Message::Request(message)) => {
            assert_eq!((&again.id, &again.method), (&message.id, &message.method));
        }
        (Message::Notification(again), Message::Notification(message)) => {
            assert_eq!(again.method, message.method);
        }
        (Message::Success(again), Message::Success(message)) => assert_eq!(again.id, message.id),
        (Message::Failure(again), Message::Failure(message)) => {
            assert_eq!((&again.id, again.error.code), (&message.id, message.error.code));
            assert_eq!(again.error.message, message.error.message);
        }
        _ => panic!("{message:?} was read as {again:?}"),
    }
}

/// An id is itself, however it is taken.
fn id(id: &Id<'_>) {
    let raw = id.as_raw();
    let again = Id::from_raw(raw).expect("an id can be taken from its spelling");
    let hash = |id: &Id<'_>| {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        hasher.finish()
    };
    assert_eq!(&again, id);
    assert_eq!(hash(&again), hash(id));
    assert_eq!(id.is_null(), raw == "null");
    assert_eq!(id.as_str(), serde_json::from_str::<String>(raw).ok().map(Cow::Owned));
    match serde_json::from_str::<u64>(raw) {
        Ok(number) => {
            assert_eq!(id.as_u64(), Some(number));
            let built = Id::from(number);
            assert_eq!((&built, hash(&built)), (id, hash(id)));
        }
        // the same number with a point or an exponent is that number
        Err(_) => assert!(id.as_u64().is_none() || raw.contains(['.', 'e', 'E', '-']), "{raw}"),
    }
    if let Some(text) = id.as_str() {
        let built = Id::from(&*text);
        assert_eq!((&built, hash(&built)), (id, hash(id)));
    }
}

/// How many brackets are open at the most, outside of strings.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut string, mut escape) = (0_usize, 0, false, false);
    for &byte in bytes {
        match byte {
            _ if escape => escape = false,
            b'\\' if string => escape = true,
            b'"' => string = !string,
            b'[' | b'{' if !string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
