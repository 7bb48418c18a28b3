//! [`find`]: what a derived schema says that its type does not enforce.
//!
//! Most of a derived schema only repeats the type: shapes, what is required, the
//! range of `u8`, the names of an enum. Where a keyword may be either, the type is
//! [asked](crate::args::Asked); where it does not say, the keyword counts as a
//! constraint, so that none goes unchecked.

use crate::args::{Asked, Step};
use schemars::Schema;
use serde_json::{Map, Value, json};
use std::{borrow::Cow, collections::HashSet};

/// What there was to find.
#[derive(Default)]
pub(super) struct Found {
    /// Where the first constraint stands, as a JSON pointer.
    pub(super) first: Option<String>,
    /// Names that types know and schemas do not, such as aliases, and where.
    unlisted: Vec<(String, &'static str)>,
}

impl Found {
    /// The schema with its definitions, in which what is not listed is refused: who
    /// gives a value under another name would evade what is said of it.
    pub(super) fn closed(&self, schema: &Schema, definitions: &Map<String, Value>) -> Schema {
        let mut document = schema.clone().to_value();
        document["$defs"] = definitions.clone().into();
        for (place, name) in &self.unlisted {
            if let Some(properties) = document.pointer_mut(place).and_then(Value::as_object_mut) {
                properties.insert((*name).to_owned(), json!(false));
            }
        }
        document.try_into().unwrap_or_default()
    }
}

/// Looks for constraints that the type does not enforce.
pub(super) fn find(
    schema: &Schema,
    definitions: &Map<String, Value>,
    asked: &dyn Fn(&[Step<'_>]) -> (Asked, bool),
) -> Found {
    let mut search = Search { definitions, asked, seen: HashSet::new(), found: Found::default() };
    search.look(schema.as_value(), Some(&[]), "");
    search.found
}

/// What is behind references and choices between it and `null`, if it has properties.
pub(super) fn properties<'a>(
    schema: &'a Schema,
    definitions: &'a Map<String, Value>,
) -> Option<&'a Map<String, Value>> {
    let mut schema = schema.as_value();
    // as many steps as there can be without going round
    for _ in 0..=2 * definitions.len() + 1 {
        let choices = schema.get("anyOf").and_then(Value::as_array);
        let inner = choices.and_then(|choices| choices.iter().find(|it| **it != json!({"type": "null"})));
        match inner.or_else(|| referred(schema, definitions).map(|(_, schema)| schema)) {
            Some(inner) => schema = inner,
            None => break,
        }
    }
    schema.get("properties")?.as_object()
}

fn referred<'a>(schema: &Value, definitions: &'a Map<String, Value>) -> Option<(&'a str, &'a Value)> {
    let target = schema.get("$ref")?.as_str()?;
    definitions
        .iter()
        .find(|(name, _)| crate::schema::refs::to(name) == target)
        .map(|(name, schema)| (&**name, schema))
}

struct Search<'a> {
    definitions: &'a Map<String, Value>,
    asked: &'a dyn Fn(&[Step<'_>]) -> (Asked, bool),
    /// The definitions that have been looked into: one is always of one type.
    seen: HashSet<&'a str>,
    found: Found,
}

