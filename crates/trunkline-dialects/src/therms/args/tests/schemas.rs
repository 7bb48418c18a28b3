//! What a schema may be, and what is said of one that may not.

use crate::therms::args::{ArgsSchema, BadSchema};
use serde_json::{Value, json};

/// What is told of arguments, or what became of them.
#[track_caller]
fn checked(schema: Value, args: Value) -> Result<Value, String> {
    let schema = ArgsSchema::compile(&schema).unwrap();
    let mut args = Some(args);
    schema.check(&mut args).map(|()| args.unwrap())
}

#[track_caller]
fn refused(schema: Value, args: Value, expected: &str) {
    assert_eq!(checked(schema, args), Err(expected.to_owned()));
}

#[track_caller]
fn is_bad(schema: Value, expected: &str) {
    let error = ArgsSchema::compile(&schema).unwrap_err();
    let expected = format!("the schema of the arguments cannot be used, at {expected}");
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[test]
fn a_schema_that_is_none_is_an_error() {
    let with = |part: Value| json!({"type": "object", "properties": {"a": part}});
    is_bad(json!({"type": "strin"}), "`#/type`: ");
    is_bad(with(json!({"minLength": -1})), "`#/properties/a/minLength`: ");
    is_bad(with(json!({"maxLenght": 1})), "`#/properties/a`: the keyword `maxLenght` is not known");
    is_bad(with(json!({"format": "shoe-size"})), "`#/properties/a/format`: no such format is known");
    is_bad(with(json!({"pattern": "(?=a)b"})), "`#/properties/a/pattern`: `(?=a)b` is no pattern");
    is_bad(with(json!({"pattern": "("})), "`#/properties/a/pattern`: ");
    is_bad(with(json!({"patternProperties": {"(?!a)": {}}})), "`#/properties/a/patternProperties`: ");
    is_bad(with(json!({"if": {}})), "`#/properties/a`: `if` means nothing without `then` or `else`");
    is_bad(with(json!({"else": {}})), "`#/properties/a`: `else` means nothing without `if`");
    is_bad(with(json!({"nullable": true})), "`#/properties/a`: `nullable` means nothing without `type`");
    is_bad(with(json!({"items": {}, "additionalItems": false})), "`#/properties/a/additionalItems`: ");
    is_bad(with(json!({"$ref": "#/definitions/no"})), "`#/properties/a/$ref`: `#/definitions/no` is not");
    is_bad(with(json!({"$ref": "https://example.com/x"})), "`#/properties/a/$ref`: ");
    is_bad(with(json!({"$id": "x"})), "`#/properties/a`: an `$id` is for the whole schema");
    is_bad(
        with(json!({"oneOf": [{"properties": {"b": {"default": 1}}}]})),
        "`#/properties/a/oneOf/0/properties`: ",
    );
    is_bad(
        json!({"type": "object", "$schema": "https://json-schema.org/draft/2020-12/schema"}),
        "`#/$schema`: ",
    );
    is_bad(
        json!({"type": "object", "definitions": {"a": {"$ref": "#/properties"}}, "properties": {"b": {"$ref": "#/type"}}}),
        "`#/type`: ",
    );
    let deep = |levels| (1..levels).fold(json!({}), |schema, _| json!({"type": "array", "items": schema}));
    assert!(ArgsSchema::compile(&deep(127)).is_ok());
    is_bad(deep(129), "`#`: it has more than 128 levels");
    assert_eq!("{".parse::<ArgsSchema>().unwrap_err().place(), "#");
}

#[test]
fn a_schema_without_a_type_at_its_top_is_applied_where_that_is_asked_for() {
    for schema in [json!({"required": ["a"]}), json!({"type": null, "required": ["a"]})] {
        let is_schema = schema.get("type").is_none();
        let schema = ArgsSchema::compile(&schema).unwrap();
        assert!(!schema.is_applied());
        assert_eq!(schema.check(&mut Some(json!({"b": 1}))), Ok(()));
        match schema.always() {
            Ok(schema) => {
                assert!(is_schema && schema.is_applied());
                let told = schema.check(&mut Some(json!({"b": 1})));
                assert_eq!(told, Err("must have required property 'a'".to_owned()));
            }
            Err(error) => assert_eq!((is_schema, error.place()), (false, "#/type")),
        }
    }
}

#[test]
fn references_lead_into_the_schema() -> Result<(), BadSchema> {
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "https://example.com/tree",
        "type": "object",
        "properties": {"a": {"$ref": "#/definitions/a~1b%20c"}, "b": {"$ref": "https://example.com/tree#/definitions/n"}, "c": {"$ref": "#"}},
        "definitions": {"a/b c": {"type": "integer"}, "n": {"$ref": "#/properties/a"}},
    });
    assert_eq!(
        checked(schema.clone(), json!({"c": {"c": {"a": "1", "b": "2"}}})),
        Ok(json!({"c": {"c": {"a": 1, "b": 2}}})),
    );
    refused(schema, json!({"c": {"c": {"b": "x"}}}), "/c/c/bmust be integer");
    Ok(())
}

