//! [`Meter`]: an end to the work of saying what is wrong, in a schema that contains itself.
//!
//! Whether a value fits such a schema is remembered while it is found out, but not
//! what is wrong with it: where there are choices, each level is looked at once for
//! every choice above it, and a few hundred bytes would take for ever. So in these
//! schemas every part counts what it looks at, and references are no longer followed
//! once there was too much of it. Others need no counting: the schema is the bound.

use super::tree::{Borrowed, Node};
use jsonschema::{Keyword, ValidationError};
use serde_json::{Map, Value, json};
use std::{cell::Cell, collections::BTreeMap};

/// The keyword that counts.
pub(super) const KEYWORD: &str = "x-trunkline-meter";

thread_local! {
    /// How much may still be looked at in the check that runs on this thread.
    static LEFT: Cell<usize> = const { Cell::new(0) };
}

/// Counts what is looked at.
pub(super) struct Meter;

impl Meter {
    /// Runs a check that may look at so much; `None` if that was not enough.
    pub(super) fn within<T>(budget: usize, check: impl FnOnce() -> T) -> Option<T> {
        LEFT.set(budget.max(1));
        let done = check();
        (LEFT.get() > 0).then_some(done)
    }
}

impl<'i> Keyword<'i, Borrowed> for Meter {
    fn validate(&self, instance: Node<'i>) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) { Ok(()) } else { Err(ValidationError::custom("too much to look at")) }
    }

    fn is_valid(&self, instance: Node<'i>) -> bool {
        LEFT.set(LEFT.get().saturating_sub(1 + instance.size()));
        LEFT.get() > 0
    }
}

/// Puts meters into a schema, if it contains itself.
pub(super) fn metered(schema: &Value) -> Option<Value> {
    let mut edges = BTreeMap::new();
    is_recursive(schema, schema, &mut edges).then(|| {
        let mut schema = schema.clone();
        each(&mut schema, &mut guard);
        schema
    })
}

/// The place in a schema, as it was before there were meters in it.
pub(super) fn unmetered(place: &str) -> String {
    let mut pieces = place.split("/then/$ref").peekable();
    let mut plain = String::new();
    while let Some(piece) = pieces.next() {
        let guarded = piece.trim_end_matches(|char: char| char.is_ascii_digit()).strip_suffix("/allOf/");
        match guarded.filter(|_| pieces.peek().is_some()) {
            Some(piece) => plain.extend([piece, "/$ref"]),
            None if pieces.peek().is_some() => plain.extend([piece, "/then/$ref"]),
            None => plain.push_str(piece),
        }
    }
    plain
}

/// Whether references lead round. What they lead to is looked into once.
fn is_recursive<'a>(part: &'a Value, document: &'a Value, seen: &mut BTreeMap<&'a str, bool>) -> bool {
    let mut found = false;
    look(part, &mut |members| {
        for (key, target) in members {
            if !["$ref", "$dynamicRef", "$recursiveRef"].contains(&key.as_str()) {
                continue;
            }
            let Some(target) = target.as_str() else { continue };
            let place = target.strip_prefix('#').filter(|_| key == "$ref");
            found |= match (seen.get(target), place.and_then(|place| document.pointer(place))) {
                (Some(is_open), _) => *is_open,
                (None, Some(part)) => {
                    seen.insert(target, true);
                    let around = is_recursive(part, document, seen);
                    seen.insert(target, false);
                    around
                }
                // it leads somewhere that is not known
                (None, None) => true,
            };
        }
    });
    found
}

/// Counts here, and before a reference is followed.
fn guard(members: &mut Map<String, Value>) {
    for key in ["$ref", "$dynamicRef", "$recursiveRef"] {
        if let Some(target) = members.remove(key) {
            let guarded = json!({"if": {KEYWORD: true}, "then": {key: target}, "else": false});
            if let Value::Array(all) = members.entry("allOf").or_insert_with(|| json!([])) {
                all.push(guarded);
            }
        }
    }
    members.insert(KEYWORD.to_owned(), json!(true));
}

/// Whether a member holds schemas by name, one or several schemas, or none.
enum Holds {
    Named,
    Schemas,
    Nothing,
}

fn holds(key: &str) -> Holds {
    match key {
        "const" | "default" | "enum" | "examples" => Holds::Nothing,
        "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas"
        | "dependencies" => Holds::Named,
        _ => Holds::Schemas,
    }
}

fn look<'a>(schema: &'a Value, f: &mut impl FnMut(&'a Map<String, Value>)) {
    let Value::Object(members) = schema else { return };
    f(members);
    for (key, value) in members {
        match (holds(key), value) {
            // what is defined is looked into where it is referred to
            (Holds::Named, _) if key == "$defs" || key == "definitions" => {}
            (Holds::Nothing, _) => {}
            (Holds::Named, Value::Object(named)) => named.values().for_each(|schema| look(schema, f)),
            (_, Value::Array(schemas)) => schemas.iter().for_each(|schema| look(schema, f)),
            (_, schema) => look(schema, f),
        }
    }
}

fn each(schema: &mut Value, f: &mut impl FnMut(&mut Map<String, Value>)) {
    let Value::Object(members) = schema else { return };
    for (key, value) in &mut *members {
        match (holds(key), value) {
            (Holds::Nothing, _) => {}
            (Holds::Named, Value::Object(named)) => named.values_mut().for_each(|schema| each(schema, f)),
            (_, Value::Array(schemas)) => schemas.iter_mut().for_each(|schema| each(schema, f)),
            (_, schema) => each(schema, f),
        }
    }
    f(members);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_contains_itself_is_metered() {
        let plain = json!({"items": {"$ref": "#/$defs/a"}, "not": {"$ref": "#/$defs/a"}, "$defs": {"a": {"enum": [1]}}});
        assert_eq!(metered(&plain), None);
        let tree = json!({"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"b": {"$ref": "#/$defs/b"}}},
            "b": {"items": {"$ref": "#/$defs/a"}}}});
        let metered_tree = metered(&tree).unwrap();
        assert_eq!(metered_tree["allOf"][0]["then"], json!({"$ref": "#/$defs/a"}));
        assert!(metered(&json!({"properties": {"child": {"$ref": "#"}}})).is_some());
        assert!(metered(&json!({"$ref": "#there", "$defs": {"a": {"$anchor": "there"}}})).is_some());
    }

    #[test]
    fn a_place_is_told_as_it_was() {
        assert_eq!(
            unmetered("/allOf/0/then/$ref/items/allOf/12/then/$ref/minimum"),
            "/$ref/items/$ref/minimum"
        );
        assert_eq!(unmetered("/then/$ref/allOf/0/then/minimum"), "/then/$ref/allOf/0/then/minimum");
    }
}
