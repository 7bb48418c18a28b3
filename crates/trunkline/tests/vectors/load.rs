//! Loads vectors, and what they put in.

use serde_json::Value;

/// Where the vectors are.
pub(crate) const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/jsonrpc");

/// The list `key` of a file, whose length is asserted: a file that shrinks is a mistake.
#[track_caller]
pub(crate) fn load(file: &str, key: &str, count: usize) -> Vec<Value> {
    let path = format!("{DIRECTORY}/{file}");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut document: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let Value::Array(vectors) = document[key].take() else { panic!("{path}: no list `{key}`") };
    assert_eq!(vectors.len(), count, "{file}: number of `{key}`");
    vectors
}

/// A text that must be there.
#[track_caller]
pub(crate) fn text<'v>(vector: &'v Value, key: &str) -> &'v str {
    vector[key].as_str().unwrap_or_else(|| panic!("no text `{key}` in {vector}"))
}

/// The items of a list that must be there.
#[track_caller]
pub(crate) fn list<'v>(vector: &'v Value, key: &str) -> &'v [Value] {
    vector[key].as_array().unwrap_or_else(|| panic!("no list `{key}` in {vector}"))
}

/// A piece of input: a text, `{text}`, or `{hex}`.
#[track_caller]
pub(crate) fn bytes(piece: &Value) -> Vec<u8> {
    match (piece.as_str().or(piece["text"].as_str()), piece["hex"].as_str()) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (_, Some(digits)) => hex(digits),
        _ => panic!("neither text nor hex: {piece}"),
    }
}

/// Bytes from their hexadecimal digits.
#[track_caller]
pub(crate) fn hex(digits: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    };
    let bytes: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(byte).collect();
    bytes.unwrap_or_else(|| panic!("not hex: {digits}"))
}

/// The document that `parts` of `hostile.json` describe.
#[track_caller]
pub(crate) fn build(parts: &[Value]) -> Vec<u8> {
    let mut document = Vec::new();
    for part in parts {
        let times = part["times"].as_u64().unwrap_or(1);
        match part["text"].as_str() {
            Some(text) if text.contains("%i") => {
                (0..times).for_each(|i| document.extend(text.replace("%i", &i.to_string()).bytes()));
            }
            _ => document.extend(bytes(part).repeat(usize::try_from(times).unwrap_or(usize::MAX))),
        }
    }
    document
}
