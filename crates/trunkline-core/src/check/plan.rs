//! [`Plan`]: a schema, taken apart into what is looked at while arguments are read.
//!
//! Most of a schema says which members and elements there are. Where that is all, the
//! text is followed along it, and only single values are compared with what is said of
//! them, by jsonschema if that is more than how long or how large they are: nothing is
//! kept of the rest. A plan allows nothing that its
//! schema does not; what it does not allow is looked at whole.

mod name;
mod planning;
mod single;
mod walk;

use self::{name::Name, planning::Planning, single::Single};
use super::tree::{Borrowed, DEEPEST, Reader};
use jsonschema::Validator;
use serde_json::{Map, Value, json};
use std::{ops::RangeInclusive, sync::Arc};

/// How arguments are looked at while they are read.
#[derive(Debug)]
pub(super) struct Plan {
    args: Arc<Part>,
    /// Whether those of a list have names.
    named: bool,
    /// How they are then, where that is known.
    in_order: Option<Part>,
}

/// How a part of them is.
#[derive(Debug)]
enum Part {
    Members {
        known: Vec<Member>,
        /// A bit for each of them that may not be missing.
        required: u64,
    },
    Elements {
        first: Vec<Arc<Self>>,
        rest: Arc<Self>,
        len: RangeInclusive<usize>,
    },
    /// `null`, or what is inside.
    Nullable(Arc<Self>),
    /// Anything that is said of it.
    Value(Box<Single>),
}

/// What is said of a member.
#[derive(Debug)]
struct Member {
    name: Name,
    part: Arc<Part>,
}

impl Plan {
    /// Takes a schema apart; `None` if there is nothing to gain, or its parts mean
    /// something else on their own.
    pub(super) fn new(
        schema: &Value,
        names: &[&'static str],
        build: &dyn Fn(&Value) -> Option<Validator<Borrowed>>,
    ) -> Option<Self> {
        let mut schema = schema.clone();
        let dialect = schema.as_object_mut()?.remove("$schema");
        if dialect.is_some_and(|it| it != "https://json-schema.org/draft/2020-12/schema")
            || !is_plain(&schema)
        {
            return None;
        }
        let none = Map::new();
        let definitions = schema.get("$defs").and_then(Value::as_object).unwrap_or(&none);
        let mut planning = Planning::new(definitions, build);
        let args = planning.part(&schema)?;
        if matches!(*args, Part::Value(_)) {
            return None;
        }
        let named = !names.is_empty();
        let in_order = match named {
            true => args.in_order(names, &Arc::new(planning.value(&json!(true))?)),
            false => None,
        };
        Some(Self { args, named, in_order })
    }

    /// Whether these arguments are allowed; if not, they may be nevertheless.
    pub(super) fn allows(&self, text: &str) -> bool {
        // values are read one by one
        let mut reader = Reader::new(text, 4);
        let plan = match self.named && reader.peek() == Some(b'[') {
            true => self.in_order.as_ref(),
            false => Some(&*self.args),
        };
        plan.is_some_and(|plan| plan.walk(&mut reader, DEEPEST).is_some())
    }
}

impl Part {
    /// The same, where members are given as a list in the order of these names.
    fn in_order(&self, names: &[&'static str], anything: &Arc<Self>) -> Option<Self> {
        let Self::Members { known, required } = self else { return None };
        let place = |name: &str| names.iter().position(|it| *it == name);
        let needed = known.iter().enumerate().filter(|(at, _)| required & 1 << at != 0);
        let needed: Option<Vec<_>> = needed.map(|(_, it)| Some(place(it.name.plain())? + 1)).collect();
        let least = needed?.into_iter().max().unwrap_or(0);
        let of = |name: &&str| {
            known.iter().find(|it| it.name.plain() == *name).map_or(anything, |it| &it.part).clone()
        };
        let first = names.iter().map(of).collect();
        Some(Self::Elements { first, rest: anything.clone(), len: least..=names.len() })
    }
}

/// Whether a schema means the same wherever it stands, next to the same definitions.
fn is_plain(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => members.iter().all(|(key, value)| match (key.as_str(), value) {
            ("$ref", Value::String(target)) => target.starts_with("#/$defs/"),
            ("$defs" | "$comment", _) => is_plain(value),
            _ => !key.starts_with('$') && is_plain(value),
        }),
        Value::Array(values) => values.iter().all(is_plain),
        _ => true,
    }
}

#[cfg(test)]
mod tests;
