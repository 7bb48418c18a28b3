//! What a reader may relax, and the finer points of what it refuses.

use std::borrow::Cow;

use crate::jsonrpc::{Document, Id, Invalid, InvalidReason, Item, Message, NullId, Rules, read};

#[track_caller]
fn one<'a>(text: &'a str, rules: &Rules) -> Item<'a> {
    match read(text, rules) {
        Ok(Document::One(item)) => item,
        other => panic!("{text}: {other:?}"),
    }
}

#[track_caller]
fn refused(text: &str) -> Invalid<'_> {
    one(text, &Rules::default()).expect_err(text)
}

fn rules(change: impl FnOnce(&mut Rules)) -> Rules {
    let mut rules = Rules::default();
    change(&mut rules);
    rules
}

#[test]
fn any_version_takes_any_or_none() {
    let any = rules(|rules| rules.any_version = true);
    for text in
        [r#"{"id":1,"method":"a"}"#, r#"{"jsonrpc":1,"id":1,"method":"a"}"#, r#"{"id":1,"result":[]}"#]
    {
        assert!(one(text, &any).is_ok(), "{text}");
        assert_eq!(refused(text).reason, InvalidReason::Version, "{text}");
    }
}

#[test]
fn null_params_are_none_or_refused() {
    let text = r#"{"jsonrpc":"2.0","id":1,"method":"a","params":null}"#;
    let Ok(Message::Request(request)) = one(text, &Rules::default()) else { panic!("not a request") };
    assert_eq!(request.params, None);
    let invalid = one(text, &rules(|rules| rules.reject_null_params = true)).unwrap_err();
    assert_eq!(invalid.reason, InvalidReason::NullParams);
    assert_eq!(invalid.id.unwrap().as_raw(), "1");
}

#[test]
fn scalar_params_become_one_element() {
    let wrap = rules(|rules| rules.wrap_scalar_params = true);
    for (scalar, wrapped) in
        [("4", "[4]"), ("\"x\"", "[\"x\"]"), ("true", "[true]"), ("false", "[false]"), ("[4]", "[4]")]
    {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"a","params":{scalar}}}"#);
        let Ok(Message::Request(request)) = one(&text, &wrap) else { panic!("{text}") };
        assert_eq!(request.params.unwrap().as_raw(), wrapped);
    }
    let null = r#"{"jsonrpc":"2.0","method":"a","params":null}"#;
    let Ok(Message::Notification(notification)) = one(null, &wrap) else { panic!("{null}") };
    assert_eq!(notification.params, None);
}

#[test]
fn null_id_is_what_the_rules_say() {
    let text = r#"{"jsonrpc":"2.0","id":null,"method":"a"}"#;
    let read_as = |null_id| one(text, &rules(|rules| rules.null_id = null_id));
    assert!(matches!(read_as(NullId::Request), Ok(Message::Request(request)) if request.id.is_null()));
    assert!(matches!(read_as(NullId::Notification), Ok(Message::Notification(_))));
    let invalid = read_as(NullId::Reject).unwrap_err();
    assert_eq!((invalid.reason, invalid.id, invalid.had_id), (InvalidReason::NullId, None, true));
}

