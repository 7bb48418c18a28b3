//! [`documents`]: what was sent, judged by serde_json alone.

use serde::Deserialize;
use serde_json::value::RawValue;

/// A well-formed reply: no member twice, none that has no place in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spelled<'a> {
    jsonrpc: &'a str,
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(default)]
    result: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<Error<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Error<'a> {
    code: i64,
    message: String,
    #[serde(default, borrow)]
    data: Option<&'a RawValue>,
}

/// One reply.
#[derive(Debug)]
pub struct Reply<'a> {
    /// Its id as spelled.
    pub id: &'a str,
    /// The result as spelled, or the code of the error.
    pub outcome: Result<&'a str, i64>,
}

/// The replies in one document, and whether it is an array.
///
/// # Panics
///
/// Panics if it is anything else than one well-formed reply or a list of them.
#[must_use]
pub fn read(document: &[u8]) -> (bool, Vec<Reply<'_>>) {
    let text = std::str::from_utf8(document).expect("what is sent is text");
    let fits = "what is sent is a reply, or several";
    let (is_array, spelled): (bool, Vec<Spelled<'_>>) = match text.starts_with('[') {
        true => (true, serde_json::from_str(text).unwrap_or_else(|error| panic!("{fits}: {error}: {text}"))),
        false => {
            let one = serde_json::from_str(text).unwrap_or_else(|error| panic!("{fits}: {error}: {text}"));
            (false, vec![one])
        }
    };
    assert!(!spelled.is_empty(), "an empty array was sent");
    (is_array, spelled.into_iter().map(|spelled| reply(&spelled)).collect())
}

fn reply<'a>(spelled: &Spelled<'a>) -> Reply<'a> {
    assert_eq!(spelled.jsonrpc, "2.0");
    let id = spelled.id.get();
    assert!(matches!(id.as_bytes(), [b'"' | b'-' | b'0'..=b'9' | b'n', ..]), "{id} is no id");
    let outcome = match (spelled.result, &spelled.error) {
        (Some(result), None) => Ok(result.get()),
        (None, Some(error)) => {
            assert!(!error.message.is_empty());
            assert!(error.data.is_none_or(|data| data.get().len() < 300), "{:?}", error.data);
            Err(error.code)
        }
        _ => panic!("a reply has a result or an error: {spelled:?}"),
    };
    Reply { id, outcome }
}
