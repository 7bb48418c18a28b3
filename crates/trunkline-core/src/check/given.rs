//! [`Places`]: arguments as the value that their schema is of.

use crate::{args::Reading, payload::Payload};
use serde_json::{Map, Value};

/// Where the arguments of a list belong.
#[derive(Debug)]
pub(super) struct Places {
    /// The names that a list of arguments is read under; none if the schema is that
    /// of a list, or arguments have no names.
    names: Vec<&'static str>,
    /// How many elements a list has at least whose end may be left out.
    fewest: usize,
    nameless: bool,
}

impl Places {
    pub(super) fn new(schema: &Value, names: &[&'static str]) -> Self {
        let fewest = schema.get("minItems").and_then(Value::as_u64).unwrap_or_default();
        Self {
            nameless: names.is_empty() && !is_of_lists(schema),
            names: if is_of_lists(schema) { Vec::new() } else { names.to_vec() },
            // the schema is ours, and no tuple is so long
            fewest: usize::try_from(fewest).unwrap_or_default().min(32),
        }
    }

    /// The value that arguments stand for; `None` if it cannot be looked at.
    pub(super) fn value(&self, reading: Reading<'_>) -> Option<Value> {
        let (Reading::Whole(args) | Reading::Short(args)) = reading;
        match (args.decode().ok()?, reading) {
            (Value::Array(list), _) if !self.names.is_empty() => self.named(list).map(Value::Object),
            // what is left out of a tuple is null
            (Value::Array(mut list), Reading::Short(_)) if list.len() < self.fewest => {
                list.resize(self.fewest, Value::Null);
                Some(Value::Array(list))
            }
            (value, _) => Some(value),
        }
    }

    /// Whether arguments are neither a list nor have names.
    pub(super) fn are_nameless(&self) -> bool {
        self.nameless
    }

    fn named(&self, list: Vec<Value>) -> Option<Map<String, Value>> {
        let fits = list.len() <= self.names.len();
        fits.then(|| self.names.iter().map(|name| (*name).to_owned()).zip(list).collect())
    }
}

/// Whether a schema is that of a list.
fn is_of_lists(schema: &Value) -> bool {
    schema.get("prefixItems").is_some() || schema.get("type").is_some_and(|kind| kind == "array")
}

/// What no arguments at all may stand for.
pub(super) const NOTHING: [Payload<'static>; 3] =
    [Payload::Json("{}"), Payload::Json("[]"), Payload::Json("null")];
