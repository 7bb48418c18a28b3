//! [`of`]: what a procedure takes, as a list of parameters.

use super::embedded;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use trunkline_core::{Signature, schema::refs, schemars::Schema};

/// How many choices within choices are looked into.
const DEEPEST: usize = 8;

/// The parameters of a method.
pub(super) struct Params {
    /// How they may be given: `by-name`, `by-position` or `either`.
    pub(super) structure: &'static str,
    /// A content descriptor for each.
    pub(super) list: Vec<Value>,
    /// The schema of all of them, if the list does not say it.
    pub(super) unlisted: Option<Value>,
}

/// The parameters that a procedure of this signature takes.
pub(super) fn of(signature: &Signature, definitions: &Map<String, Value>) -> Params {
    let (schema, optional) = bare(&signature.args, definitions);
    let unlisted =
        |listed: &[&str]| (!says_only(&schema, listed)).then(|| embedded(signature.args.as_value()));
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let (structure, list) = by_name(&schema, properties, &signature.positions, optional);
        Params { structure, list, unlisted: unlisted(&["properties", "required", "additionalProperties"]) }
    } else if let Some(items) = schema.get("prefixItems").and_then(Value::as_array) {
        let list = by_position(&schema, items, optional);
        Params {
            structure: "by-position",
            list,
            unlisted: unlisted(&["prefixItems", "minItems", "maxItems", "items"]),
        }
    } else if schema.as_bool() == Some(false) || schema.get("type").is_some_and(|kind| kind == "null") {
        Params { structure: "either", list: vec![], unlisted: None }
    } else if says_only(&schema, &[]) && schema.get("type").is_none_or(|kind| kind == "object") {
        Params { structure: "either", list: vec![], unlisted: Some(embedded(schema.as_value())) }
    } else if takes(&schema, "object", definitions, 0) {
        Params { structure: "by-name", list: vec![], unlisted: Some(embedded(signature.args.as_value())) }
    } else if takes(&schema, "array", definitions, 0) && items_take_arrays(&schema, definitions) {
        // a list within the list would be taken for an element
        Params { structure: "by-position", list: vec![], unlisted: Some(embedded(signature.args.as_value())) }
    } else {
        // the value itself is the only parameter
        let list = vec![descriptor(&name_at(0), signature.args.as_value(), !optional)];
        Params { structure: "by-position", list, unlisted: None }
    }
}

/// An object's properties. They have positions if the type says so of all of them.
fn by_name(
    schema: &Schema,
    properties: &Map<String, Value>,
    positions: &[Cow<'_, str>],
    optional: bool,
) -> (&'static str, Vec<Value>) {
    let required = schema.get("required").and_then(Value::as_array);
    let is_required =
        |name: &str| !optional && required.is_some_and(|names| names.iter().any(|it| it == name));
    let placed: Vec<&str> =
        positions.iter().map(|name| &**name).filter(|name| properties.contains_key(*name)).collect();
    let (structure, names) = match placed.len() == properties.len() {
        true => ("either", placed),
        false => ("by-name", properties.keys().map(String::as_str).collect()),
    };
    let list = names.into_iter().map(|name| descriptor(name, &properties[name], is_required(name))).collect();
    (structure, list)
}

/// A tuple's elements.
fn by_position(schema: &Schema, items: &[Value], optional: bool) -> Vec<Value> {
    let required = schema.get("minItems").and_then(Value::as_u64).filter(|_| !optional).unwrap_or_default();
    (0..).zip(items).map(|(at, item)| descriptor(&name_at(at), item, at < required)).collect()
}

/// What a parameter without a name is called.
fn name_at(at: u64) -> String {
    format!("arg{}", at + 1)
}

/// A content descriptor, with what is said of the value.
fn descriptor(name: &str, schema: &Value, required: bool) -> Value {
    let mut descriptor = json!({"name": name, "required": required, "schema": embedded(schema)});
    if let Some(Value::String(description)) = schema.get("description") {
        descriptor["description"] = json!(description);
    }
    if schema.get("deprecated") == Some(&json!(true)) {
        descriptor["deprecated"] = json!(true);
    }
    descriptor
}

/// What is behind references and `null`s, and whether there was a `null`.
fn bare(schema: &Schema, definitions: &Map<String, Value>) -> (Schema, bool) {
    let (mut schema, mut optional) = (schema.clone(), false);
    // as many steps as there can be without going round
    for _ in 0..=2 * definitions.len() {
        let inner = match (referred(&schema, definitions), nullable(&schema)) {
            (Some(inner), _) => inner,
            (None, Some(inner)) => {
                optional = true;
                inner
            }
            (None, None) => break,
        };
        schema = inner;
    }
    (schema, optional)
}

/// What a schema that is a mere reference refers to.
fn referred(schema: &Schema, definitions: &Map<String, Value>) -> Option<Schema> {
    let target = schema.get("$ref")?;
    let (_, definition) = definitions.iter().find(|(name, _)| refs::to(name) == *target)?;
    definition.clone().try_into().ok()
}

/// What else there is where there is a choice between that and `null`.
fn nullable(schema: &Schema) -> Option<Schema> {
    let choices = schema.get("anyOf")?.as_array()?;
    let null = json!({"type": "null"});
    match &**choices {
        [inner, other] | [other, inner] if *other == null => inner.clone().try_into().ok(),
        _ => None,
    }
}

/// Whether a schema says nothing but this, of what kind it is, and for people.
fn says_only(schema: &Schema, listed: &[&str]) -> bool {
    let for_people =
        ["type", "title", "description", "default", "examples", "$schema", "$defs", "definitions"];
    let said = schema.as_object().into_iter().flatten();
    said.filter(|(key, _)| !for_people.contains(&key.as_str()))
        .all(|(key, value)| listed.contains(&key.as_str()) && (!value.is_object() || key == "properties"))
}

/// Whether an element of a list may be a list.
fn items_take_arrays(schema: &Schema, definitions: &Map<String, Value>) -> bool {
    let items = schema.get("items").and_then(|items| <&Schema>::try_from(items).ok());
    items.is_none_or(|items| takes(&bare(items, definitions).0, "array", definitions, 0))
}

/// Whether a value of this `kind`, an `object` or an `array`, may fit.
fn takes(schema: &Schema, kind: &str, definitions: &Map<String, Value>, depth: usize) -> bool {
    if let Some(told) = schema.get("type") {
        return told == kind || told.as_array().is_some_and(|kinds| kinds.iter().any(|it| it == kind));
    }
    let choices = ["oneOf", "anyOf"].iter().find_map(|key| schema.get(*key)?.as_array());
    if let Some(choices) = choices.filter(|_| depth < DEEPEST) {
        let mut choices = choices.iter().filter_map(|choice| <&Schema>::try_from(choice).ok());
        return choices.any(|choice| takes(&bare(choice, definitions).0, kind, definitions, depth + 1));
    }
    // who lists the values, or says nothing, may mean any
    true
}
