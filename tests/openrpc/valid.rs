//! [`assert_valid`]: a document is OpenRPC, by the meta-schema of its authors, and
//! all that it refers to is there.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use jsonschema::{Draft, Registry};
use serde_json::Value;

const OPENRPC: &str = include_str!("openrpc.json");
const JSON_SCHEMA: &str = include_str!("json-schema.json");

/// Asserts that this is an OpenRPC document.
#[track_caller]
pub(crate) fn assert_valid(document: &Value) {
    let [openrpc, json_schema] = [OPENRPC, JSON_SCHEMA].map(|text| serde_json::from_str(text).unwrap());
    let complaints = violations(document, &openrpc, &json_schema);
    assert!(complaints.is_empty(), "{}\nin {document:#}", complaints.join("\n"));
    let mut targets = Vec::new();
    references(document, &mut targets);
    for target in targets {
        let fragment = target.strip_prefix('#').unwrap_or_else(|| panic!("{target} is elsewhere"));
        // as much of percent-encoding as there is in our tests
        let pointer = fragment.replace("%20", " ").replace("%25", "%");
        assert!(document.pointer(&pointer).is_some(), "there is no {target} in {document:#}");
    }
}

/// What the meta-schemas have against a document.
fn violations(document: &Value, openrpc: &Value, json_schema: &Value) -> Vec<String> {
    // neither knows the `$schema` that they name, which is one of them
    let known = |schema: &Value| Draft::Draft7.create_resource(schema.clone());
    let mut registry = Registry::new();
    for (uri, schema) in [
        // the one refers to the other without the slash that its `$id` ends with
        ("https://meta.json-schema.tools", json_schema),
        ("https://meta.json-schema.tools/", json_schema),
        ("https://meta.open-rpc.org/", openrpc),
    ] {
        registry = registry.add(uri, known(schema)).unwrap();
    }
    let registry = registry.prepare().unwrap();
    let validator =
        jsonschema::options().with_draft(Draft::Draft7).with_registry(&registry).build(openrpc).unwrap();
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// The targets of all `$ref`s.
fn references<'a>(value: &'a Value, targets: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            targets.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|value| references(value, targets));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, targets)),
        _ => {}
    }
}

/// A validator that is content with everything would go unnoticed.
#[test]
fn documents_that_are_not_openrpc_are_told() {
    let method = serde_json::json!({"name": "it", "params": []});
    let document = |method: &Value| serde_json::json!({"openrpc": "1.3.2", "info": {"title": "a", "version": "1"}, "methods": [method]});
    assert_valid(&document(&method));
    for (pointer, wrong) in [
        ("/name", serde_json::json!("")),
        ("/params", serde_json::json!([{"name": "a"}])),
        ("/params", serde_json::json!([{"name": "a", "schema": {"type": "intger"}}])),
    ] {
        let mut method = method.clone();
        *method.pointer_mut(pointer).unwrap() = wrong;
        let told = std::panic::catch_unwind(|| assert_valid(&document(&method)));
        assert!(told.is_err(), "{method}");
    }
    let mut referring = method;
    referring["result"] =
        serde_json::json!({"name": "result", "schema": {"$ref": "#/components/schemas/It"}});
    assert!(std::panic::catch_unwind(|| assert_valid(&document(&referring))).is_err());
}
