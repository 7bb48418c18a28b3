//! What must hold for any value and any text.

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::jsonrpc::{Document, Id, Message, NotJsonReason, Request, Rules, Success, read};

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Texts that are JSON, or nearly: a message with up to four bytes changed, put in or taken out.
fn nearly_json() -> impl Strategy<Value = String> {
    let seeds = prop::sample::select(vec![
        r#"{"jsonrpc":"2.0","method":"a.b","params":{"a":[1,2,{"x":null}],"b":-1.5e+3,"s":"q\"\u00e9\n"},"id":4242}"#,
        r#"{ "id" : "x" , "result" : [ [ ] , { } , true , false ] }"#,
        r#"[{"jsonrpc":"2.0","id":0.5,"error":{"code":-1,"message":"é€","data":[0]}},[],1]"#,
        r#"{"m\u0065thod":"a string of more than thirty-two plain bytes, then \\ and some","jsonrpc":"2.0"}"#,
        "-12.50e-7",
    ]);
    let alphabet =
        prop::sample::select(r#"{}[],:"\0123e-+.tfn u/é"#.chars().chain(['\n', '\u{1}']).collect::<Vec<_>>());
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..3, alphabet), 0..5);
    (seeds, edits).prop_map(|(seed, edits)| {
        let mut text: Vec<char> = seed.chars().collect();
        for (place, edit, letter) in edits {
            let at = place.index(text.len());
            match edit {
                0 => text[at] = letter,
                1 => text.insert(at, letter),
                _ if text.len() > 1 => drop(text.remove(at)),
                _ => {}
            }
        }
        text.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn params_and_results_round_trip(value in any_value(), id in any::<i64>(), method in any::<String>()) {
        let request = Request::new(id, method.as_str(), &[&value]).unwrap();
        let text = request.to_string();
        let Ok(Message::Request(read)) = Message::parse(&text) else { panic!("{text}") };
        prop_assert_eq!(&read, &request);
        prop_assert_eq!(read.params.unwrap().decode::<[Value; 1]>().unwrap(), serde_json::from_str::<[Value; 1]>(&serde_json::to_string(&[&value]).unwrap()).unwrap());

        let success = Success::new(method.as_str(), &value).unwrap();
        let text = success.to_string();
        prop_assert_eq!(Message::parse(&text), Ok(Message::Success(success.clone())));
        prop_assert_eq!(success.id.as_str().unwrap(), method.as_str());
    }

    #[test]
    fn exactly_what_is_json_is_read(text in nearly_json()) {
        judged_as_serde_json_does(&text);
    }

    #[test]
    fn any_text_is_judged_as_serde_json_judges_it(text in any::<String>()) {
        judged_as_serde_json_does(&text);
    }

    #[test]
    fn number_ids_are_equal_by_value(number in any::<u64>(), zeros in 0_usize..5, shift in 0_usize..4) {
        let plain = Id::from(number);
        let spelled = format!("{number}{}.{}e-{shift}", "0".repeat(shift), "0".repeat(zeros + 1));
        let spelled = Id::from_raw(&spelled).unwrap();
        prop_assert_eq!(&spelled, &plain);
        prop_assert_eq!(spelled.as_u64(), Some(number));
        prop_assert_ne!(&Id::from(number ^ 1), &spelled);
    }
}

/// Reads `text`, with all its messages, and compares the verdict. serde_json has
/// no limit to nesting when it skips.
#[track_caller]
fn judged_as_serde_json_does(text: &str) {
    let theirs = serde_json::from_str::<IgnoredAny>(text);
    match read(text, &Rules::default()) {
        Ok(Document::Batch(batch)) => {
            assert!(theirs.is_ok(), "{text:?}");
            let len = batch.len();
            assert_eq!(batch.count(), len, "{text:?}");
        }
        Ok(_) => assert!(theirs.is_ok(), "{text:?}: {theirs:?}"),
        Err(problem) if matches!(problem.reason, NotJsonReason::TooDeep { .. }) => {}
        Err(problem) => assert!(theirs.is_err(), "{text:?}: {problem}"),
    }
}
