//! [`kind`]: a JSON Schema in a few words.

use serde_json::Value;

/// As many choices are named; there may be more.
const MOST: usize = 5;

/// What values a schema admits: `string`, `Guest[]`, `integer | null`. Where more
/// words were needed it is `any`, or `object`.
pub(super) fn kind(schema: &Value) -> String {
    let choices = |choices: &[Value]| either(choices.iter().map(kind));
    if let Some(target) = schema["$ref"].as_str() {
        return target.rsplit('/').next().unwrap_or(target).to_owned();
    }
    if let Some(value) = schema.get("const") {
        return value.to_string();
    }
    if let Some(values) = schema["enum"].as_array() {
        return either(values.iter().map(Value::to_string));
    }
    if let Some(all) = ["anyOf", "oneOf"].iter().find_map(|key| schema[*key].as_array()) {
        return choices(all);
    }
    if let Some([only]) = schema["allOf"].as_array().map(Vec::as_slice) {
        return kind(only);
    }
    match &schema["type"] {
        Value::String(name) if name == "array" => array(schema),
        Value::String(name) if name == "object" => object(schema),
        Value::String(name) => name.clone(),
        Value::Array(names) => either(names.iter().filter_map(Value::as_str).map(str::to_owned)),
        _ if schema["properties"].is_object() => "object".to_owned(),
        _ => "any".to_owned(),
    }
}

fn array(schema: &Value) -> String {
    let tuple = schema["prefixItems"].as_array().or_else(|| schema["items"].as_array());
    match (tuple, &schema["items"]) {
        (Some(items), _) => format!("[{}]", items.iter().map(kind).collect::<Vec<_>>().join(", ")),
        (None, Value::Object(_)) => {
            let item = kind(&schema["items"]);
            if item.contains(' ') { format!("({item})[]") } else { format!("{item}[]") }
        }
        _ => "any[]".to_owned(),
    }
}

fn object(schema: &Value) -> String {
    match &schema["additionalProperties"] {
        values @ Value::Object(_) if !schema["properties"].is_object() => format!("{{…: {}}}", kind(values)),
        _ => "object".to_owned(),
    }
}

/// Choices, each of them once.
fn either(kinds: impl Iterator<Item = String>) -> String {
    let mut different: Vec<String> = Vec::new();
    for kind in kinds {
        if different.contains(&kind) {
            continue;
        }
        if different.len() == MOST {
            different.push("…".to_owned());
            break;
        }
        different.push(kind);
    }
    different.join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn schemas_are_told_in_few_words() {
        for (schema, words) in [
            (json!({}), "any"),
            (json!(true), "any"),
            (json!({"type": "string"}), "string"),
            (json!({"type": ["integer", "null"]}), "integer | null"),
            (json!({"$ref": "#/components/schemas/Guest"}), "Guest"),
            (json!({"allOf": [{"$ref": "#/components/schemas/Guest"}], "description": "x"}), "Guest"),
            (json!({"type": "array", "items": {"type": "string"}}), "string[]"),
            (json!({"type": "array", "items": {"type": ["string", "null"]}}), "(string | null)[]"),
            (json!({"type": "array", "items": [{"type": "string"}, {}]}), "[string, any]"),
            (json!({"type": "array"}), "any[]"),
            (json!({"type": "object", "additionalProperties": {"type": "number"}}), "{…: number}"),
            (json!({"type": "object", "additionalProperties": false}), "object"),
            (json!({"oneOf": [{"const": "a"}, {"enum": ["b", 1]}, {"const": "a"}]}), "\"a\" | \"b\" | 1"),
            (json!({"enum": [1, 2, 3, 4, 5, 6, 7]}), "1 | 2 | 3 | 4 | 5 | …"),
        ] {
            assert_eq!(kind(&schema), words, "{schema}");
        }
    }
}
