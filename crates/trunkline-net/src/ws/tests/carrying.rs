//! Messages that are pieces of a stream with a framing of its own.

use super::*;
use trunkline_core::framing::{Lines, Mux};

fn lines() -> WebSocket {
    WebSocket::server().carrying(Box::new(Lines::default().only_newlines()))
}

fn mux() -> WebSocket {
    WebSocket::server().binary().limit(8).carrying(Box::new(Mux::default().limit(64)))
}

#[track_caller]
fn carried(make: fn() -> WebSocket, frames: &[(u8, &[u8])], expected: &[&str]) {
    let stream: Vec<u8> = frames.iter().flat_map(|(first, payload)| masked(*first, payload)).collect();
    assert_eq!(hear(&mut make(), [&stream[..]]).seen, expected, "in one piece");
    assert_eq!(hear(&mut make(), stream.chunks(1)).seen, expected, "byte by byte");
}

#[test]
fn lines_may_span_messages_and_share_them() {
    let frames: &[(u8, &[u8])] =
        &[(TEXT, b"{}\n["), (PING, b""), (BINARY_BEGINS, b"1]"), (ENDS, b"\n5\n6"), (CLOSE, b"")];
    carried(lines, frames, &[r#""{}""#, r#""[1]""#, r#""5""#, r#""6""#, "<end>"]);
}

#[test]
fn text_that_carries_lines_is_utf8_all_the_same() {
    let expected = [r#""{}""#, "<a text message is not UTF-8>"];
    carried(lines, &[(TEXT, b"{}\n"), (TEXT, b"\xff\n")], &expected);
    carried(lines, &[(TEXT, b"{}\n\xc3")], &expected);
    let halves: &[(u8, &[u8])] = &[(TEXT_BEGINS, b"{}\n\xc3"), (ENDS, b"\n5\n")];
    carried(lines, halves, &expected);
}

#[test]
fn a_value_may_be_whole_before_its_message_is() {
    let mut framing = lines();
    let (mut input, mut out) = (Input::default(), Outbox::new(framing.marking()));
    input.extend(&masked(TEXT, b"{}\n[]")[..6]);
    loop {
        match framing.cut(&mut input, &mut out).unwrap() {
            Cut::Handled => {}
            Cut::Partial { missing } => break assert_eq!(missing, 1),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_mux_is_carried_by_binary_messages_alone() {
    let frames: &[(u8, &[u8])] = &[
        (BINARY, b"\0\0\0\0\x02[]\x01\0"),
        (TEXT, b"not of the mux"),
        (TEXT_BEGINS, b"nor"),
        (ENDS, b" this"),
        (BINARY, b"\0\0\x0c[1234567890]"),
    ];
    carried(mux, frames, &[r#""[]""#, "1: [1234567890]"]);
    carried(mux, &[(BINARY, b"\0\xff\xff\xff\xff")], &["<a mux frame over the message limit>"]);
}

#[test]
fn a_stream_that_ends_inside_a_frame_is_an_error() {
    carried(mux, &[(BINARY, b"\0\0\0\0\x02["), (CLOSE, b"")], &["<truncated frame>"]);
}

#[test]
fn what_is_sent_has_the_marks_of_both() {
    let mut out = Outbox::new(mux().marking());
    out.frame(1, |body| body.extend_from_slice(b"{}"));
    assert_eq!(out.bytes(), b"\x82\x07\x01\0\0\0\x02{}");
    let mut client = WebSocket::client().binary().carrying(Box::new(Mux::default()));
    let mut out = Outbox::new(client.marking().another());
    for len in [1, 200, 70_000] {
        out.frame(1, |body| body.extend_from_slice(format!("[{}]", "1".repeat(len)).as_bytes()));
    }
    let mut server = WebSocket::server().binary().carrying(Box::new(Mux::default()));
    let heard = hear(&mut server, out.bytes().chunks(999)).seen;
    assert_eq!(heard.iter().map(String::len).collect::<Vec<_>>(), [6, 205, 70_005]);
    assert!(heard.iter().all(|seen| seen.starts_with("1: [1")));
    assert!(client.ping(&mut out));
}

#[test]
fn a_line_of_several_values_is_cut_again() {
    let mut framing = WebSocket::server().carrying(Box::new(Lines::default()));
    let (mut input, mut out) = (Input::default(), Outbox::new(framing.marking()));
    input.extend(&masked(TEXT, b"{}[]\n"));
    let mut seen = vec![];
    loop {
        match framing.cut(&mut input, &mut out).unwrap() {
            Cut::Frame(frame) if frame.several && frame.body.as_bytes() == b"{}[]" => {
                framing.recut(&mut input)
            }
            Cut::Frame(frame) => seen.push(frame.body.as_text().unwrap().to_owned()),
            Cut::Partial { .. } => break,
            _ => {}
        }
    }
    assert_eq!(seen, ["{}", "[]"]);
}
