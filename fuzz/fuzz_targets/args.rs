//! Arguments: decoded or refused, never a panic; and what serde takes as it stands
//! is taken as it stands.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::{Deserialize, de::DeserializeOwned};
use std::{collections::BTreeMap, fmt::Debug};
use trunkline_core::{FaultKind, Payload, args};

/// By name or by position.
#[derive(Debug, Deserialize, PartialEq)]
struct Join {
    room: String,
    guests: Vec<Guest>,
    #[serde(default)]
    at: Option<f64>,
}

/// One of several.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Guest {
    Anonymous,
    Named(String),
    Known { id: u64 },
}

/// What a fault may say of arguments that do not fit, however long they are.
const LONGEST: usize = 2_000;

fuzz_target!(|text: &str| {
    check::<()>(text);
    check::<bool>(text);
    check::<u8>(text);
    check::<i64>(text);
    check::<i128>(text);
    check::<f64>(text);
    check::<char>(text);
    check::<String>(text);
    check::<Option<String>>(text);
    check::<(i64, i64)>(text);
    check::<(String,)>(text);
    check::<[u8; 2]>(text);
    check::<Vec<Option<u16>>>(text);
    check::<BTreeMap<String, i32>>(text);
    check::<BTreeMap<u8, Guest>>(text);
    check::<Guest>(text);
    check::<Join>(text);
    check::<serde_json::Value>(text);
});

fn check<A: DeserializeOwned + Debug + PartialEq>(text: &str) {
    let as_it_stands = serde_json::from_str::<A>(text).ok();
    match (args::decode::<A>(Some(Payload::Json(text))), as_it_stands) {
        (Ok(args), Some(expected)) => assert_eq!(args, expected),
        // a list of one, or an empty one
        (Ok(_), None) => assert!(text.trim_ascii().starts_with(['[', '{']), "{text}"),
        (Err(fault), None) => {
            assert_eq!(fault.kind(), FaultKind::InvalidArgs);
            let data = fault.raw_data().unwrap_or_default();
            assert!(!data.is_empty() && data.len() < LONGEST, "{data}");
        }
        (Err(fault), Some(_)) => panic!("{text} fits, but {fault}"),
    }
}
