//! [`weight`]: how much there is of a value.

use serde_json::Value;

/// Bytes of text that count as one more value, or one more step.
const BYTES_A_STEP: usize = 32;

/// How many values there are in one, long texts counted for more; `None` if there are
/// more than so many levels of them.
pub(super) fn weight(value: &Value, levels: usize) -> Option<usize> {
    let levels = levels.checked_sub(1)?;
    Some(match value {
        Value::String(text) => text_weight(text),
        Value::Array(items) => {
            items.iter().try_fold(1, |so_far: usize, item| Some(so_far + weight(item, levels)?))?
        }
        Value::Object(members) => members.iter().try_fold(1, |so_far: usize, (name, value)| {
            Some(so_far + text_weight(name) + weight(value, levels)?)
        })?,
        _ => 1,
    })
}

/// How much there is of a text.
pub(super) fn text_weight(text: &str) -> usize {
    1 + text.len() / BYTES_A_STEP
}

/// How much there is of a value that has few levels, as all in a schema and in
/// arguments have whose levels were counted.
pub(super) fn weight_of(value: &Value) -> usize {
    weight(value, usize::MAX).unwrap_or(usize::MAX)
}
