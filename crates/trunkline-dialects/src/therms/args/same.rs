//! Equal values, and which of a list are equal to others.

use super::number;
use serde_json::Value;
use std::{
    collections::HashMap,
    hash::{Hash, Hasher},
};

/// A value that is equal to others as JSON Schema has it: `1` to `1.0`, and objects
/// whatever the order of their members.
#[derive(Clone, Copy)]
pub(super) struct Same<'a>(pub(super) &'a Value);

impl PartialEq for Same<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.0, other.0) {
            (Value::Number(one), Value::Number(other)) => number::compare(one, other).is_eq(),
            (Value::Array(one), Value::Array(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| Same(one) == Same(other))
            }
            (Value::Object(one), Value::Object(other)) => {
                let has = |(name, value)| other.get(name).is_some_and(|other| Same(value) == Same(other));
                one.len() == other.len() && one.iter().all(has)
            }
            (one, other) => one == other,
        }
    }
}

impl Eq for Same<'_> {}

impl Hash for Same<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self.0).hash(state);
        match self.0 {
            Value::Null => {}
            Value::Bool(it) => it.hash(state),
            Value::Number(number) => match number::whole(number) {
                Some(whole) => whole.hash(state),
                None => number::of(number).to_bits().hash(state),
            },
            Value::String(text) => text.hash(state),
            Value::Array(items) => {
                items.len().hash(state);
                items.iter().for_each(|item| Same(item).hash(state));
            }
            Value::Object(members) => {
                // in one order, whichever it is kept in
                let mut names: Vec<_> = members.keys().collect();
                names.sort_unstable();
                names.hash(state);
                names.into_iter().filter_map(|name| members.get(name)).for_each(|it| Same(it).hash(state));
            }
        }
    }
}

/// The last item that equals an earlier one, and the nearest such, in the order in which
/// they are told.
pub(super) fn last_repeated(items: &[Value]) -> Option<(usize, usize)> {
    let mut seen = HashMap::with_capacity(items.len());
    let pairs = items.iter().enumerate().filter_map(|(at, item)| Some((seen.insert(Same(item), at)?, at)));
    pairs.last()
}

/// The last item that equals a later one, and the nearest such, which is told first.
pub(super) fn last_repeating(items: &[Value]) -> Option<(usize, usize)> {
    let mut seen = HashMap::with_capacity(items.len());
    items.iter().enumerate().rev().find_map(|(at, item)| Some((seen.insert(Same(item), at)?, at)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn items(value: &Value) -> &[Value] {
        value.as_array().unwrap()
    }

    #[test]
    fn pairs_are_those_that_the_original_tells() {
        for (list, repeated, repeating) in [
            (json!([1, 2, 3]), None, None),
            (json!([1, 1.0]), Some((0, 1)), Some((1, 0))),
            (json!([1, 2, 3, 2, 1]), Some((0, 4)), Some((3, 1))),
            (json!([1, 1, 2, 2]), Some((2, 3)), Some((3, 2))),
            (json!([1, 1, 1]), Some((1, 2)), Some((2, 1))),
            (json!([{"a": 1, "b": [2]}, {"b": [2.0], "a": 1}]), Some((0, 1)), Some((1, 0))),
            (json!([1, "1", true, null, [1], [], {}]), None, None),
        ] {
            assert_eq!(last_repeated(items(&list)), repeated, "{list}");
            assert_eq!(last_repeating(items(&list)), repeating, "{list}");
        }
    }
}
