//! Messages built from values, and ids.

use std::collections::HashSet;

use serde_json::json;

use crate::jsonrpc::{
    ErrorObject, Failure, Id, Message, Params, RawJson, Request, Success, Unwritable, write,
};

#[test]
fn ids_come_back_as_spelled() {
    for spelled in
        ["0", "-0", "1.0", "1e3", "1E+3", "-1e999999999", "1234567890123456789012345678901234567890"]
    {
        let text = format!(r#"{{"jsonrpc":"2.0","id":{spelled},"method":"a"}}"#);
        assert_eq!(Message::parse(&text).unwrap().to_string(), text);
    }
}

#[test]
fn ids_are_equal_by_text_or_by_value() {
    let groups: [&[&str]; 8] = [
        &["1", "1.0", "1e0", "0.1e1"],
        &["\"1\"", r#""\u0031""#],
        &["null"],
        &["\"null\""],
        &["9007199254740993", "9007199254740993.0"],
        &["9007199254740992"],
        &["\"\""],
        &[r#""\ud800""#],
    ];
    let id = |raw| Id::from_raw(raw).unwrap();
    for (i, group) in groups.iter().enumerate() {
        for (j, other) in groups.iter().enumerate() {
            for (one, other) in group.iter().flat_map(|one| other.iter().map(move |other| (one, other))) {
                assert_eq!(id(one) == id(other), i == j, "{one} and {other}");
            }
        }
    }
    let distinct: HashSet<_> = groups.concat().into_iter().map(id).collect();
    assert_eq!(distinct.len(), groups.len(), "equal ids hash alike");
}

#[test]
fn ids_are_strings_numbers_or_null() {
    for raw in ["true", "[1]", "{}", "", "1 ", " 1", "01", "\"a", "nul", "1,2"] {
        assert!(Id::from_raw(raw).is_none(), "{raw}");
    }
    assert_eq!(Id::from_raw("7").unwrap().as_u64(), Some(7));
    assert_eq!(Id::from_raw("18446744073709551615").unwrap().as_u64(), Some(u64::MAX));
    assert_eq!(Id::from_raw("18446744073709551616").unwrap().as_u64(), None);
    assert_eq!(Id::from_raw("7.00e0").unwrap().as_u64(), Some(7));
    for raw in ["-1", "1.5", "\"7\"", "null"] {
        assert_eq!(Id::from_raw(raw).unwrap().as_u64(), None, "{raw}");
    }
    assert_eq!(Id::from("a\"\n").as_raw(), r#""a\"\n""#);
    assert_eq!(Id::from("a\"\n").as_str().unwrap(), "a\"\n");
    assert_eq!(Id::from(i64::MIN).as_raw(), "-9223372036854775808");
    assert!(Id::NULL.is_null() && Id::NULL.as_str().is_none());
}

#[test]
fn params_are_arrays_objects_or_nothing() {
    assert!(matches!(Params::of(&4), Err(Unwritable::ScalarParams)));
    assert!(matches!(Params::of(&true), Err(Unwritable::ScalarParams)));
    assert!(matches!(Params::of(&std::collections::HashMap::from([((1, 2), 3)])), Err(Unwritable::Json(_))));
    assert!(Params::of(&json!({"a": 1})).unwrap().unwrap().by_name());
    assert!(!Params::of(&[1]).unwrap().unwrap().by_name());
    assert_eq!(Params::of(&None::<u8>).unwrap(), None);
}

#[test]
fn what_json_cannot_say_is_null() {
    assert_eq!(Success::new(1, &f64::INFINITY).unwrap().result.as_raw(), "null");
}

#[test]
fn messages_outlive_their_text() {
    let texts = [
        r#"{"jsonrpc":"2.0","id":1,"method":"a","params":[1]}"#,
        r#"{"jsonrpc":"2.0","method":"a","params":{"b":2}}"#,
        r#"{"jsonrpc":"2.0","id":"x","result":[true]}"#,
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"m","data":[]}}"#,
    ];
    for text in texts {
        let owned: Message<'static> = {
            let short_lived = text.to_owned();
            Message::parse(&short_lived).unwrap().into_owned()
        };
        assert_eq!(owned.to_string(), text);
    }
}

#[test]
fn messages_are_one_line_even_when_what_they_carry_is_not() {
    let text = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\\nb\",\"params\":[\n1,\r\n\"c\\n\"]}";
    let written = Message::parse(text).unwrap().to_string();
    assert_eq!(written, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\\nb\",\"params\":[ 1,\r \"c\\n\"]}");
    let data = RawJson::of(&"x").unwrap();
    let error = ErrorObject { data: Some(data), ..ErrorObject::new(1, "two\nlines") };
    assert!(!Failure::new(None, error).to_string().contains('\n'));
}

#[test]
fn what_is_refused_comes_with_the_reply_to_send() {
    let reply = |text| Message::parse(text).unwrap_err().to_string();
    assert_eq!(
        reply("{"),
        concat!(
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error","#,
            r#""data":"expected a member's name in double quotes at byte 1, where the text ends"}}"#
        )
    );
    assert_eq!(
        reply(r#"{"jsonrpc":"2.0","id":"x","method":7}"#),
        concat!(
            r#"{"jsonrpc":"2.0","id":"x","error":{"code":-32600,"message":"Invalid Request","#,
            r#""data":"`method` must be a string"}}"#
        )
    );
    assert!(reply("[1]").contains("expected one message, not a batch"));
}

#[test]
fn strings_are_escaped_as_serde_json_escapes_them() {
    let all: String = (0..0x300).filter_map(char::from_u32).collect();
    let long = format!("{}\"{}\\", "x".repeat(100), "é".repeat(100));
    for text in ["", "plain", &all, &long, "\u{2028}\u{1f600}\u{7f}"] {
        let mut out = Vec::new();
        write::string(&mut out, text);
        assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(text).unwrap());
    }
}

#[test]
fn pieces_make_the_same_messages() {
    let request = Request::new(5, "a\"b", &[1]).unwrap();
    let mut out = Vec::new();
    write::request_head(&mut out, "5", "a\"b");
    write::params_head(&mut out);
    out.extend_from_slice(b"[1]");
    write::close(&mut out);
    assert_eq!(String::from_utf8(out).unwrap(), request.to_string());
    let mut out = Vec::new();
    write::failure(&mut out, None, -32700, "Parse error", None);
    assert_eq!(String::from_utf8(out).unwrap(), Failure::new(None, ErrorObject::parse_error()).to_string());
}
