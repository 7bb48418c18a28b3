//! [`Single`]: what is said of a value on its own.

use super::planning::only;
use crate::check::tree::{Borrowed, Reader};
use jsonschema::Validator;
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// What is said of a value on its own.
#[derive(Debug)]
pub(super) struct Single {
    /// All of it, if that is as simple.
    simple: Simple,
    whole: Validator<Borrowed>,
}

/// What is seen of most values without jsonschema.
#[derive(Debug)]
enum Simple {
    /// Texts with so many characters.
    Text(RangeInclusive<usize>),
    /// Whole numbers of these that are not negative, and others that may be allowed.
    Digits(RangeInclusive<u64>),
    Not,
}

impl Single {
    pub(super) fn new(schema: &Value, whole: Validator<Borrowed>) -> Self {
        Self { simple: Simple::of(schema).unwrap_or(Simple::Not), whole }
    }

    /// Reads the next value; `None` if it is not allowed.
    #[inline]
    pub(super) fn walk(&self, reader: &mut Reader<'_>, deeper: u8) -> Option<()> {
        let allowed = match &self.simple {
            Simple::Text(len) => reader.plain_text().map(|text| has_length(text, len)),
            Simple::Digits(range) => reader.digits().map(|number| range.contains(&number)),
            Simple::Not => None,
        };
        match allowed {
            Some(allowed) => allowed.then_some(()),
            None => reader.value_is(deeper, |value| self.whole.is_valid(value)),
        }
    }
}

impl Simple {
    fn of(schema: &Value) -> Option<Self> {
        let of_type = |kind: &str, keys: &[&str]| {
            only(schema, keys).filter(|it| it.get("type").is_some_and(|it| it == kind))
        };
        if let Some(said) = of_type("string", &["type", "minLength", "maxLength"]) {
            let bound = |key, none| bound(said, key, none).and_then(|it| usize::try_from(it).ok());
            return Some(Self::Text(bound("minLength", 0)?..=bound("maxLength", u64::MAX)?));
        }
        let said = of_type("integer", &["type", "minimum", "maximum"])?;
        let least = match said.get("minimum").and_then(Value::as_i64) {
            Some(..0) => 0,
            _ => bound(said, "minimum", 0)?,
        };
        Some(Self::Digits(least..=bound(said, "maximum", u64::MAX)?))
    }
}

/// A bound that is a whole number and not negative; `none` if there is none.
fn bound(said: &Map<String, Value>, key: &str, none: u64) -> Option<u64> {
    said.get(key).map_or(Some(none), Value::as_u64)
}

/// Whether a text has so many characters, which are not counted if its bytes tell.
#[inline]
fn has_length(text: &str, len: &RangeInclusive<usize>) -> bool {
    // a character has four bytes at most
    (*len.start() <= text.len() / 4 && text.len() <= *len.end()) || len.contains(&text.chars().count())
}
