//! A plan allows only what its schema does, and all that is plain.

use super::{super::tree::Tree, *};
use proptest::prelude::*;

fn build(schema: &Value) -> Option<Validator<Borrowed>> {
    jsonschema::options_for::<Borrowed>().build(schema).ok()
}

#[track_caller]
fn plan(schema: &Value, names: &[&'static str]) -> Plan {
    Plan::new(schema, names, &build).unwrap()
}

/// What is said of an order, some of it with what contains itself.
fn schema() -> Value {
    json!({
        "title": "Order",
        "type": "object",
        "properties": {
            "a": {"type": "string", "minLength": 1, "maxLength": 3},
            "beyond eight": {"type": "array", "items": {"$ref": "#/$defs/line"}, "minItems": 1, "maxItems": 2},
            "c": {"anyOf": [{"$ref": "#/$defs/line"}, {"type": "null"}]},
            "\"\u{e9}\"": {"prefixItems": [{"minimum": 2}], "items": false, "type": "array"},
            "d": {"oneOf": [{"$ref": "#/$defs/tree"}, {"type": "integer"}]},
        },
        "required": ["a", "c"],
        "$defs": {
            "line": {"type": "object", "properties": {"a": {"minimum": 1}, "c": {"maximum": 2}}},
            "tree": {"type": "object", "properties": {"c": {"$ref": "#/$defs/tree"}, "a": {"const": 1}}},
        },
    })
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        (0..4u8).prop_map(Value::from),
        (-1.0..3.0).prop_map(|it: f64| json!(it)),
        "[aé\"]{0,4}".prop_map(Value::from),
    ];
    let name = prop_oneof![Just("a"), Just("beyond eight"), Just("c"), Just("\"é\""), Just("d"), Just("e")];
    leaf.prop_recursive(4, 30, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(name.clone(), inner, 0..5)
                .prop_map(|members| members.into_iter().map(|(name, it)| (name.to_owned(), it)).collect()),
        ]
    })
}

/// What the schema allows, with one place in it that may be anything.
fn fitting() -> impl Strategy<Value = Value> {
    let line = (0..4u8, 0..4u8).prop_map(|(a, c)| json!({"a": a, "c": c}));
    let places = ["/a", "/c", "/d", "/beyond eight", "/beyond eight/0", "/beyond eight/0/a", "/\"é\"/0"];
    (line.clone(), line, anything(), prop::sample::select(places.to_vec())).prop_map(
        |(line, other, thing, place)| {
            let mut value = json!({"a": "é\"", "beyond eight": [line], "c": null, "d": other, "\"é\"": [2]});
            *value.pointer_mut(place).unwrap() = thing;
            value
        },
    )
}

proptest! {
    #[test]
    fn it_allows_what_its_schema_does(value in prop_oneof![anything(), fitting()]) {
        let (plan, whole) = (plan(&schema(), &[]), build(&schema()).unwrap());
        let plain = value.to_string();
        for text in [plain.clone(), format!("\t{value:#}\n"), plain.replace('a', r"\u0061")] {
            let tree = Tree::read(&text, &[]).unwrap();
            prop_assert_eq!(plan.allows(&text), whole.is_valid(tree.root()), "{}", text);
        }
    }

    #[test]
    fn it_allows_no_more_of_a_list(list in prop::collection::vec(anything(), 0..5)) {
        let names = ["a", "e", "c", "d"];
        let (plan, whole) = (plan(&schema(), &names), build(&schema()).unwrap());
        let text = Value::from(list).to_string();
        let allowed = Tree::read(&text, &names).is_ok_and(|tree| whole.is_valid(tree.root()));
        prop_assert_eq!(plan.allows(&text), allowed);
    }
}

/// A bound of a number, or of how long a text is, of which some are not simple.
fn bounds() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-2..6_i64).prop_map(Value::from),
        Just(json!(2.0)),
        Just(json!(1.5)),
        Just(json!(u64::MAX)),
        Just(Value::Null)
    ]
}

