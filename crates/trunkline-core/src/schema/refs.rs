//! [`change`] and its like: where the `$ref`s of a JSON Schema point to.

use schemars::Schema;
use serde_json::Value;
use std::fmt::Write;

/// Where the definitions that schemas share stand, as a JSON pointer (RFC 6901).
pub const DEFINITIONS: &str = "/$defs";

/// A reference to the definition called `name`, as a `$ref` spells it.
///
/// ```
/// # use trunkline_core::schema::refs;
/// assert_eq!(refs::to("Guest"), "#/$defs/Guest");
/// assert_eq!(refs::to("a/b c"), "#/$defs/a~1b%20c");
/// ```
#[must_use]
pub fn to(name: &str) -> String {
    let mut target = format!("#{DEFINITIONS}/");
    for byte in name.bytes() {
        match byte {
            b'~' => target.push_str("~0"),
            b'/' => target.push_str("~1"),
            // what a fragment may hold as it is (RFC 3986, section 3.5)
            b'!' | b'$' | b'&'..=b';' | b'=' | b'?'..=b'Z' | b'_' | b'a'..=b'z' => {
                target.push(char::from(byte))
            }
            // writing to a string does not fail
            _ => drop(write!(target, "%{byte:02X}")),
        }
    }
    target
}

/// Changes every `$ref` of a schema, but not those in parts that have an `$id`,
/// which are documents of their own.
///
/// ```
/// # use trunkline_core::{schema::refs, schemars::json_schema};
/// let mut schema = json_schema!({"items": {"$ref": "#/$defs/Guest"}});
/// refs::change(&mut schema, |target| *target = target.replace("$defs", "components/schemas"));
/// assert_eq!(schema.pointer("/items/$ref").unwrap(), "#/components/schemas/Guest");
/// ```
pub fn change(schema: &mut Schema, mut change: impl FnMut(&mut String)) {
    let mut value = std::mem::take(schema).to_value();
    visit(&mut value, &mut change);
    // what was a schema has stayed one
    *schema = value.try_into().unwrap_or_default();
}

/// Whether there is a `$ref` to `target`.
pub(super) fn contains(schema: &Value, target: &str) -> bool {
    let mut found = false;
    visit(&mut schema.clone(), &mut |it| found |= it == target);
    found
}

/// Where all of its `$ref`s point to.
pub(crate) fn targets(schema: &Value) -> Vec<String> {
    let mut targets = Vec::new();
    visit(&mut schema.clone(), &mut |it| targets.push(it.clone()));
    targets
}

fn visit(schema: &mut Value, change: &mut dyn FnMut(&mut String)) {
    let Value::Object(members) = schema else { return };
    if members.contains_key("$id") {
        return;
    }
    for (key, value) in members {
        match (key.as_str(), value) {
            ("$ref", Value::String(target)) => change(target),
            // values, not schemas
            ("const" | "default" | "enum" | "examples", _) => {}
            (
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas"
                | "dependencies",
                Value::Object(named),
            ) => named.values_mut().for_each(|schema| visit(schema, change)),
            (_, Value::Array(schemas)) => schemas.iter_mut().for_each(|schema| visit(schema, change)),
            (_, schema) => visit(schema, change),
        }
    }
}
