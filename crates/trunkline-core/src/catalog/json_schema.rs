//! A catalog as one JSON Schema.

use super::{Catalog, Entry};
use serde_json::{Map, Value, json};

impl Catalog {
    /// All procedures as one JSON Schema (2020-12): that of an object with a
    /// property for each, which holds what it takes as `args` and what it gives
    /// as `result`, or each item of a stream as `item`, and each item of a stream that it takes as
    /// `incoming`. There is no `args` where nothing is taken, and no `result` of
    /// what is only notified. What generates types from schemas makes one of the whole.
    ///
    /// ```
    /// # use trunkline_core::Router;
    /// let router = Router::new().procedure("shout", async |text: String| text.to_uppercase());
    /// let schema = router.catalog().json_schema();
    /// assert_eq!(schema["properties"]["shout"]["properties"]["args"]["type"], "string");
    /// ```
    #[must_use]
    pub fn json_schema(&self) -> Value {
        let procedures: Map<String, Value> =
            self.procedures.iter().map(|entry| (entry.name.to_string(), procedure(entry))).collect();
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "required": procedures.keys().collect::<Vec<_>>(),
            "properties": procedures,
            "additionalProperties": false,
            "$defs": self.definitions,
        })
    }
}

fn procedure(Entry { details, signature, stream, .. }: &Entry) -> Value {
    let mut members = Map::new();
    if signature.args != false {
        members.insert("args".to_owned(), signature.args.clone().to_value());
    }
    if let Some(stream) = &signature.stream {
        members.insert("incoming".to_owned(), stream.clone().to_value());
    }
    if !details.notification {
        let gives = if stream.is_some() { "item" } else { "result" };
        members.insert(gives.to_owned(), signature.result.clone().to_value());
    }
    let mut schema = json!({
        "type": "object",
        "required": members.keys().collect::<Vec<_>>(),
        "properties": members,
        "additionalProperties": false,
    });
    if let Some(description) = &details.description {
        schema["description"] = json!(description);
    }
    if details.deprecated.is_some() {
        schema["deprecated"] = json!(true);
    }
    schema
}
