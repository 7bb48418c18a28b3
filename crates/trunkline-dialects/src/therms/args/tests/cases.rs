//! `args-validation.json`: what the original makes of arguments.

use crate::therms::args::ArgsSchema;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    group: String,
    /// As it was written: the order of its members matters.
    schema: Box<RawValue>,
    #[serde(default)]
    args: Value,
    #[serde(default)]
    args_absent: bool,
    valid: bool,
    #[serde(default)]
    args_seen_by_handler: Value,
    message: Option<String>,
}

#[test]
fn every_recorded_case_comes_out_as_it_did() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/therms/args-validation.json");
    let file: File = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut failed = Vec::new();
    for case in &file.cases {
        let schema: ArgsSchema = case.schema.get().parse().unwrap();
        let given = (!case.args_absent).then(|| case.args.clone());
        let mut seen = given.clone();
        let (told, expected) = match schema.check(&mut seen) {
            Ok(()) => {
                (seen, Ok(if case.args_absent { None } else { Some(case.args_seen_by_handler.clone()) }))
            }
            Err(text) => (Some(format!("\"args\" validation failed: {text}").into()), Err(&case.message)),
        };
        let is_right = match expected {
            Ok(expected) => case.valid && told == expected,
            Err(expected) => !case.valid && told == expected.clone().map(Value::String),
        };
        if !is_right {
            failed.push(format!("{}: {} with {given:?} gave {told:?}", case.group, case.schema));
        }
    }
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
    assert_eq!(file.cases.len(), 165);
}
