//! [`Planning`]: a schema becomes the parts of a [`Plan`](super::Plan).

use super::{Member, Name, Part, Single};
use crate::check::{constraints::is_nullable, tree::Borrowed};
use jsonschema::Validator;
use serde_json::{Map, Value, json};
use std::{collections::HashMap, sync::Arc};

/// Members of an object that are told apart.
const MOST: usize = 64;

/// Takes a schema apart, part by part.
pub(super) struct Planning<'a> {
    definitions: &'a Map<String, Value>,
    build: &'a dyn Fn(&Value) -> Option<Validator<Borrowed>>,
    /// What definitions have come to; `None` where they are being looked at.
    known: HashMap<&'a str, Option<Arc<Part>>>,
}

impl<'a> Planning<'a> {
    pub(super) fn new(
        definitions: &'a Map<String, Value>,
        build: &'a dyn Fn(&Value) -> Option<Validator<Borrowed>>,
    ) -> Self {
        Self { definitions, build, known: HashMap::new() }
    }

    /// What a schema comes to; `None` if nothing can be built that looks at one of its parts.
    pub(super) fn part(&mut self, schema: &Value) -> Option<Arc<Part>> {
        if let Some(target) = only(schema, &["$ref"]).and_then(|it| it.get("$ref")) {
            return self.definition(target.as_str()?, schema);
        }
        let part = match schema.get("type").and_then(Value::as_str) {
            Some("object") => self.members(only(schema, &["type", "properties", "required"])),
            Some("array") => {
                self.elements(only(schema, &["type", "items", "prefixItems", "minItems", "maxItems"]))
            }
            _ => self.nullable(only(schema, &["anyOf"])),
        };
        part.or_else(|| self.value(schema)).map(Arc::new)
    }

    fn definition(&mut self, target: &str, schema: &Value) -> Option<Arc<Part>> {
        let mut all = self.definitions.iter();
        let found = all.find(|(name, _)| crate::schema::refs::to(name) == target);
        let Some((name, definition)) = found else { return self.value(schema).map(Arc::new) };
        match self.known.get(name.as_str()) {
            Some(Some(part)) => Some(part.clone()),
            // it contains itself
            Some(None) => self.value(schema).map(Arc::new),
            None => {
                self.known.insert(name, None);
                let part = self.part(definition)?;
                self.known.insert(name, Some(part.clone()));
                Some(part)
            }
        }
    }

    fn members(&mut self, schema: Option<&Map<String, Value>>) -> Option<Part> {
        let properties = schema?.get("properties")?.as_object().filter(|it| it.len() <= MOST)?;
        let mut required = 0;
        for name in schema?.get("required").and_then(Value::as_array).into_iter().flatten() {
            required |= 1 << properties.keys().position(|it| name == it)?;
        }
        let known = properties
            .iter()
            .map(|(name, schema)| Some(Member { name: Name::new(name), part: self.part(schema)? }));
        Some(Part::Members { known: known.collect::<Option<_>>()?, required })
    }

    fn elements(&mut self, schema: Option<&Map<String, Value>>) -> Option<Part> {
        let schema = schema?;
        let bound = |key, none| schema.get(key).map_or(Some(none), |it| usize::try_from(it.as_u64()?).ok());
        let len = bound("minItems", 0)?..=bound("maxItems", usize::MAX)?;
        let first = schema.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let first = first.iter().map(|it| self.part(it)).collect::<Option<_>>()?;
        let rest = self.part(schema.get("items").unwrap_or(&json!(true)))?;
        Some(Part::Elements { first, rest, len })
    }

    fn nullable(&mut self, schema: Option<&Map<String, Value>>) -> Option<Part> {
        let choices = schema?.get("anyOf").filter(|it| is_nullable(it))?.as_array()?;
        let inner = choices.iter().find(|it| **it != json!({"type": "null"}))?;
        self.part(inner).map(Part::Nullable)
    }

    /// What is looked at whole.
    pub(super) fn value(&self, schema: &Value) -> Option<Part> {
        let mut schema = schema.clone();
        let refers = schema.to_string().contains(r#""$ref""#);
        if let Some(members) = schema.as_object_mut().filter(|_| refers) {
            members.insert("$defs".to_owned(), self.definitions.clone().into());
        }
        (self.build)(&schema).map(|whole| Part::Value(Single::new(&schema, whole).into()))
    }
}

/// What a schema says, if it says nothing besides this and what only describes.
pub(super) fn only<'s>(schema: &'s Value, keys: &[&str]) -> Option<&'s Map<String, Value>> {
    let describes = |key: &str, value: &Value| match key {
        "title" | "description" | "default" | "examples" | "deprecated" | "readOnly" | "writeOnly"
        | "format" | "$defs" | "$comment" => true,
        "additionalProperties" => *value == true,
        _ => false,
    };
    schema
        .as_object()
        .filter(|it| it.iter().all(|(key, value)| keys.contains(&key.as_str()) || describes(key, value)))
}