#[test]
fn the_id_of_a_request_has_a_longest_spelling() {
    let rules = Rules::default();
    let request = |id: &str, more: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"a"{more}}}"#);
    let number = |len: usize| "7".repeat(len);
    let string = |len: usize| format!("\"{}\"", "x".repeat(len - 2));
    let escaped = |count: usize| format!("\"{}\"", "\\u0061".repeat(count));
    let most = (Id::LONGEST - 2) / 6;
    for id in [number(Id::LONGEST), string(Id::LONGEST), escaped(most)] {
        let text = request(&id, "");
        assert!(matches!(one(&text, &rules), Ok(Message::Request(request)) if request.id.as_raw() == id));
    }
    for id in [number(Id::LONGEST + 1), string(Id::LONGEST + 1), escaped(most + 1)] {
        let text = request(&id, "");
        let invalid = one(&text, &rules).unwrap_err();
        assert_eq!((invalid.reason, invalid.id, invalid.had_id), (InvalidReason::IdLength, None, true));
        let text = request(&id, r#","params":1"#);
        assert_eq!(one(&text, &rules).unwrap_err().id, None, "not echoed, whatever else is wrong");
        let text = format!(r#"{{"id":{id},"method":"a"}}"#);
        assert_eq!(one(&text, &rules).unwrap_err().id, None);
        let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":1}}"#);
        assert!(matches!(one(&text, &rules), Ok(Message::Success(success)) if success.id.is_too_long()));
    }
}

#[test]
fn batches_are_counted_before_anything_is_read() {
    let two = rules(|rules| rules.max_batch = 2);
    assert!(matches!(read("[1,2]", &two), Ok(Document::Batch(batch)) if batch.len() == 2));
    assert!(matches!(read("[1,2,3]", &two), Ok(Document::TooLarge { limit: 2, len: 3 })));
    assert!(read("[1,2,3", &two).is_err(), "not JSON comes first");
    assert_eq!(one("[]", &two).unwrap_err().reason, InvalidReason::EmptyBatch);
    assert_eq!(one("[ ]", &two).unwrap_err().reason, InvalidReason::EmptyBatch);
}

#[test]
fn a_batch_can_be_put_away_and_begun_anew() {
    let text = " [ {\"jsonrpc\":\"2.0\",\"method\":\"a\"} , [] , {\"jsonrpc\":\"2.0\",\"method\":\"b\"} ] ";
    let Ok(Document::Batch(mut batch)) = read(text, &Rules::default()) else { panic!("not a batch") };
    let again = batch.clone();
    assert!(matches!(batch.next(), Some(Ok(Message::Notification(n))) if n.method == "a"));
    assert_eq!((batch.len(), again.len()), (2, 3));
    assert!(matches!(batch.next(), Some(Err(invalid)) if invalid.reason == InvalidReason::NotAnObject));
    assert!(matches!(batch.next(), Some(Ok(Message::Notification(n))) if n.method == "b"));
    assert!(batch.next().is_none() && batch.next().is_none());
    assert_eq!(again.count(), 3);
}

#[test]
fn escapes_in_names_and_values_are_resolved() {
    let text = r#"{"json\u0072pc":"2\u002e0","\u0069d":"\u0031","meth\u006fd":"\u0061\ud83d\ude00","param\u0073":[]}"#;
    let Ok(Message::Request(request)) = one(text, &Rules::default()) else { panic!("not a request") };
    assert_eq!((&*request.method, request.id.as_raw()), ("a\u{1f600}", r#""\u0031""#));
    assert_eq!(request.id.as_str().unwrap(), "1");
    assert!(request.params.is_some());
}

#[test]
fn ordinary_messages_are_not_copied() {
    let text = r#"{"jsonrpc":"2.0","id":"a\n","method":"a","params":{"b":["\n"]}}"#;
    let Ok(Message::Request(request)) = one(text, &Rules::default()) else { panic!("not a request") };
    assert!(matches!(request.method, Cow::Borrowed("a")));
    assert!(matches!(request.params.unwrap().into_raw(), Cow::Borrowed(r#"{"b":["\n"]}"#)));
    let text = r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"m","data":[1]}}"#;
    let Ok(Message::Failure(failure)) = one(text, &Rules::default()) else { panic!("not a failure") };
    assert!(matches!(failure.error.message, Cow::Borrowed("m")));
    assert!(matches!(failure.error.data.unwrap().into_raw(), Cow::Borrowed("[1]")));
}

#[test]
fn a_lone_surrogate_is_no_method() {
    let invalid = refused(r#"{"jsonrpc":"2.0","id":1,"method":"\ud800"}"#);
    assert_eq!((invalid.reason, invalid.id.unwrap().as_raw()), (InvalidReason::MethodText, "1"));
    let invalid = refused(r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"\ud800"}}"#);
    assert_eq!(invalid.reason, InvalidReason::ErrorShape);
}

#[test]
fn each_of_the_six_may_stand_only_once() {
    let members = [
        ("jsonrpc", r#""2.0""#),
        ("id", "1"),
        ("method", r#""a""#),
        ("params", "[]"),
        ("result", "1"),
        ("error", "null"),
    ];
    for (name, value) in members {
        let all: String = members.map(|(name, value)| format!(r#""{name}":{value},"#)).concat();
        for again in [
            format!(r#""{name}":{value}"#),
            format!(r#""\u{:04x}{}":{value}"#, name.as_bytes()[0], &name[1..]),
        ] {
            let text = format!("{{{all}{again}}}");
            let invalid = refused(&text);
            assert_eq!((invalid.reason, invalid.id), (InvalidReason::Repeated(name), None), "{text}");
            assert!(!invalid.looks_like_response);
        }
    }
}

#[test]
fn a_malformed_response_names_the_call_it_would_have_answered() {
    let texts = [
        r#"{"jsonrpc":"2.0","id":7,"result":1,"result":2}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":1,"error":{"code":1,"message":"m"}}"#,
        r#"{"jsonrpc":"2.0","id":7,"error":"m"}"#,
        r#"{"jsonrpc":"2.0","id":7,"error":{"code":1,"code":1,"message":"m"}}"#,
        r#"{"id":7,"result":1}"#,
    ];
    for text in texts {
        let invalid = refused(text);
        assert!(invalid.looks_like_response && invalid.had_id, "{text}");
        assert_eq!(invalid.answers.unwrap().as_u64(), Some(7), "{text}");
    }
    for text in [
        r#"{"jsonrpc":"2.0","id":7,"id":7,"result":1}"#,
        r#"{"jsonrpc":"2.0","id":[7],"result":1}"#,
        r#"{"jsonrpc":"2.0","result":1}"#,
    ] {
        let invalid = refused(text);
        assert!(invalid.looks_like_response, "{text}");
        assert_eq!((invalid.id, invalid.answers), (None, None), "{text}");
    }
    let invalid = refused(r#"{"jsonrpc":"2.0","id":7}"#);
    assert!(!invalid.looks_like_response && invalid.answers.is_none());
}

#[test]
fn result_null_gives_way_to_an_error_and_error_null_to_a_result() {
    let both_null = r#"{"jsonrpc":"2.0","id":1,"result":null,"error":null}"#;
    assert!(
        matches!(one(both_null, &Rules::default()), Ok(Message::Success(s)) if s.result.as_raw() == "null")
    );
    let failed =
        r#"{"jsonrpc":"2.0","id":1,"error":{"message":"m","code":-320e2,"data":null},"result":null}"#;
    let Ok(Message::Failure(failure)) = one(failed, &Rules::default()) else { panic!("not a failure") };
    assert_eq!(failure.error.code, -32_000);
    assert_eq!(failure.error.data.unwrap().as_raw(), "null");
    for code in ["9223372036854775808", "1.5", "\"1\"", "null", "[1]"] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":{code},"message":"m"}}}}"#);
        assert_eq!(refused(&text).reason, InvalidReason::ErrorShape, "{code}");
    }
}
