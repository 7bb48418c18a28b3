//! [`Catalog`]: what a program serves, in words and in schemas.
//!
//! The one source of everything that is generated from procedures: OpenRPC,
//! JSON Schema, documentation, clients in other languages. It is made when it is
//! asked for; nothing of it is there while calls run.

mod json_schema;
mod spelled;
mod together;

use crate::{
    registration::Details,
    router::{Gives, Route, Router, UNSUBSCRIBE},
    schema::{Schemas, refs},
    signature::Signature,
};
use schemars::Schema;
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};

/// What a program serves, in words and in schemas.
///
/// ```
/// # use trunkline_core::{Router, handler::handler};
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Join { room: String, guest: Option<String> }
///
/// async fn join(ask: Join) -> usize { ask.room.len() }
///
/// let router = Router::new().procedure("join", handler(join).description("Lets a guest into a room."));
/// let catalog = router.catalog();
/// let join = &catalog.procedures[0];
/// assert_eq!(join.details.description.as_deref(), Some("Lets a guest into a room."));
/// assert_eq!(join.signature.args.get("required").unwrap(), &serde_json::json!(["room"]));
/// assert_eq!(join.signature.positions, ["room", "guest"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Catalog {
    /// The procedures that outsiders may know of, by name.
    pub procedures: Vec<Entry>,
    /// The schemas that `$ref`s to `#/$defs/…` point to.
    pub definitions: Map<String, Value>,
}

/// What is known of one procedure.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// The name it is called by.
    pub name: Box<str>,
    /// What was said of it where it was registered.
    pub details: Arc<Details>,
    /// How long a call may run, if that was said.
    pub timeout: Option<Duration>,
    /// What it takes and gives, or what each item is that it gives: by its types, or
    /// as was said by hand.
    pub signature: Signature,
    /// What goes by a name of its own where it gives a stream.
    pub stream: Option<Items>,
}

/// What goes by a name of its own where a procedure gives a stream.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Items {
    /// What its items are called.
    pub name: Box<str>,
    /// The procedure by which callers say that they no longer listen.
    pub unsubscribe: Box<str>,
}

impl Router {
    /// What this router serves to outsiders: neither what is internal nor
    /// extensions of the protocol.
    #[must_use]
    pub fn catalog(&self) -> Catalog {
        let mut schemas = Schemas::default();
        let known = |(name, route): &(&str, &Route)| {
            !name.starts_with("rpc.") && route.gives() != Gives::Unsubscribed
        };
        let mut routes: Vec<(&str, &Route)> = self.routes().filter(known).collect();
        // types of the same name are numbered as they come
        routes.sort_unstable_by_key(|(name, _)| *name);
        let entry = |(name, route): (&str, &Route)| Entry {
            name: name.into(),
            details: route.details().clone(),
            timeout: route.timeout(),
            signature: route.signature(&mut schemas),
            stream: (route.gives() == Gives::Stream).then(|| Items {
                name: route.item_name().unwrap_or(name).into(),
                unsubscribe: route.unsubscribe().unwrap_or(UNSUBSCRIBE).into(),
            }),
        };
        let mut procedures: Vec<Entry> = routes.into_iter().map(entry).collect();
        let mut definitions = schemas.finish(procedures.iter_mut().map(|entry| &mut entry.signature.result));
        for Entry { name, details, signature, .. } in &mut procedures {
            if let Some(schema) = &details.args_schema {
                signature.args = at_home(schema, format!("{name}.args"), &mut definitions);
            }
            if let Some(schema) = &details.result_schema {
                signature.result = at_home(schema, format!("{name}.result"), &mut definitions);
            }
        }
        Catalog { procedures, definitions }
    }
}

/// A schema that is a document of its own, as part of another one: if it refers
/// to itself it is a definition too, which is what it refers to then.
fn at_home(document: &Schema, name: String, definitions: &mut Map<String, Value>) -> Schema {
    let (mut schema, home) = (document.clone(), refs::to(&name));
    let mut refers = false;
    refs::change(&mut schema, |target| {
        if let Some(path) = target.strip_prefix('#').filter(|path| path.is_empty() || path.starts_with('/')) {
            *target = format!("{home}{path}");
            refers = true;
        }
    });
    if refers {
        definitions.insert(name, schema.clone().to_value());
    }
    schema
}

#[cfg(test)]
mod tests;
