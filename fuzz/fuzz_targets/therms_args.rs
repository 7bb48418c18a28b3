//! Arguments of therms, `[schema, args]`: checked or refused, never a panic and never for long.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, value::RawValue};
use trunkline_dialects::therms::args::ArgsSchema;

/// What may be told of arguments, however long they are.
const LONGEST: usize = 9 << 10;

fuzz_target!(|text: &str| {
    let Ok((schema, args)) = serde_json::from_str::<(Box<RawValue>, Value)>(text) else { return };
    let read = schema.get().parse::<ArgsSchema>().and_then(ArgsSchema::always);
    let schema = match read {
        Ok(schema) => schema,
        Err(error) => return assert!(error.place().starts_with('#')),
    };
    for given in [None, Some(args)] {
        let mut changed = given.clone();
        if let Err(told) = schema.check(&mut changed) {
            assert!(!told.is_empty() && told.len() < LONGEST, "{told}");
        }
        if matches!(given, None | Some(Value::Null | Value::Bool(false))) {
            assert_eq!(changed, given, "what is no arguments stays that");
        }
    }
});
