//! Loads the shared vectors.

use serde_json::Value;

/// The vectors of one file, whose number is asserted: a file that shrinks is a mistake.
#[track_caller]
pub(super) fn load(file: &str, key: &str, count: usize) -> Vec<Value> {
    let path = format!("{}/../../tests/vectors/jsonrpc/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let document: Value = serde_json::from_str(&text).unwrap();
    let vectors = document[key].as_array().unwrap().clone();
    assert_eq!(vectors.len(), count, "{file}: number of vectors");
    vectors
}

/// What a vector puts in where it has `text` or `hex`.
pub(super) fn bytes(part: &Value) -> Vec<u8> {
    match (part["text"].as_str(), part["hex"].as_str()) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (_, Some(hex)) => {
            (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
        }
        _ => panic!("neither text nor hex: {part}"),
    }
}
