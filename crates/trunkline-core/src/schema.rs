//! [`Schemas`]: the JSON Schemas of argument and result types, gathered with their definitions.

pub mod refs;

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Gathers the JSON Schemas (2020-12) of types.
///
/// What a type takes and what it gives may differ (serde's `default` and
/// `skip_serializing_if`), so arguments and results are described apart.
///
/// ```
/// # use trunkline_core::schema::Schemas;
/// let mut schemas = Schemas::default();
/// assert_eq!(schemas.of_args::<Option<bool>>().get("type").unwrap(), &serde_json::json!(["boolean", "null"]));
/// ```
#[derive(Debug)]
pub struct Schemas {
    args: SchemaGenerator,
    results: SchemaGenerator,
}

impl Default for Schemas {
    fn default() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12()
                .with(|settings| settings.definitions_path = refs::DEFINITIONS.into())
        };
        Self {
            args: settings().for_deserialize().into_generator(),
            results: settings().for_serialize().into_generator(),
        }
    }
}

impl Schemas {
    /// What a `T` is decoded from. Types inside it are `$ref`s.
    pub fn of_args<T: JsonSchema>(&mut self) -> Schema {
        T::json_schema(&mut self.args)
    }

    /// What a `T` is encoded as. Types inside it are `$ref`s.
    pub fn of_result<T: JsonSchema>(&mut self) -> Schema {
        T::json_schema(&mut self.results)
    }

    /// All that `$ref`s point to. A definition that is not the same for arguments
    /// and results is called by its name and `Result` in what `results` refer to.
    pub(crate) fn finish<'a>(mut self, results: impl Iterator<Item = &'a mut Schema>) -> Map<String, Value> {
        let mut definitions = self.args.take_definitions(true);
        join(&mut definitions, self.results.take_definitions(true), "Result", results);
        definitions
    }
}

/// Adds `given` to other definitions. Those that are not the same under a name that is
/// taken get another, with `suffix`, which the `schemas` that refer to them learn.
pub(crate) fn join<'a>(
    definitions: &mut Map<String, Value>,
    given: Map<String, Value>,
    suffix: &str,
    schemas: impl Iterator<Item = &'a mut Schema>,
) {
    let renamed = renamed(definitions, &given, suffix);
    let targets: BTreeMap<String, String> =
        renamed.iter().map(|(from, to)| (refs::to(from), refs::to(to))).collect();
    let rename = |target: &mut String| {
        if let Some(other) = targets.get(target) {
            target.clone_from(other);
        }
    };
    for schema in schemas {
        refs::change(schema, rename);
    }
    for (name, value) in given {
        let mut schema = Schema::try_from(value).unwrap_or_default();
        refs::change(&mut schema, rename);
        let name = renamed.get(&name).cloned().unwrap_or(name);
        definitions.insert(name, schema.to_value());
    }
}

/// What the definitions of `given` are called that are not the same as those that are
/// taken, or refer to such.
fn renamed(taken: &Map<String, Value>, given: &Map<String, Value>, suffix: &str) -> BTreeMap<String, String> {
    let shared = |name: &String| taken.contains_key(name);
    let mut differing: Vec<&String> = given
        .iter()
        .filter(|(name, schema)| taken.get(*name).is_some_and(|it| it != *schema))
        .map(|(name, _)| name)
        .collect();
    let mut seen = 0;
    while let Some(name) = differing.get(seen) {
        seen += 1;
        let target = refs::to(name);
        let referring =
            given.iter().filter(|(_, schema)| refs::contains(schema, &target)).map(|(name, _)| name);
        let new: Vec<&String> = referring.filter(|name| shared(name) && !differing.contains(name)).collect();
        differing.extend(new);
    }
    let mut names = BTreeMap::new();
    for name in differing {
        let free = |candidate: &String| {
            !shared(candidate) && !given.contains_key(candidate) && !names.values().any(|it| it == candidate)
        };
        let numbered = (2..).map(|number| format!("{name}{suffix}{number}"));
        let plain = (!suffix.is_empty()).then(|| format!("{name}{suffix}"));
        let new = plain.into_iter().chain(numbered).find(free);
        names.extend(new.map(|new| (name.clone(), new)));
    }
    names
}
