//! [`Document`]: an OpenRPC document, as far as it is looked at.

use crate::failure::Failure;
use serde::Deserialize;
use serde_json::{Map, Value};

/// An OpenRPC document.
#[derive(Deserialize)]
pub(super) struct Document {
    pub(super) info: Info,
    pub(super) methods: Vec<Method>,
    #[serde(default)]
    pub(super) components: Components,
}

#[derive(Deserialize)]
pub(super) struct Info {
    pub(super) title: String,
    pub(super) version: String,
}

#[derive(Default, Deserialize)]
pub(super) struct Components {
    #[serde(default)]
    pub(super) schemas: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Method {
    pub(super) name: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    pub(super) deprecated: bool,
    #[serde(default)]
    pub(super) param_structure: Structure,
    pub(super) params: Vec<Descriptor>,
    /// What the list of parameters cannot say, in documents of trunkline servers.
    #[serde(rename = "x-params-schema")]
    pub(super) params_schema: Option<Value>,
    /// What it gives a stream of, in documents of trunkline servers.
    #[serde(rename = "x-stream")]
    pub(super) stream: Option<Stream>,
    /// None if it is only ever notified.
    pub(super) result: Option<Descriptor>,
}

/// A stream that a method opens.
#[derive(Deserialize)]
pub(super) struct Stream {
    pub(super) item: Value,
}

/// How parameters are given.
#[derive(Clone, Copy, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Structure {
    ByName,
    ByPosition,
    #[default]
    Either,
}

/// A parameter, or a result.
#[derive(Deserialize)]
pub(super) struct Descriptor {
    pub(super) name: String,
    #[serde(default)]
    pub(super) required: bool,
    pub(super) schema: Value,
}

impl Document {
    /// Reads what a server has sent.
    pub(super) fn read(text: &str) -> Result<Self, Failure> {
        serde_json::from_str(text)
            .and_then(|document: Value| serde_json::from_value(inlined(&document)))
            .map_err(|error| Failure::fault("what the server answers is no OpenRPC document").cause(&error))
    }
}

impl Method {
    /// What it does, in one line.
    pub(super) fn summary(&self) -> String {
        let said = [&self.summary, &self.description].into_iter().find(|said| !said.trim().is_empty());
        let paragraph = said.and_then(|said| said.trim().split("\n\n").next()).unwrap_or_default();
        paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// The document with methods, parameters and results in place of references to
/// them. Schemas keep theirs.
fn inlined(document: &Value) -> Value {
    let mut inlined = document.clone();
    for method in inlined.get_mut("methods").and_then(Value::as_array_mut).into_iter().flatten() {
        put(document, method);
        if let Some(result) = method.get_mut("result") {
            put(document, result);
        }
        let params = method.get_mut("params").and_then(Value::as_array_mut);
        params.into_iter().flatten().for_each(|param| put(document, param));
    }
    inlined
}

fn put(document: &Value, place: &mut Value) {
    let target = place.get("$ref").and_then(Value::as_str);
    if let Some(there) = target.and_then(|target| document.pointer(target.strip_prefix('#')?)) {
        *place = there.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_to_components_are_followed() {
        let document = json!({
            "openrpc": "1.2.6",
            "info": {"title": "t", "version": "1"},
            "methods": [{
                "name": "get",
                "description": "Gets\nit.\n\nAnd more.",
                "params": [{"$ref": "#/components/contentDescriptors/Id"}],
                "result": {"$ref": "#/components/contentDescriptors/Id"},
            }],
            "components": {"contentDescriptors": {"Id": {"name": "id", "schema": {"type": "string"}}}},
        });
        let document = Document::read(&document.to_string()).unwrap();
        let get = &document.methods[0];
        assert_eq!((&*get.params[0].name, &*get.result.as_ref().unwrap().name), ("id", "id"));
        assert_eq!(get.summary(), "Gets it.");
    }

    #[test]
    fn what_is_something_else_is_told() {
        for text in ["null", "[]", "{}", r#"{"info":{"title":"t","version":"1"},"methods":[{}]}"#] {
            assert!(Document::read(text).is_err(), "{text}");
        }
    }
}