#[test]
fn formats_are_checked() {
    let schema = json!({"type": "object", "properties": {"at": {"type": "string", "format": "date"}, "n": {"format": "email"}}});
    assert_eq!(
        checked(schema.clone(), json!({"at": "2024-02-29", "n": 5})),
        Ok(json!({"at": "2024-02-29", "n": 5}))
    );
    refused(schema, json!({"at": "2023-02-29"}), "/atmust match format \"date\"");
}

/// What the recorded cases do not show, as the validator of the original has it (Ajv 8).
#[test]
fn what_is_told_is_what_the_original_tells() {
    let v = |schema: Value| json!({"type": "object", "properties": {"v": schema}});
    let three = json!({"oneOf": [{"type": "boolean"}, {"type": "number", "minimum": 5}, {"type": "number", "maximum": 6}, {"type": "null"}]});
    refused(v(three), json!({"v": 5.5}), "/vmust be boolean, /vmust match exactly one schema in oneOf");
    let typed = json!({"anyOf": [{"type": "number", "enum": [1]}, {"type": "boolean", "minimum": 3}]});
    let told = "/vmust be number, /vmust be equal to one of the allowed values, /vmust be boolean, /vmust match a schema in anyOf";
    refused(v(typed), json!({"v": "x"}), told);
    let conditional = json!({"anyOf": [{"contains": {"const": 1}, "type": "array"}, {"if": {"minLength": 3}, "then": {"type": "boolean"}, "else": {"type": "number"}}]});
    let told = "/v/0must be equal to constant, /vmust contain at least 1 valid item(s), /vmust be boolean, \
                /vmust match \"then\" schema, /vmust match a schema in anyOf";
    refused(v(conditional), json!({"v": [2]}), told);
    refused(
        v(json!({"type": "array", "uniqueItems": true, "items": {"type": "integer"}})),
        json!({"v": [1, 1, 2, "2"]}),
        "/vmust NOT have duplicate items (items ## 3 and 2 are identical)",
    );
    refused(
        json!({"type": "object", "dependencies": {"a": ["b", "c"]}}),
        json!({"a": 1, "b": 1}),
        "must have properties b, c when property a is present",
    );
    refused(
        json!({"type": "object", "dependencies": {"a": {"required": ["b"]}}}),
        json!({"a": 1}),
        "must have required property 'b'",
    );
    refused(v(json!(false)), json!({"v": 1}), "/vboolean schema is false");
    refused(
        v(json!({"type": "object", "enum": [{}], "properties": {}})),
        json!({"v": 1}),
        "/vmust be equal to one of the allowed values",
    );
    refused(
        v(json!({"type": ["string", "boolean"], "nullable": true})),
        json!({"v": {}}),
        "/vmust be string,boolean,null",
    );
    refused(v(json!({"type": "string", "nullable": true})), json!({"v": {}}), "/vmust be string");
    refused(v(json!({"type": "number", "minimum": 1e21})), json!({"v": 1}), "/vmust be >= 1e+21");
    assert_eq!(
        checked(v(json!({"anyOf": [{"type": "number"}, {}]})), json!({"v": "1"})),
        Ok(json!({"v": "1"}))
    );
    let tuple = json!({"items": [{"type": "number", "default": 3}, {"default": 5}]});
    assert_eq!(checked(v(tuple), json!({"v": ["1"]})), Ok(json!({"v": [1, 5]})));
    let order = json!({"type": "object", "properties": {"a": {}}, "additionalProperties": false, "dependencies": {"z": ["y"]}});
    assert_eq!(
        checked(order, json!({"a": 1, "z": 1})),
        Ok(json!({"a": 1})),
        "first removed, then looked for"
    );
}

#[test]
fn what_a_handler_gets_is_what_the_schema_wants() {
    assert_eq!(checked(json!({"type": "array", "items": {"type": "integer"}}), json!("5")), Ok(json!([5])));
    assert_eq!(checked(json!({"type": "integer"}), json!([3.0])).unwrap().to_string(), "3");
    let big = json!({"type": "object", "properties": {"id": {"type": "integer"}}});
    assert_eq!(checked(big, json!({"id": "9007199254740993"})), Ok(json!({"id": 9_007_199_254_740_993_u64})));
    refused(
        json!({"type": "object", "properties": {"n": {"type": "number"}}}),
        json!({"n": "Infinity"}),
        "/nmust be number",
    );
}
