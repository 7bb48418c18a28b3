//! [`ArgsSchema`]: arguments are changed into what their schema wants, or refused in
//! the words of therms.
//!
//! The rules are those of section 3.3 of the protocol, which the vectors in
//! `tests/vectors/therms/args-validation.json` record. Draft-07, and while it looks
//! it changes what it finds, in place:
//!
//! 1. A value of another type is *coerced*: numbers and booleans to strings, strings
//!    that spell a number to numbers, `"true"`, `"false"`, 1 and 0 to booleans, null to
//!    `""`, 0 or false, and those to null; a scalar to a list of one, and back.
//! 2. Members and places of tuples that are missing get their `default`.
//! 3. Where `additionalProperties` is false, others are *removed* rather than refused.
//! 4. The first error ends it; `anyOf` and `oneOf` tell what each alternative lacks.
//!
//! All of that happens inside of alternatives too, also of those that then do not fit;
//! only defaults are not filled in there.
//!
//! The order is part of the protocol, as only the first error is told: `type`; then
//! `$ref`, `const`, `enum`, `not`, `anyOf`, `oneOf`, `allOf`, `if`; then what is said of
//! numbers, of strings, of arrays, and of objects, last `properties` in the order of the
//! schema and `patternProperties`. `args/keywords.rs` lists them.
//!
//! # Where it differs, on purpose
//!
//! - A schema that is not one is an error of the registration, not the end of the process.
//! - `format` is checked.
//! - The handler gets what it was coerced to also where the arguments as a whole are
//!   no object or array.
//! - Whole numbers keep all their digits, and text that spells none that JSON can
//!   write, such as `Infinity`, is no number.
//! - A one-element array becomes its scalar for every type, and leaves nothing behind
//!   where that does not help.
//! - A `default` that is none of a property or of a place in a tuple only describes, and a
//!   name may be in `properties` and match `patternProperties`.
//! - What a stranger can make it do is bounded: levels, work, the length of the message.
//!
//! Patterns are those of the `regex` crate as jsonschema translates them from
//! ECMAScript, in time linear in the text: without look-around and back-references.

mod arrays;
mod coerce;
mod compile;
mod keywords;
mod number;
mod objects;
mod ordered;
mod place;
mod reference;
mod rule;
mod run;
mod same;
mod text;
mod weight;

use ordered::Ordered;
use rule::Schema;
use run::Run;
use serde_json::{Map, Value};
use std::{fmt, str::FromStr};

/// A schema of arguments, as therms validates them.
///
/// One without a `type` at its top is not applied, as in the original; see
/// [`always`](Self::always).
///
/// ```
/// use serde_json::json;
/// use trunkline_dialects::therms::args::ArgsSchema;
///
/// let schema = ArgsSchema::compile(&json!({
///     "type": "object",
///     "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1, "default": 3}},
///     "required": ["city"],
///     "additionalProperties": false,
/// }))?;
///
/// let mut args = Some(json!({"city": 12, "unit": "C"}));
/// assert_eq!(schema.check(&mut args), Ok(()));
/// assert_eq!(args, Some(json!({"city": "12", "days": 3})));
///
/// let mut args = Some(json!({"city": "Oslo", "days": "0"}));
/// assert_eq!(schema.check(&mut args), Err("/daysmust be >= 1".to_owned()));
/// # Ok::<(), trunkline_dialects::therms::args::BadSchema>(())
/// ```
#[derive(Debug)]
pub struct ArgsSchema {
    /// All schemas in it, the whole first; or why it is none, which does not matter
    /// while it is not applied.
    schemas: Result<Vec<Schema>, BadSchema>,
    applied: bool,
}

impl ArgsSchema {
    /// Reads a schema. A [`Value`] does not keep the order of `properties`, which decides
    /// what is told of arguments that are wrong in several; to keep it,
    /// [parse](Self::from_str) the schema's text.
    ///
    /// # Errors
    ///
    /// Fails where a schema with a `type` at its top is not one of draft-07, has a keyword
    /// or a format that is not known, a pattern that cannot be searched for in
    /// linear time, a default inside of an alternative, or a reference out of it.
    pub fn compile(schema: &Value) -> Result<Self, BadSchema> {
        if weight::weight(schema, DEEPEST_SCHEMA).is_none() {
            return Err(BadSchema::new("#", format!("it has more than {DEEPEST_SCHEMA} levels")));
        }
        Self::of(&Ordered::from(schema))
    }

    fn of(document: &Ordered) -> Result<Self, BadSchema> {
        let applied = document.get("type").is_some_and(|kind| !is_falsy(&kind.to_value()));
        let schemas = compile::compile(document);
        match schemas {
            Err(error) if applied => Err(error),
            schemas => Ok(Self { schemas, applied }),
        }
    }

    /// Applies the schema even if there is no `type` at its top.
    ///
    /// # Errors
    ///
    /// As [`compile`](Self::compile), for schemas without.
    pub fn always(self) -> Result<Self, BadSchema> {
        let schemas = Ok(self.schemas?);
        Ok(Self { schemas, applied: true })
    }

    /// Whether [`check`](Self::check) does anything.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        self.applied
    }

    /// Changes `args` into what the schema wants. Those that are absent, or that
    /// JavaScript finds false, are checked as if they were `{}` and left as they are.
    ///
    /// # Errors
    ///
    /// Fails with what therms tells behind `"args" validation failed: `. The arguments
    /// are then changed up to where that was found.
    pub fn check(&self, args: &mut Option<Value>) -> Result<(), String> {
        let (true, Ok(schemas)) = (self.applied, &self.schemas) else { return Ok(()) };
        match args {
            Some(args) if !is_falsy(args) => Run::new(schemas).check(args),
            _ => Run::new(schemas).check(&mut Value::Object(Map::new())),
        }
    }
}

impl FromStr for ArgsSchema {
    type Err = BadSchema;

    /// Reads a schema as [`compile`](Self::compile) does, and keeps the order of its members.
    fn from_str(text: &str) -> Result<Self, BadSchema> {
        match serde_json::from_str(text) {
            Ok(document) => Self::of(&document),
            Err(error) => Err(BadSchema::new("#", format!("it is not JSON: {error}"))),
        }
    }
}

/// Levels of a schema, as many as serde_json reads.
const DEEPEST_SCHEMA: usize = 128;

/// What JavaScript finds false.
fn is_falsy(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(it) => !it,
        Value::Number(number) => number::of(number) == 0.0,
        Value::String(text) => text.is_empty(),
        Value::Array(_) | Value::Object(_) => false,
    }
}

/// Why a schema cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSchema {
    place: String,
    why: String,
}

impl BadSchema {
    fn new(place: impl Into<String>, why: impl Into<String>) -> Self {
        Self { place: place.into(), why: why.into() }
    }

    /// Where in the schema: a JSON pointer as a fragment, such as `#/properties/a`.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }
}

impl fmt::Display for BadSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the schema of the arguments cannot be used, at `{}`: {}", self.place, self.why)
    }
}

impl std::error::Error for BadSchema {}

#[cfg(test)]
mod tests;
