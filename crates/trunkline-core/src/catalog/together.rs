//! Catalogs of several programs as one.

use super::{Catalog, Entry};
use crate::schema::{join, refs};
use schemars::Schema;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

impl Catalog {
    /// The same without what is [internal](crate::Registration::internal): what may be told
    /// to outsiders.
    #[must_use]
    pub fn for_outsiders(mut self) -> Self {
        self.keep(|entry| !entry.details.internal);
        self
    }

    /// Adds the procedures of another catalog, but for those whose names are here already.
    /// Its definitions get other names where these are taken by others.
    ///
    /// ```
    /// # use trunkline_core::Router;
    /// let one = Router::new().procedure("add", async |(a, b): (i64, i64)| a + b);
    /// let other = Router::new().procedure("add", async || 0).procedure("now", async || 12);
    /// let mut both = one.catalog();
    /// both.add(other.catalog());
    /// assert_eq!(both.procedures.len(), 2);
    /// assert_eq!(both.procedures[0], one.catalog().procedures[0]);
    /// ```
    pub fn add(&mut self, mut other: Self) {
        let known: HashSet<&str> = self.procedures.iter().map(|entry| &*entry.name).collect();
        other.keep(|entry| !known.contains(&*entry.name));
        let schemas = other.procedures.iter_mut().flat_map(schemas_mut);
        join(&mut self.definitions, other.definitions, "", schemas);
        self.procedures.append(&mut other.procedures);
        self.procedures.sort_by(|one, other| one.name.cmp(&other.name));
    }

    /// Keeps some of the procedures, and the definitions that they need.
    fn keep(&mut self, keep: impl FnMut(&Entry) -> bool) {
        self.procedures.retain(keep);
        let given = std::mem::take(&mut self.definitions);
        let mut given: HashMap<String, (String, Value)> =
            given.into_iter().map(|(name, schema)| (refs::to(&name), (name, schema))).collect();
        let mut targets: Vec<String> = Vec::new();
        for schema in self.procedures.iter_mut().flat_map(schemas_mut) {
            targets.extend(refs::targets(schema.as_value()));
        }
        while let Some(target) = targets.pop() {
            if let Some((name, schema)) = given.remove(definition(&target)) {
                targets.extend(refs::targets(&schema));
                self.definitions.insert(name, schema);
            }
        }
    }
}

/// The definition that a reference is to, or is to a part of.
fn definition(target: &str) -> &str {
    let start = refs::to("").len();
    let end = target.get(start..).and_then(|name| name.find('/')).map_or(target.len(), |end| start + end);
    &target[..end]
}

fn schemas_mut(entry: &mut Entry) -> impl Iterator<Item = &mut Schema> {
    let signature = &mut entry.signature;
    [&mut signature.args, &mut signature.result].into_iter().chain(&mut signature.stream)
}

#[cfg(test)]
mod tests {
    use crate::{Open, Router, handler::handler};
    use schemars::JsonSchema;
    use serde_json::{Value, json};

    mod old {
        #[derive(serde::Deserialize, schemars::JsonSchema)]
        pub(super) struct User {
            pub(super) name: String,
        }
    }

    mod new {
        #[derive(serde::Deserialize, schemars::JsonSchema)]
        pub(super) struct User {
            pub(super) name: String,
            pub(super) age: u8,
        }
    }

    #[derive(serde::Deserialize, JsonSchema)]
    struct Team<T> {
        members: Vec<T>,
    }

    #[test]
    fn definitions_of_the_same_name_are_told_apart() {
        let one = Router::new()
            .procedure("old.rename", async |team: Team<old::User>| {
                team.members.into_iter().map(|it| it.name).collect::<Vec<_>>()
            })
            .catalog();
        let other = Router::new()
            .procedure("new.age", async |team: Team<new::User>| {
                team.members.into_iter().map(|it| (it.name, it.age)).collect::<Vec<_>>()
            })
            .catalog();
        let mut both = one.clone();
        both.add(other);
        let names: Vec<_> = both.procedures.iter().map(|entry| &*entry.name).collect();
        assert_eq!(names, ["new.age", "old.rename"]);
        let of = |at: usize| {
            &both.procedures[at].signature.args.get("properties").unwrap()["members"]["items"]["$ref"]
        };
        assert_eq!((of(0), of(1)), (&json!("#/$defs/User2"), &json!("#/$defs/User")));
        assert_eq!(both.definitions["User"], one.definitions["User"]);
        assert_eq!(both.definitions["User2"]["required"], json!(["name", "age"]));
        // what is the same stays one
        let before = both.clone();
        both.add(before.clone());
        assert_eq!(both, before);
    }

    #[test]
    fn outsiders_hear_nothing_of_what_is_internal() {
        let list = json!({"properties": {"next": {"$ref": "#"}}});
        let secret = handler(async |team: Team<new::User>| team.members.len()).internal();
        let shown = handler(async |Open(_): Open<Value>| 1).args_schema(list);
        let router = Router::new().procedure("secret", secret).procedure("shown", shown);
        let all = router.clone().with_internal_found().catalog();
        assert_eq!(all.procedures.len(), 2);
        assert!(all.definitions.contains_key("User"));
        assert_eq!(all.for_outsiders(), router.catalog());
    }
}
