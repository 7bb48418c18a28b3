//! Compares replies with what vectors expect: as JSON values, but for ids that
//! are to be spelled exactly (`README.md` of the vectors, "Comparing").

use crate::reply::{Reply, ReplyError, cut, elements};
use serde_json::{Number, Value};

/// A reply document against `out` of a vector: an object, or an array in the
/// order of the requests.
pub(crate) fn document(expected: &Value, text: &str) -> Result<(), String> {
    let Value::Array(expected) = expected else { return reply(expected, text) };
    let elements = elements(text)?;
    if elements.len() != expected.len() {
        return Err(format!("{} replies, expected {}: {}", elements.len(), expected.len(), cut(text)));
    }
    expected.iter().zip(elements).enumerate().try_for_each(|(at, (expected, text))| {
        reply(expected, text).map_err(|why| format!("element {at}: {why}"))
    })
}

/// Each expected document must be met by one of the texts, in any order, and
/// nothing may be left.
pub(crate) fn set(expected: &[Value], texts: Vec<String>) -> Result<(), String> {
    let mut left = texts;
    for expected in expected {
        let fits = left.iter().position(|text| document(expected, text).is_ok());
        left.swap_remove(fits.ok_or_else(|| format!("nothing fits {expected} among {left:?}"))?);
    }
    match left.first() {
        Some(text) => Err(format!("unexpected reply {}", cut(text))),
        None => Ok(()),
    }
}

/// One reply against one object.
pub(crate) fn reply(expected: &Value, text: &str) -> Result<(), String> {
    let Reply { id, outcome } = Reply::read(text)?;
    if let Some(expected) = expected.get("id") {
        match expected.get("$text") {
            Some(spelled) if spelled.as_str() == Some(id) => {}
            None if spells(expected, id) => {}
            _ => return Err(format!("id is written {}, expected {expected}", cut(id))),
        }
    }
    match (expected.get("error"), outcome) {
        (Some(expected), Err(error)) => fault(expected, &error),
        (Some(expected), Ok(_)) => Err(format!("expected error {expected}, got {}", cut(text))),
        (None, Err(error)) => Err(format!("expected {}, got {error:?}", expected["result"])),
        (None, Ok(result)) => match spells(&expected["result"], result) {
            true => Ok(()),
            false => Err(format!("result {}, expected {}", cut(result), expected["result"])),
        },
    }
}

/// The code must match; message and data, where they are given.
fn fault(expected: &Value, error: &ReplyError) -> Result<(), String> {
    let fits = expected["code"].as_i64() == Some(error.code)
        && expected.get("message").is_none_or(|message| message.as_str() == Some(&error.message))
        && expected.get("data").is_none_or(|data| error.data.as_ref().is_some_and(|have| same(data, have)));
    if fits { Ok(()) } else { Err(format!("{error:?}, expected error {expected}")) }
}

/// Whether `text` is a spelling of a value.
pub(crate) fn spells(value: &Value, text: &str) -> bool {
    serde_json::from_str(text).is_ok_and(|have: Value| same(value, &have))
}

/// Whether two values are the same, however they are spelled: 1.0 is 1.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

fn same_number(a: &Number, b: &Number) -> bool {
    a == b || (!(is_whole(a) && is_whole(b)) && a.as_f64() == b.as_f64())
}

fn is_whole(number: &Number) -> bool {
    number.is_i64() || number.is_u64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_must_be_told_apart_is() {
        let fits = |expected: Value, text: &str| document(&expected, text).is_ok();
        let one = json!({"id": 1, "result": [1]});
        assert!(fits(one.clone(), r#"{"result":[1.0],"id":1,"jsonrpc":"2.0"}"#));
        assert!(fits(
            json!({"id": {"$text": "1e0"}, "result": 1}),
            r#"{"jsonrpc":"2.0","id":1e0,"result":1}"#
        ));
        assert!(fits(
            json!({"id": 1, "error": {"code": 5}}),
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":5,"message":"m"}}"#
        ));
        for text in [
            r#"{"id":1,"result":[1]}"#,
            r#"{"jsonrpc":"2.0","id":"1","result":[1]}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":[2]}"#,
            r#"{"jsonrpc":"2.0","id":1,"id":1,"result":[1]}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":[1],"error":null}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":[1],"more":0}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":5,"message":"m"}}"#,
            r#"[{"jsonrpc":"2.0","id":1,"result":[1]}]"#,
        ] {
            assert!(!fits(one.clone(), text), "{text}");
        }
        for error in [
            r#"{"code":6,"message":"m"}"#,
            r#"{"code":5,"message":"n"}"#,
            r#"{"code":5,"message":"m","data":2}"#,
            r#"{"code":5.5,"message":"m","data":1}"#,
            r#"{"code":5}"#,
        ] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":null,"error":{error}}}"#);
            assert!(
                !fits(json!({"id": null, "error": {"code": 5, "message": "m", "data": 1}}), &text),
                "{text}"
            );
        }
        let two = [json!({"id": 1, "result": 1}), json!({"id": 2, "result": 2})];
        let texts = |ids: &[u8]| {
            ids.iter().map(|id| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{id}}}"#)).collect()
        };
        assert!(set(&two, texts(&[2, 1])).is_ok());
        assert!(set(&two, texts(&[2])).is_err());
        assert!(set(&two, texts(&[2, 1, 1])).is_err());
        assert!(!fits(
            Value::from(two.to_vec()),
            r#"[{"jsonrpc":"2.0","id":2,"result":2},{"jsonrpc":"2.0","id":1,"result":1}]"#
        ));
    }
}
