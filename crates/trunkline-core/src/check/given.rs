//! [`Places`]: where the arguments of a list belong, and what none at all stand for.

use crate::payload::Payload;
use serde_json::Value;

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

    /// The names that a list of arguments is read under; none if it is read as a list.
    pub(super) fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// Whether arguments are neither a list nor have names.
    pub(super) fn are_nameless(&self) -> bool {
        self.nameless
    }
}

/// Whether a schema is that of a list.
fn is_of_lists(schema: &Value) -> bool {
    schema.get("prefixItems").is_some() || schema.get("type").is_some_and(|kind| kind == "array")
}

/// What no arguments at all may stand for.
pub(super) const NOTHING: [Payload<'static>; 3] =
    [Payload::Json("{}"), Payload::Json("[]"), Payload::Json("null")];
