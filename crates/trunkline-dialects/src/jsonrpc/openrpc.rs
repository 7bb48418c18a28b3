//! A catalog as an OpenRPC document, what `rpc.discover` answers.
//!
//! OpenRPC lists parameters one by one, so what a procedure takes is taken apart
//! ([`params`]). What the list cannot say is said by an extension of the
//! document, `x-params-schema`. Schemas are those of JSON Schema draft 7 there.

mod draft7;
mod params;

use super::{JsonRpc, fault};
use serde_json::{Map, Value, json};
use trunkline_core::{
    Catalog, Fault,
    catalog::{Entry, Items},
    schema::refs,
    schemars::{Schema, transform::Transform},
};

/// The version of OpenRPC that documents are of.
const VERSION: &str = "1.3.2";

/// Where the definitions stand in a document, as a `$ref` to one begins.
const COMPONENTS: &str = "#/components/schemas/";

impl JsonRpc {
    /// Describes procedures as an [OpenRPC](https://spec.open-rpc.org) document
    /// (1.3.2), of a service that is called `title` and has a `version` of its own.
    ///
    /// | of a procedure | in the document |
    /// |---|---|
    /// | its description | `description`, the first paragraph of it `summary` |
    /// | that it is deprecated | `deprecated`, the reason at the end of `description` |
    /// | its groups | `tags` |
    /// | its faults | `errors` |
    /// | that it is a notification | there is no `result` |
    /// | that it gives a stream | `x-stream`: the schema of an `item`, their `notification`, the `unsubscribe` method; the `result` is the id of the subscription |
    /// | that it takes a stream of its caller | `x-incoming`: the schema of an `item` |
    /// | its version, that it is idempotent | `x-version`, `x-idempotent` |
    ///
    /// ```
    /// # use trunkline_core::Router;
    /// # use trunkline_dialects::jsonrpc::JsonRpc;
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct Join { room: String, guest: Option<String> }
    ///
    /// let router = Router::new().procedure("join", async |ask: Join| ask.room);
    /// let document = JsonRpc::default().openrpc(&router.catalog(), "rooms", "1.0.0");
    /// let join = &document["methods"][0];
    /// assert_eq!(join["name"], "join");
    /// assert_eq!(join["params"][0]["name"], "room");
    /// assert_eq!(join["params"][0]["required"], true);
    /// assert_eq!(join["params"][1]["name"], "guest");
    /// ```
    #[must_use]
    pub fn openrpc(&self, catalog: &Catalog, title: &str, version: &str) -> Value {
        let methods: Vec<Value> =
            catalog.procedures.iter().map(|entry| self.method(entry, &catalog.definitions)).collect();
        let mut document = json!({
            "openrpc": VERSION,
            "info": {"title": title, "version": version},
            "methods": methods,
        });
        if !catalog.definitions.is_empty() {
            let schemas: Map<String, Value> =
                catalog.definitions.iter().map(|(name, schema)| (name.clone(), embedded(schema))).collect();
            document["components"] = json!({"schemas": schemas});
        }
        document
    }

    fn method(&self, entry: &Entry, definitions: &Map<String, Value>) -> Value {
        let details = &entry.details;
        let params = params::of(&entry.signature, definitions);
        let mut method = Map::from_iter([
            ("name".to_owned(), json!(entry.name)),
            ("paramStructure".to_owned(), json!(params.structure)),
            ("params".to_owned(), json!(params.list)),
        ]);
        let mut set = |key: &str, value: Value| drop(method.insert(key.to_owned(), value));
        if let Some(schema) = params.unlisted {
            set("x-params-schema", schema);
        }
        let gives = embedded(entry.signature.result.as_value());
        if let Some(Items { name, unsubscribe, .. }) = &entry.stream {
            set("result", json!({"name": "subscription", "schema": {"type": "string"}}));
            set("x-stream", json!({"item": gives, "notification": name, "unsubscribe": unsubscribe}));
        } else if !details.notification {
            set("result", json!({"name": "result", "schema": gives}));
        }
        if let Some(item) = &entry.signature.stream {
            set("x-incoming", json!({"item": embedded(item.as_value())}));
        }
        let reason = details.deprecated.as_ref().map(|reason| format!("Deprecated: {reason}"));
        if let Some(description) = &details.description {
            let summary = description.trim().split("\n\n").next().unwrap_or_default();
            set("summary", json!(summary.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
        let description: Vec<&str> =
            details.description.as_deref().map(str::trim).into_iter().chain(reason.as_deref()).collect();
        if !description.is_empty() {
            set("description", json!(description.join("\n\n")));
        }
        if reason.is_some() {
            set("deprecated", json!(true));
        }
        if !details.groups.is_empty() {
            set("tags", details.groups.iter().map(|group| json!({"name": group})).collect());
        }
        if !details.faults.is_empty() {
            set("errors", details.faults.iter().map(|fault| self.error(fault)).collect());
        }
        if let Some(version) = &details.version {
            set("x-version", json!(version));
        }
        if details.idempotent {
            set("x-idempotent", json!(true));
        }
        method.into()
    }

    fn error(&self, fault: &Fault) -> Value {
        let mut error =
            json!({"code": fault::code_told(fault, self.plain_error_code), "message": fault.message()});
        if let Some(data) = fault.data::<Value>() {
            error["data"] = data;
        }
        error
    }
}

/// A schema as part of a document.
fn embedded(schema: &Value) -> Value {
    // `true` is the same as `{}`, for readers who expect an object
    let mut schema = Schema::try_from(schema.clone()).ok().filter(|it| *it != true).unwrap_or_default();
    draft7::Draft7.transform(&mut schema);
    let definitions = refs::to("");
    refs::change(&mut schema, |target| {
        if let Some(name) = target.strip_prefix(&definitions) {
            *target = format!("{COMPONENTS}{name}");
        }
    });
    schema.to_value()
}

#[cfg(test)]
mod tests;
