//! `grammar.json`: which values are JSON.

use super::vectors;
use crate::jsonrpc::{Document, Message, NotJsonReason, Rules, read_bytes};

#[test]
fn every_value_is_judged_as_the_vector_says() {
    let mut judged = [0; 3];
    for vector in vectors::load("grammar.json", "vectors", 192) {
        let name = vector["name"].as_str().unwrap();
        let value = vectors::bytes(&vector);
        let mut text = br#"{"jsonrpc":"2.0","id":1,"method":"echo","params":["#.to_vec();
        text.extend_from_slice(&value);
        text.extend_from_slice(b"]}");
        let verdict = vector["verdict"].as_str().unwrap();
        match (read_bytes(&text, &Rules::default()), verdict) {
            (Err(_), "reject") => judged[1] += 1,
            (Err(problem), _) => panic!("{name}: {problem}"),
            (Ok(document), "accept" | "either") => {
                // What may go either way passes here, and meets its fate when it is decoded.
                let Document::One(Ok(Message::Request(request))) = document else {
                    panic!("{name}: {document:?}");
                };
                let expected = [b"[", &value[..], b"]"].concat();
                assert_eq!(request.params.unwrap().as_raw().as_bytes(), expected, "{name}");
                judged[if verdict == "accept" { 0 } else { 2 }] += 1;
            }
            (Ok(document), _) => panic!("{name}: accepted as {document:?}"),
        }
    }
    assert!(judged.iter().all(|&count| count > 0), "accepted, refused, open: {judged:?}");
}

/// What is wrong and where, for each reason there is.
#[test]
fn refusals_say_what_was_expected_at_which_byte() {
    let cases: [(&[u8], &str); 23] = [
        (b"", "expected a JSON value at byte 0, where the text ends"),
        (b"  ?", "expected a JSON value at byte 2"),
        (b"tru", "expected a JSON value at byte 0"),
        (b"{", "expected a member's name in double quotes at byte 1, where the text ends"),
        (b"{\"a\":1,}", "expected a member's name in double quotes at byte 7"),
        (b"[{\"a\":1,2}]", "expected a member's name in double quotes at byte 8"),
        (b"{\"a\" 1}", "expected ':' after a member's name at byte 5"),
        (b"[{\"a\"]", "expected ':' after a member's name at byte 5"),
        (b"[1 2]", "expected ',' or ']' at byte 3"),
        (b"[[1}]", "expected ',' or ']' at byte 3"),
        (b"{\"a\":1]", "expected ',' or '}' at byte 6"),
        (b"[{\"a\":1]]", "expected ',' or '}' at byte 7"),
        (b"{} {}", "expected the end of the document at byte 3"),
        (b"01", "expected the end of the document at byte 1"),
        (b"[-]", "expected a digit of a number at byte 2"),
        (b"1.", "expected a digit of a number at byte 2, where the text ends"),
        (b"\"abc", "expected the '\"' that ends a string at byte 4, where the text ends"),
        (b"\"\\x\"", "expected one of \"\\/bfnrt or u and four hexadecimal digits after '\\' at byte 1"),
        (b"\"\\u12g4\"", "expected one of \"\\/bfnrt or u and four hexadecimal digits after '\\' at byte 1"),
        (b"\"a\tb\"", "control character in a string, to be written as \\u00XX, at byte 2"),
        (b"\"\xff\"", "not UTF-8 at byte 1"),
        (b"\"\xe2\x82", "not UTF-8 at byte 1, where the text ends"),
        (b"\xef\xbb\xbf{}", "expected a JSON value at byte 0"),
    ];
    for (text, expected) in cases {
        let problem = read_bytes(text, &Rules::default()).unwrap_err();
        assert_eq!(problem.to_string(), expected, "{}", text.escape_ascii());
    }
}

#[test]
fn depth_counts_the_whole_document() {
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let too_deep = NotJsonReason::TooDeep { limit: 128 };
    let wrappers: [(usize, [&str; 2]); 5] = [
        (0, ["", ""]),
        (1, ["[", "]"]),
        (1, [r#"{"jsonrpc":"2.0","method":"a","params":"#, "}"]),
        (2, [r#"[{"x":"#, "}]"]),
        (3, [r#"{"x":[0,{"y":"#, "}]}"]),
    ];
    for (levels, [open, close]) in wrappers {
        let at_limit = format!("{open}{}{close}", deep(128 - levels));
        assert!(read_bytes(at_limit.as_bytes(), &Rules::default()).is_ok(), "{open}");
        let over = format!("{open}{}{close}", deep(129 - levels));
        let problem = read_bytes(over.as_bytes(), &Rules::default()).unwrap_err();
        assert_eq!(problem.reason, too_deep, "{open}");
        let lower = Rules { max_depth: 100, ..Rules::default() };
        let problem = read_bytes(at_limit.as_bytes(), &lower).unwrap_err();
        assert_eq!(
            problem.to_string().split(" at ").next(),
            Some("nested deeper than 100 levels (max_depth)")
        );
        let higher = Rules { max_depth: 1000, ..Rules::default() };
        assert!(read_bytes(over.as_bytes(), &higher).is_err(), "128 is the most");
    }
    let none = Rules { max_depth: 0, ..Rules::default() };
    for text in ["{}", "[]", r#"{"a":1}"#] {
        assert!(read_bytes(text.as_bytes(), &none).is_err(), "{text}");
    }
}
