//! Any schema, any arguments.

use crate::therms::{args::ArgsSchema, spelled};
use proptest::{collection, prelude::*, sample::select};
use serde_json::{Map, Value, json};

fn scalar() -> impl Strategy<Value = Value> {
    let texts = select(vec!["", "a", "true", "1", " 2.5 ", "-0", "1e400", "s_x", "é😀"]);
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-3..4).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        texts.prop_map(Value::from),
    ]
}

fn name() -> impl Strategy<Value = String> {
    select(vec!["a", "b", "s_x", "a/b~"]).prop_map(str::to_owned)
}

fn args() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            collection::btree_map(name(), inner, 0..4).prop_map(|it| Value::Object(Map::from_iter(it))),
        ]
    })
}

fn types() -> impl Strategy<Value = Value> {
    select(vec!["string", "number", "integer", "boolean", "null", "array", "object"]).prop_map(Value::from)
}

/// Schemas that only change and bound; with what may try and give up, if that is wanted.
fn schema(with_alternatives: bool) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        types().prop_map(|it| json!({"type": it})),
        (types(), scalar()).prop_map(|(it, default)| json!({"type": it, "default": default})),
        scalar().prop_map(|it| json!({"type": "number", "minimum": 0, "multipleOf": 0.5, "default": it})),
        Just(json!({"type": "string", "minLength": 1, "pattern": "^[a-z ]*$"})),
        Just(json!(true)),
    ];
    leaf.prop_recursive(3, 16, 3, move |inner| {
        let plain = prop_oneof![
            inner.clone().prop_map(|it| json!({"type": "array", "items": it, "maxItems": 3})),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| json!({"items": [a, b], "additionalItems": false})),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| json!({
                "type": "object", "properties": {"b": b, "a": a}, "additionalProperties": false, "required": ["a"]
            })),
            inner.clone().prop_map(|it| json!({"patternProperties": {"^s_": it}, "propertyNames": {"maxLength": 3}})),
        ];
        if !with_alternatives {
            return plain.boxed();
        }
        let rest = prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| json!({"anyOf": [a, b]})),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| json!({"oneOf": [a, b]})),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| json!({"allOf": [a, b, {"$ref": "#"}]})),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| json!({"if": a, "then": b, "else": {"uniqueItems": true}})),
            inner.prop_map(|it| json!({"not": it, "contains": {"const": 1}})),
        ];
        prop_oneof![plain, rest].boxed()
    })
}

/// The same but for its numbers, which are not read to their last digit by all.
fn without_digits(value: Value) -> Value {
    match value {
        Value::Number(_) => "a number".into(),
        Value::Array(items) => items.into_iter().map(without_digits).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name, without_digits(value))).collect()
        }
        other => other,
    }
}

proptest! {
    #[test]
    fn nothing_panics_and_falsy_arguments_stay(schema in schema(true), args in args()) {
        if let Ok(schema) = ArgsSchema::compile(&json!({"type": ["object", "array"], "allOf": [schema]})) {
            let mut changed = Some(args.clone());
            let outcome = schema.check(&mut changed);
            prop_assert!(outcome.is_ok() || outcome.is_err_and(|text| text.contains("must") || text.contains("false")));
            if crate::therms::args::is_falsy(&args) {
                prop_assert_eq!(&changed, &Some(args.clone()));
            }
            let (text, changed) = (args.to_string(), changed.unwrap());
            let read = |text: &str| serde_json::from_str(text).ok().map(without_digits);
            prop_assert_eq!(read(&spelled::again(&text, &changed)), read(&changed.to_string()));
        }
    }

    /// Without alternatives: those look at what others have changed.
    #[test]
    fn what_passed_passes_again_unchanged(schema in schema(false), args in args()) {
        let schema = ArgsSchema::compile(&json!({"type": "object", "properties": {"a": schema}})).unwrap();
        let mut once = Some(json!({"a": args}));
        if schema.check(&mut once).is_ok() {
            let mut twice = once.clone();
            prop_assert_eq!(schema.check(&mut twice), Ok(()));
            prop_assert_eq!(twice, once);
        }
    }

    /// Members are in the same order there, as a `Value` sorts them.
    #[test]
    fn the_text_of_a_schema_says_what_its_value_says(schema in schema(true), args in args()) {
        let schema = json!({"type": "object", "properties": {"a": schema}});
        let (value, text) = (ArgsSchema::compile(&schema), schema.to_string().parse::<ArgsSchema>());
        prop_assert_eq!(value.as_ref().err(), text.as_ref().err());
        if let (Ok(value), Ok(text)) = (value, text) {
            let (mut one, mut other) = (Some(json!({"a": args})), Some(json!({"a": args})));
            prop_assert_eq!(value.check(&mut one), text.check(&mut other));
            prop_assert_eq!(one, other);
        }
    }
}
