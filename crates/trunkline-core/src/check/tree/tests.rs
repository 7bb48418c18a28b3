//! A tree is of the same value that serde_json reads, whatever the text.

use super::*;
use jsonschema::json::{Array as _, Node as _, cmp, unique};
use proptest::prelude::*;
use serde_json::json;

#[track_caller]
fn read(text: &str) -> Result<Value, Unread> {
    Tree::read(text, &[]).map(|tree| tree.root().value())
}

fn anything() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0..100u8).prop_map(Value::from),
    ];
    let text = prop_oneof![r#"[a-c"\\\n/é😀]{0,4}"#, r#"[ -~]{0,40}"#, ".{0,20}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number,
        text.clone().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::btree_map(text.clone(), inner, 0..20)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Values of which some are likely to be equal.
fn few() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        prop::sample::select(vec![
            json!(null),
            json!(true),
            json!(0),
            json!(-0.0),
            json!(1),
            json!(1.0),
            json!(1.5)
        ]),
        prop::sample::select(vec![
            json!("1"),
            json!("a"),
            json!(""),
            json!(u64::MAX),
            json!(1e300),
            json!(1e-300),
            json!(-1)
        ]),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::btree_map("[ab]", inner, 0..3)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn elements_are_told_apart_as_jsonschema_does(values in prop::collection::vec(few(), 0..5)) {
        let text = Value::from(values.clone()).to_string();
        let values: Vec<_> = values.into_iter().map(Cow::<Value>::Owned).collect();
        let expected = unique::is_unique(&values);
        prop_assert_eq!(Tree::read(&text, &[]).unwrap().root().is_unique(), expected, "{}", text);
    }

    #[test]
    fn it_is_what_serde_json_reads(value in anything(), other in anything()) {
        for text in [value.to_string(), format!(" {value:#}\r\n")] {
            let tree = Tree::read(&text, &[]).unwrap();
            prop_assert_eq!(tree.root().value(), value.clone());
            prop_assert!(tree.root().equals_value(&value));
            prop_assert_eq!(tree.root().equals_value(&other), cmp::equal(&value, &other));
        }
    }

    #[test]
    fn what_is_no_value_comes_to_nothing_or_anything(text in r#"[\[\]{}:,"\\0-9eE.+ atrufnlsé-]{0,40}"#) {
        let read = read(&text);
        if let Ok(value) = serde_json::from_str::<Value>(&text) {
            prop_assert!(read == Ok(value) || read == Err(Unread::Twice));
        }
    }
}

#[test]
fn a_list_is_read_as_members() {
    let named = |text| Tree::read(text, &["a", "b"]).map(|tree| tree.root().value());
    assert_eq!(named("[1,[2]]"), Ok(json!({"a": 1, "b": [2]})));
    assert_eq!(named("[1]"), Ok(json!({"a": 1})));
    assert_eq!(named(r#"{"c":3}"#), Ok(json!({"c": 3})));
    assert_eq!(named("[1,2,3]"), Err(Unread::Unfit));
}

#[test]
fn members_of_the_same_name_are_found_at_any_level_and_number() {
    for text in [r#"{"a":1,"a":2}"#, r#"[{"b":1,"a":1,"\u0061":2}]"#, r#"{"":{},"c":{"":1,"b":2,"":3}}"#] {
        assert_eq!(read(text), Err(Unread::Twice), "{text}");
    }
    let many = |last: usize| {
        let members: Vec<_> = (0..100).chain([last]).map(|at| format!(r#""{at}":0"#)).collect();
        format!("{{{}}}", members.join(","))
    };
    assert!(read(&many(100)).is_ok());
    assert_eq!(read(&many(50)), Err(Unread::Twice));
}

#[test]
fn what_cannot_be_held_is_not_read() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    for levels in [100, 127, 128, 100_000] {
        let held = serde_json::from_str::<Value>(&nested(levels)).is_ok();
        assert_eq!(read(&nested(levels)).is_ok(), held, "{levels}");
    }
    for text in ["1e999", r#""\ud800""#, "", " ", "[1", r#"{"a":"#, r#""\"#] {
        assert_eq!(read(text), Err(Unread::Unfit), "{text}");
    }
}

#[test]
fn a_part_takes_no_more_than_a_text() {
    assert_eq!(size_of::<Part<'_>>(), size_of::<String>());
}
