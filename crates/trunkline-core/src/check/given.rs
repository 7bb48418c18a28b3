//! [`Places`]: arguments as the value that their schema is of.

use crate::payload::Payload;
use serde_json::{Map, Value};

/// Where the arguments of a list belong.
#[derive(Debug)]
pub(super) struct Places {
    /// The names that a list of arguments is read under; none if the schema is that
    /// of a list, or arguments have no names.
    names: Vec<&'static str>,
    nameless: bool,
}

impl Places {
    pub(super) fn new(schema: &Value, names: &[&'static str]) -> Self {
        Self {
            nameless: names.is_empty() && !is_of_lists(schema),
            names: if is_of_lists(schema) { Vec::new() } else { names.to_vec() },
        }
    }

    /// The value that arguments stand for; `None` if it cannot be looked at.
    pub(super) fn value(&self, args: Payload<'_>) -> Option<Value> {
        match args.decode().ok()? {
            Value::Array(list) if !self.names.is_empty() => self.named(list).map(Value::Object),
            value => Some(value),
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
