//! What strangers can make it do comes to an end.

use crate::therms::args::ArgsSchema;
use serde_json::{Value, json};

const TOO_MUCH: &str = "must be simpler, there is too much to check";

#[track_caller]
fn told(schema: Value, args: Value) -> Result<(), String> {
    ArgsSchema::compile(&schema).unwrap().check(&mut Some(args))
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!({}), |args, _| json!({"a": args}))
}

#[test]
fn a_reference_that_goes_round_ends() {
    let schema = json!({"type": "object", "allOf": [{"$ref": "#"}]});
    assert_eq!(told(schema, json!({"a": 1})), Err(TOO_MUCH.to_owned()));
    let schema = json!({"type": "object", "properties": {"a": {"$ref": "#", "default": {}}}});
    assert_eq!(told(schema, json!({"b": 1})), Err(TOO_MUCH.to_owned()), "defaults without end");
}

#[test]
fn alternatives_within_alternatives_end() {
    let again = json!({"allOf": [{"properties": {"a": {"$ref": "#"}}}, {"required": ["b"]}]});
    let schema = json!({"type": "object", "anyOf": [again, again, again, {"maxProperties": 0}]});
    assert_eq!(told(schema.clone(), nested(60)), Err(TOO_MUCH.to_owned()));
    assert!(told(schema, nested(2)).unwrap_err().ends_with("must match a schema in anyOf"));
}

#[test]
fn levels_are_counted() {
    let schema = json!({"type": "object", "anyOf": [{"properties": {"a": {"$ref": "#"}}}]});
    assert_eq!(told(schema.clone(), nested(127)), Ok(()), "what serde_json reads");
    assert_eq!(told(schema, nested(256)), Err("must NOT have more than 256 levels".to_owned()));
}

#[test]
fn many_items_are_compared_once() {
    let schema = json!({"type": "array", "uniqueItems": true});
    let mut items: Vec<Value> = (0..200_000_u64).map(|at| json!(u64::MAX - at)).collect();
    assert_eq!(told(schema.clone(), items.clone().into()), Ok(()));
    items.push(json!(u64::MAX));
    let pair = "must NOT have duplicate items (items ## 0 and 200000 are identical)";
    assert_eq!(told(schema, items.into()), Err(pair.to_owned()));
}

#[test]
fn a_pattern_is_searched_for_in_linear_time() {
    let schema = json!({"type": "object", "properties": {"v": {"pattern": "^(a+)+$"}}});
    let text = format!("{}!", "a".repeat(100_000));
    assert_eq!(told(schema, json!({"v": text})), Err("/vmust match pattern \"^(a+)+$\"".to_owned()));
}

#[test]
fn what_is_told_is_no_longer_than_needed() {
    let name = "é/".repeat(5_000);
    let alternatives: Vec<_> = (0..100).map(|at| json!({"additionalProperties": {"const": at}})).collect();
    let text = told(json!({"type": "object", "anyOf": alternatives}), json!({name: "x"})).unwrap_err();
    assert!(text.len() < 9 << 10 && text.starts_with("/é~1é") && text.ends_with('…'), "{}", text.len());
}
