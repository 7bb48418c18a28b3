use super::*;
use crate::framing::tests::{check, cut_all};

fn lines() -> Box<dyn Framing> {
    Box::new(Lines::default())
}

fn newlines() -> Box<dyn Framing> {
    Box::new(Lines::default().only_newlines())
}

#[test]
fn a_line_is_a_frame_and_blank_lines_are_none() {
    check(&lines, b"{}\n[1]\r\n\n \t\r\n5\n", true, &["{}", "[1]", "5"]);
    check(&newlines, b"{}\n[1]\r\n\n \t\r\n5\n", true, &["{}", "[1]", "5"]);
}

#[test]
fn the_end_of_the_stream_ends_a_line() {
    check(&newlines, b"{\n[1", true, &["{", "[1"]);
    check(&newlines, b"{\n[1", false, &["{"]);
}

#[test]
fn a_tail_is_whole_at_its_closing_bracket() {
    check(&lines, br#"{"a":"}\"{"}[2]  {"b""#, false, &[r#"{"a":"}\"{"}"#, "[2]"]);
    check(&newlines, b"{}[2]", false, &[]);
}

#[test]
fn a_line_feed_ends_an_unfinished_value() {
    check(&lines, b"{\"a\":[1,\n{}\n", false, &["{\"a\":[1,", "{}"]);
}

#[test]
fn a_line_that_was_no_single_value_is_cut_again_by_brackets() {
    let (mut lines, mut input) = (Lines::default(), Input::default());
    let mut out = Outbox::new(lines.marking());
    input.extend(b"{}[] rubbish {\n{}\n");
    let mut seen = vec![];
    while let Cut::Frame(frame) = lines.cut(&mut input, &mut out).unwrap() {
        seen.push((String::from_utf8_lossy(frame.body.as_bytes()).into_owned(), frame.several));
        if frame.several && frame.body.as_bytes() != b"{}" {
            lines.recut(&mut input);
        }
    }
    let seen: Vec<_> = seen.iter().map(|(text, several)| (text.as_str(), *several)).collect();
    let expected =
        [("{}[] rubbish {", true), ("{}", false), ("[]", false), ("rubbish {", false), ("{}", true)];
    assert_eq!(seen, expected);
}

#[test]
fn the_limit_is_that_of_values_however_they_arrive() {
    let make = || -> Box<dyn Framing> { Box::new(Lines::default().limit(8)) };
    check(&make, b"[1][2][3456]\n", false, &["[1]", "[2]", "[3456]"]);
    check(&make, b"[1]  [2] 5 123456789\n{}\n", false, &["[1]", "[2]", "<oversize>", "{}"]);
    check(&make, b"[1234567][1]\n{}\n", false, &["<oversize>", "{}"]);
    let blanks = b"          \n{}          \n          5\n";
    check(&make, blanks, false, &["{}", "5"]);
    check(&|| Box::new(Lines::default().limit(8).only_newlines()), b"          5\n", false, &["5"]);
}

/// Cuts all that arrives into single values, as if no line could be read as one;
/// and how many bytes were searched for an LF.
fn values(mut lines: Lines, pieces: &[&[u8]]) -> (Vec<String>, usize) {
    let mut input = Input::default();
    let mut out = Outbox::new(lines.marking());
    let mut seen = vec![];
    for piece in pieces {
        input.extend(piece);
        loop {
            match lines.cut(&mut input, &mut out).unwrap() {
                Cut::Frame(frame) if frame.several => lines.recut(&mut input),
                Cut::Frame(frame) => {
                    seen.push(String::from_utf8_lossy(frame.body.as_bytes().trim_ascii()).into());
                }
                Cut::Oversize { .. } => seen.push("<oversize>".into()),
                _ => break,
            }
        }
    }
    (seen, lines.work())
}

#[test]
fn no_byte_is_searched_again_for_each_value_that_waits() {
    let value = br#"{"jsonrpc":"2.0","method":"n"} "#;
    for (repeat, limit) in [(100, 1 << 20), (1000, 1 << 20), (1000, 100)] {
        let lines = || Lines::default().limit(limit);
        let tail = value.repeat(repeat);
        let (seen, searched) = values(lines(), &[&tail]);
        assert_eq!((seen.len(), searched), (repeat, tail.len()), "a tail");
        let (seen, searched) = values(lines(), &[&tail, b"\n"]);
        assert_eq!((seen.len(), searched), (repeat, tail.len() + 1), "a tail whose LF comes later");
        let line = [&tail[..], b"\n"].concat();
        let (seen, searched) = values(lines(), &[&line]);
        assert_eq!(seen.len(), repeat);
        assert!(searched <= 2 * line.len(), "{searched} bytes searched in a line of {}", line.len());
        let dropped = [&vec![b'x'; limit + 1][..], &line, b"[]\n"].concat();
        let (seen, searched) = values(lines(), &[&dropped]);
        assert_eq!(seen, ["<oversize>", "[]"]);
        assert!(searched <= 2 * dropped.len(), "{searched} bytes searched in {}", dropped.len());
    }
}

#[test]
fn what_is_known_of_the_line_feed_survives_whatever_goes_by_before_it() {
    let stream = b"[1] \t [2]\n\n {} \r\n[3]  [4] 5\n 123456789 [6]\n [7] [8";
    for size in 1..=stream.len() {
        let pieces: Vec<&[u8]> = stream.chunks(size).collect();
        let (seen, _) = values(Lines::default().limit(8), &pieces);
        assert_eq!(seen, ["[1]", "[2]", "{}", "[3]", "[4]", "5", "<oversize>", "[7]"], "by {size}");
    }
}

#[test]
fn a_line_over_the_limit_costs_only_itself() {
    let make = || Lines::default().limit(8).only_newlines();
    for chunks in [vec![&b"0123456789\n{}\n"[..]], vec![b"012345678", b"9", b"9999999999\n{}", b"\n"]] {
        assert_eq!(cut_all(&mut make(), &chunks, true), ["<oversize>", "{}"]);
    }
    let mut framing = make();
    let mut input = Input::default();
    let mut out = Outbox::new(framing.marking());
    for _ in 0..1000 {
        input.extend(&[b'x'; 100]);
        let _ = framing.cut(&mut input, &mut out).unwrap();
    }
    assert!(input.capacity() < 1000, "nothing of the line is kept");
}

/// What a page has a browser send ends before its body is looked at.
#[test]
fn a_request_of_http_is_not_cut_into_lines() {
    let stream = b"POST /x HTTP/1.1\r\nHost: localhost:1\r\n\r\n{\"jsonrpc\":\"2.0\"}\n";
    let all: [&dyn Fn() -> Box<dyn Framing>; 3] = [
        &|| Box::new(Lines::default()),
        &|| Box::new(Lines::default().only_newlines()),
        // a line over the limit is dropped, but not this one
        &|| Box::new(Lines::default().limit(8)),
    ];
    for make in all {
        check(make, stream, true, &["<something of HTTP or TLS, which are not spoken here>"]);
    }
    let hello = b"\x16\x03\x01\x02\x00 a ticket:\n{\"jsonrpc\":\"2.0\"}\n";
    check(all[0], hello, true, &["<something of HTTP or TLS, which are not spoken here>"]);
    check(all[0], b"GET / HTTP/1.1", true, &["<something of HTTP or TLS, which are not spoken here>"]);
}

#[test]
fn rubbish_is_a_line_like_any_other_and_so_is_what_comes_after_one() {
    for rubbish in ["POST", "POST x", "post /", "true /", " / ", "[1"] {
        let stream = format!("{rubbish}\nPOST / HTTP/1.1\n");
        let make = || -> Box<dyn Framing> { Box::new(Lines::default()) };
        check(&make, stream.as_bytes(), true, &[rubbish.trim(), "POST / HTTP/1.1"]);
    }
}