/// The way to a part of a type; `None` where types cannot be asked.
type Path<'a> = Option<&'a [Step<'a>]>;

impl<'a> Search<'a> {
    fn look(&mut self, schema: &Value, path: Path<'_>, place: &str) {
        let Some(members) = schema.as_object() else { return };
        let asked = path.map_or(Asked::Other, |path| (self.asked)(path).0);
        if let Some((name, definition)) = referred(schema, self.definitions)
            && self.seen.insert(name)
        {
            self.look(definition, path, &format!("/$defs/{}", escaped(name)));
        }
        for (key, value) in members {
            let place = || format!("{place}/{}", escaped(key));
            match key.as_str() {
                "properties" => self.properties(value, members, asked, path, &place()),
                "items" | "additionalProperties" | "prefixItems" => self.elements(key, value, path, &place()),
                "allOf" => self.each(value, path, &place()),
                "anyOf" if is_nullable(value) => self.each(value, path, &place()),
                "oneOf" | "anyOf" if asked == Asked::Enum => self.variants(value, path, &place()),
                "oneOf" | "anyOf" => self.choices(value, &place()),
                _ => {}
            }
            if !enforced(key, value, members, asked) {
                self.found.first.get_or_insert_with(place);
            }
        }
    }

    fn properties(
        &mut self,
        properties: &Value,
        of: &Map<String, Value>,
        asked: Asked,
        path: Path<'_>,
        place: &str,
    ) {
        let Some(properties) = properties.as_object() else { return };
        if let Asked::Struct { fields, .. } = asked {
            let unlisted = fields.iter().filter(|name| !properties.contains_key(**name));
            self.found.unlisted.extend(unlisted.map(|name| (place.to_owned(), *name)));
        }
        let required = of.get("required").and_then(Value::as_array);
        for (name, schema) in properties {
            let path = path.map(|path| [path, &[Step::Member(name)]].concat());
            let place = format!("{place}/{}", escaped(name));
            let is_required = required.is_some_and(|names| names.iter().any(|it| it == name));
            // an `Option` may be left out and null, whatever the schema says
            if is_required && path.as_deref().is_some_and(|path| (self.asked)(path).1) {
                self.found.first.get_or_insert_with(|| place.clone());
            }
            self.look(schema, path.as_deref(), &place);
        }
    }

    fn elements(&mut self, key: &str, value: &Value, path: Path<'_>, place: &str) {
        let step = |step| path.map(|path| [path, &[step]].concat());
        match (key, value) {
            ("prefixItems", Value::Array(items)) => {
                for (at, item) in items.iter().enumerate() {
                    let path = step(Step::Element(at));
                    self.look(item, path.as_deref(), &format!("{place}/{at}"));
                }
            }
            // a key that is a number is a name too
            ("additionalProperties", _) => self.look(value, step(Step::Member("0")).as_deref(), place),
            _ => self.look(value, step(Step::Element(0)).as_deref(), place),
        }
    }

    fn each(&mut self, schemas: &Value, path: Path<'_>, place: &str) {
        for (at, schema) in schemas.as_array().into_iter().flatten().enumerate() {
            self.look(schema, path, &format!("{place}/{at}"));
        }
    }

    /// The variants of an enum: names, and objects of a name and what is inside.
    fn variants(&mut self, variants: &Value, path: Path<'_>, place: &str) {
        for (at, variant) in variants.as_array().into_iter().flatten().enumerate() {
            let place = format!("{place}/{at}");
            let only = variant.get("properties").and_then(Value::as_object).filter(|it| it.len() == 1);
            match only.and_then(|properties| properties.iter().next()) {
                Some((name, inside)) => {
                    let path = path.map(|path| [path, &[Step::Variant(name)]].concat());
                    self.look(inside, path.as_deref(), &format!("{place}/properties/{}", escaped(name)));
                }
                None if variant.get("type") == Some(&json!("string")) => {}
                None => self.look(variant, None, &place),
            }
        }
    }

    /// Choices of which a type tells nothing, but for the tags that tell them apart.
    fn choices(&mut self, choices: &Value, place: &str) {
        let choices: &[Value] = choices.as_array().map_or(&[], Vec::as_slice);
        let tag = tag(choices);
        for (at, choice) in choices.iter().enumerate() {
            let mut choice = Cow::Borrowed(choice);
            if let Some(tag) = &tag {
                choice.to_mut()["properties"][tag] = json!(true);
            }
            self.look(&choice, None, &format!("{place}/{at}"));
        }
    }
}

/// Whether it is a choice between something and `null`.
pub(super) fn is_nullable(choices: &Value) -> bool {
    let choices = choices.as_array().map_or(&[][..], Vec::as_slice);
    choices.len() == 2 && choices.contains(&json!({"type": "null"}))
}

/// The name of the property that all choices require, each with a text of its own.
fn tag(choices: &[Value]) -> Option<String> {
    let is_tag = |choice: &Value, name: &str| {
        let fixed = choice.get("properties").and_then(|it| it.get(name)?.get("const"));
        let required = choice.get("required").and_then(Value::as_array);
        fixed.is_some_and(Value::is_string) && required.is_some_and(|it| it.iter().any(|it| it == name))
    };
    let mut names = choices.first()?.get("properties")?.as_object()?.keys();
    names.find(|name| choices.iter().all(|choice| is_tag(choice, name))).cloned()
}

/// Whether a keyword says no more than the type does, or nothing of what is allowed.
fn enforced(key: &str, value: &Value, of: &Map<String, Value>, asked: Asked) -> bool {
    match key {
        "minimum" | "maximum" => of.get("format").and_then(|format| bound(key, format)) == value.as_f64(),
        "minLength" | "maxLength" => asked == Asked::Char && *value == 1,
        "minItems" | "maxItems" => match asked {
            // the last of which may be left out where they are optional
            Asked::Tuple(len) => {
                let len = u64::try_from(len).ok();
                value.as_u64() == len || key == "minItems" && value.as_u64() < len
            }
            // nobody writes the elements of a tuple one by one, but types
            _ => value.as_u64() == of.get("prefixItems").and_then(Value::as_array).map(|it| it.len() as u64),
        },
        "items" => *value != false || matches!(asked, Asked::Tuple(_)),
        "enum" | "const" => asked == Asked::Enum,
        "additionalProperties" => match asked {
            Asked::Struct { closed, .. } => closed || *value != false,
            // keys that are numbers
            Asked::Map => *value != false || of.get("patternProperties").is_some_and(is_of_numbers),
            _ => *value != false,
        },
        "patternProperties" => asked == Asked::Map && is_of_numbers(value),
        "uniqueItems" => *value == false,
        "exclusiveMinimum"
        | "exclusiveMaximum"
        | "multipleOf"
        | "pattern"
        | "minProperties"
        | "maxProperties"
        | "contains"
        | "minContains"
        | "maxContains"
        | "propertyNames"
        | "dependentRequired"
        | "dependentSchemas"
        | "dependencies"
        | "not"
        | "if"
        | "unevaluatedItems"
        | "unevaluatedProperties"
        | "$dynamicRef" => false,
        _ => true,
    }
}

fn is_of_numbers(patterns: &Value) -> bool {
    let mut names = patterns.as_object().into_iter().flat_map(Map::keys);
    names.all(|name| [r"^\d+$", r"^-?\d+$"].contains(&name.as_str()))
}

/// The least or most that an integer of this format can be.
#[expect(clippy::cast_precision_loss, reason = "as schemas are read")]
fn bound(key: &str, format: &Value) -> Option<f64> {
    let (least, most) = match format.as_str()? {
        "int8" => (i8::MIN.into(), i8::MAX.into()),
        "int16" => (i16::MIN.into(), i16::MAX.into()),
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "int64" | "int" => (i64::MIN as f64, i64::MAX as f64),
        "uint8" => (0.0, u8::MAX.into()),
        "uint16" => (0.0, u16::MAX.into()),
        "uint32" => (0.0, u32::MAX.into()),
        "uint64" | "uint" => (0.0, u64::MAX as f64),
        "uint128" => (0.0, u128::MAX as f64),
        _ => return None,
    };
    Some(if key == "minimum" { least } else { most })
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
