//! [`of`]: an OpenRPC document as one JSON Schema.

use super::document::{Document, Method, Structure};
use serde_json::{Map, Value, json};
use trunkline::{schema::refs, schemars::Schema};

/// The schema (draft 7) of an object with a property for each method, which holds
/// what it takes as `args` and what it gives as `result`.
pub(super) fn of(document: &Document) -> Value {
    let methods: Map<String, Value> =
        document.methods.iter().map(|it| (it.name.clone(), within(method(it)))).collect();
    let definitions: Map<String, Value> = document
        .components
        .schemas
        .iter()
        .map(|(name, schema)| (name.clone(), within(schema.clone())))
        .collect();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": document.info.title,
        "type": "object",
        "required": methods.keys().collect::<Vec<_>>(),
        "properties": methods,
        "additionalProperties": false,
        "definitions": definitions,
    })
}

fn method(method: &Method) -> Value {
    let args = args(method).map(|schema| ("args".to_owned(), schema));
    let result = method.result.as_ref().map(|result| ("result".to_owned(), result.schema.clone()));
    let members = Map::from_iter(args.into_iter().chain(result));
    let mut schema = json!({
        "type": "object",
        "required": members.keys().collect::<Vec<_>>(),
        "properties": members,
        "additionalProperties": false,
    });
    let summary = method.summary();
    if !summary.is_empty() {
        schema["description"] = json!(summary);
    }
    schema
}

/// What it takes: an object, unless it takes an array only; none if it takes nothing.
fn args(method: &Method) -> Option<Value> {
    if method.params_schema.is_some() {
        return method.params_schema.clone();
    }
    if method.params.is_empty() {
        return None;
    }
    let required = || method.params.iter().filter(|param| param.required);
    if method.param_structure == Structure::ByPosition {
        return Some(json!({
            "type": "array",
            "items": method.params.iter().map(|param| &param.schema).collect::<Vec<_>>(),
            "additionalItems": false,
            "minItems": required().count(),
        }));
    }
    let properties: Map<String, Value> =
        method.params.iter().map(|param| (param.name.clone(), param.schema.clone())).collect();
    Some(json!({
        "type": "object",
        "properties": properties,
        "required": required().map(|param| &param.name).collect::<Vec<_>>(),
    }))
}

/// A schema whose references point to where the definitions stand here.
fn within(schema: Value) -> Value {
    let Ok(mut schema) = Schema::try_from(schema) else { return json!({}) };
    refs::change(&mut schema, |target| {
        if let Some(name) = target.strip_prefix("#/components/schemas/") {
            *target = format!("#/definitions/{name}");
        }
    });
    schema.to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_properties() {
        let guest =
            json!({"name": "guest", "schema": {"$ref": "#/components/schemas/Guest"}, "required": true});
        let document = json!({
            "info": {"title": "rooms", "version": "1"},
            "methods": [
                {"name": "join", "summary": "In.", "params": [guest], "result": {"name": "r", "schema": true}},
                {"name": "swap", "paramStructure": "by-position", "params": [guest, {"name": "b", "schema": {}}]},
                {"name": "log", "params": [], "x-params-schema": {"type": "array"}},
                {"name": "now", "params": []},
            ],
            "components": {"schemas": {"Guest": {"type": "string"}}},
        });
        let schema = of(&Document::read(&document.to_string()).unwrap());
        jsonschema::draft7::meta::validate(&schema).unwrap();
        let schema = jsonschema::validator_for(&schema).unwrap();
        let instance = |join: Value, swap: Value| {
            let join = json!({"args": join, "result": 1});
            json!({"join": join, "swap": {"args": swap}, "log": {"args": []}, "now": {}})
        };
        assert!(schema.is_valid(&instance(json!({"guest": "Ada"}), json!(["Ada"]))));
        for wrong in [
            instance(json!({"guest": 1}), json!(["Ada"])),
            instance(json!({}), json!(["Ada"])),
            instance(json!({"guest": "Ada"}), json!([1])),
            instance(json!({"guest": "Ada"}), json!([])),
            instance(json!({"guest": "Ada"}), json!(["Ada", 1, 2])),
        ] {
            assert!(!schema.is_valid(&wrong), "{wrong}");
        }
    }
}