fn single() -> impl Strategy<Value = String> {
    prop_oneof![
        "[aé🦀]{0,6}".prop_map(|it| json!(it).to_string()),
        r#""([a🦀]|\\n|\\u00e9|\\ud83e\\udd80){0,4}""#,
        (-3..7_i64).prop_map(|it| it.to_string()),
        "[1-9][0-9]{0,22}|[0-5][.][05]|[1-5]e[01]|-0|true|null|\\[\\]",
    ]
}

proptest! {
    #[test]
    fn values_on_their_own_are_seen_through_as_jsonschema_does(
        kind in prop::sample::select(vec!["string", "integer", "number"]),
        least in bounds(),
        most in bounds(),
        value in single(),
    ) {
        let keys = if kind == "string" { ["minLength", "maxLength"] } else { ["minimum", "maximum"] };
        let mut item = json!({"type": kind, "format": "whatever"});
        for (key, bound) in keys.into_iter().zip([least, most]).filter(|(_, it)| !it.is_null()) {
            item[key] = bound;
        }
        let schema = json!({"type": "array", "items": item});
        let Some(whole) = build(&schema) else { return Ok(()) };
        for text in [format!("[{value}]"), format!("[ {value} ,{value}]")] {
            let allowed = Tree::read(&text, &[]).is_ok_and(|tree| whole.is_valid(tree.root()));
            prop_assert_eq!(plan(&schema, &[]).allows(&text), allowed, "{} {}", text, schema);
        }
    }
}

/// A list of arguments that have names is an object to its schema, whatever that looks like.
#[test]
fn a_list_is_never_taken_for_what_it_is_not() {
    let member = json!({"properties": {"a": {"minimum": 1}}, "required": ["a"]});
    for schema in [
        json!({"anyOf": [{"type": "null"}, member]}),
        json!({"anyOf": [{"type": "null"}, {"type": "object", "properties": {"a": {"minimum": 1}}}]}),
        json!({"$ref": "#/$defs/it", "$defs": {"it": {"type": "array", "items": {"minimum": 0}}}}),
        json!({"$ref": "#/$defs/it", "$defs": {"it": {"type": "object", "properties": {"a": {"minimum": 1}}}}}),
    ] {
        let plan = Plan::new(&schema, &["a"], &build).unwrap();
        let whole = build(&schema).unwrap();
        let tree = Tree::read("[0]", &["a"]).unwrap();
        assert!(!whole.is_valid(tree.root()) && !plan.allows("[0]"), "{schema}");
    }
}

#[test]
fn of_members_with_the_same_name_all_are_looked_at() {
    let plan = plan(&schema(), &[]);
    assert!(plan.allows(r#"{"a":"x","c":null,"a":"y"}"#));
    for text in
        [r#"{"a":"","c":null,"a":"y"}"#, r#"{"a":"x","a":"y"}"#, r#"{"a":"x","c":null,"e":{"f":1,"f":2}}"#]
    {
        assert!(!plan.allows(text), "{text}");
    }
}

#[test]
fn there_is_none_where_parts_would_mean_something_else() {
    let with = |key: &str, value: Value| {
        let mut schema = schema();
        schema[key] = value;
        Plan::new(&schema, &[], &build)
    };
    assert!(with("$schema", json!("https://json-schema.org/draft/2020-12/schema")).is_some());
    assert!(with("$schema", json!("http://json-schema.org/draft-07/schema#")).is_none());
    assert!(with("$id", json!("https://localhost/order")).is_none());
    assert!(with("properties", json!({"a": {"$ref": "#"}})).is_none());
    assert!(with("minProperties", json!(1)).is_none(), "it is looked at whole");
}

#[test]
fn what_cannot_be_held_is_not_allowed() {
    let plan = plan(&json!({"type": "object", "properties": {"a": {"maximum": 1}}}), &[]);
    for value in ["0", "{}", "[[]]", "-1.5e3", r#""\u00e9""#, "{ \"b\" :1 } "] {
        assert!(plan.allows(&format!(r#"{{"b":{value},"a" : {value}}}"#)), "{value}");
    }
    let nested = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for value in ["1e999", r#""\ud800""#, r#"{"b":1,"b":2}"#, "", "[", "\"", &nested] {
        assert!(!plan.allows(&format!(r#"{{"b":{value}}}"#)), "{value}");
    }
}
