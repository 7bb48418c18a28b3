//! The keywords that are known; others are refused, as the original refuses them.

/// Those that say nothing of values.
const DESCRIBING: &[&str] = &[
    "$async",
    "$comment",
    "$defs",
    "$id",
    "$schema",
    "$vocabulary",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "default",
    "definitions",
    "deprecated",
    "description",
    "else",
    "examples",
    "nullable",
    "readOnly",
    "then",
    "title",
    "type",
    "writeOnly",
];

/// Those of every value, as those of one kind, in the order in which they are applied.
const ANY: &[&str] = &["$ref", "const", "enum", "not", "anyOf", "oneOf", "allOf", "if"];
const NUMBER: &[&str] = &["maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum", "multipleOf"];
const STRING: &[&str] = &["maxLength", "minLength", "pattern", "format"];
const ARRAY: &[&str] = &["maxItems", "minItems", "additionalItems", "items", "contains", "uniqueItems"];
pub(super) const OBJECT: &[&str] = &[
    "maxProperties",
    "minProperties",
    "required",
    "propertyNames",
    "additionalProperties",
    "dependencies",
    "properties",
    "patternProperties",
];

/// Those that say something of values, in the order in which they are applied.
pub(super) fn in_order() -> impl Iterator<Item = &'static str> {
    [ANY, NUMBER, STRING, ARRAY, OBJECT].into_iter().flatten().copied()
}

pub(super) fn is_known(keyword: &str) -> bool {
    DESCRIBING.contains(&keyword) || in_order().any(|it| it == keyword)
}

/// Another keyword without which this one would be ignored.
pub(super) fn needs(keyword: &str) -> Option<&'static [&'static str]> {
    match keyword {
        "then" | "else" => Some(&["if"]),
        "if" => Some(&["then", "else"]),
        "additionalItems" => Some(&["items"]),
        "nullable" => Some(&["type"]),
        _ => None,
    }
}
