//! Messages and their frames (RFC 6455, sections 5 and 8.1).

use super::*;

const PLENTY: usize = 1 << 20;

#[test]
fn a_message_is_a_frame_of_text_or_of_bytes() {
    check(
        PLENTY,
        &[(TEXT, b"hi"), (BINARY, b"\xff\0"), (TEXT, b""), (BINARY, b""), (TEXT, "äöü".as_bytes())],
        &["hi", r#""\\xff\\x00""#, "", r#""""#, "äöü"],
        &[],
    );
}

#[test]
fn long_messages_are_written_in_place_and_read_back() {
    for (mut from, mut to) in
        [(WebSocket::server(), WebSocket::client()), (WebSocket::client(), WebSocket::server())]
    {
        for len in [0, 1, 125, 126, 127, 65_535, 65_536, 100_000] {
            let mut out = Outbox::new(from.marking());
            let text = "x".repeat(len);
            out.frame(0, |body| body.extend_from_slice(text.as_bytes()));
            out.frame(0, |body| body.extend_from_slice(b"next"));
            assert!(from.ping(&mut out));
            let heard = hear(&mut to, out.bytes().chunks(1000));
            assert_eq!(heard.seen, [&text, "next"], "{len} bytes");
            let pong = hear(&mut from, [&heard.answered[..]]);
            assert_eq!(pong, Heard::default(), "a pong is heard and no more");
        }
    }
}

#[test]
fn a_fragmented_message_is_put_together_around_control_frames() {
    check(
        PLENTY,
        &[
            (TEXT_BEGINS, b"on"),
            (PING, b"?"),
            (GOES_ON, b""),
            (GOES_ON, b"e"),
            (PONG, b"never asked for"),
            (ENDS, b"!"),
            (BINARY_BEGINS, b""),
            (ENDS, b"two"),
            (TEXT, b"three"),
        ],
        &["one!", r#""two""#, "three"],
        &[(PONG, b"?")],
    );
}

#[test]
fn frames_of_messages_come_in_order() {
    let refused: &[(u8, &[u8])] = &[(CLOSE, &close_code(1002))];
    for first in [GOES_ON, ENDS] {
        check(PLENTY, &[(first, b"x")], &["<a frame continues a message, and none has begun>"], refused);
    }
    for first in [TEXT, BINARY, TEXT_BEGINS, BINARY_BEGINS] {
        let frames: &[(u8, &[u8])] = &[(TEXT_BEGINS, b"x"), (first, b"y")];
        check(PLENTY, frames, &["<a message begins before the last has ended>"], refused);
    }
}

#[test]
fn masking_is_for_clients_alone() {
    let heard = hear(&mut WebSocket::server(), [&unmasked(TEXT, b"hi")[..]]);
    assert_eq!(heard.seen, ["<a frame from a client is not masked>"]);
    assert_eq!(heard.answered, unmasked(CLOSE, &close_code(1002)));
    let heard = hear(&mut WebSocket::client(), [&masked(TEXT, b"hi")[..]]);
    assert_eq!(heard.seen, ["<a frame from a server is masked>"]);
}

#[test]
fn each_frame_of_a_client_has_a_key_of_its_own() {
    let mut out = Outbox::new(WebSocket::client().marking());
    for _ in 0..64 {
        out.frame(0, |_| {});
    }
    let keys: std::collections::HashSet<&[u8]> = out.bytes().chunks(6).map(|frame| &frame[2..]).collect();
    assert!(keys.len() > 60, "{} keys for 64 frames", keys.len());
}

#[test]
fn text_is_utf8_and_fails_at_the_byte_that_is_not() {
    let refused: &[(u8, &[u8])] = &[(CLOSE, &close_code(1007))];
    let invalid = ["<a text message is not UTF-8>"];
    check(PLENTY, &[(TEXT, b"\xff")], &invalid, refused);
    check(PLENTY, &[(TEXT, b"cut off \xc3")], &invalid, refused);
    check(PLENTY, &[(TEXT_BEGINS, b"\xed"), (GOES_ON, b"\xa0"), (PING, b"not reached")], &invalid, refused);
    check(PLENTY, &[(TEXT_BEGINS, b"\xc3"), (ENDS, b"")], &invalid, refused);
    check(PLENTY, &[(TEXT_BEGINS, b"\xc3"), (PING, b""), (ENDS, b"\xbc")], &["ü"], &[(PONG, b"")]);
    // neither the frame nor the message has ended, and it is known already
    let stream = masked(TEXT, b"fine so far \xf4\x90 and more");
    let heard = hear(&mut WebSocket::server(), stream[..6 + 14].chunks(1));
    assert_eq!(heard.seen, invalid);
}

#[test]
fn control_frames_are_short_and_whole() {
    let stream = [masked(PING, &[b'x'; 125]), masked(PING, &[b'x'; 126])].concat();
    let heard = hear(&mut WebSocket::server(), [&stream[..]]);
    assert_eq!(heard.seen, ["<a control frame is longer than 125 bytes>"]);
    let pong = unmasked(PONG, &[b'x'; 125]);
    assert_eq!(heard.answered, [pong, unmasked(CLOSE, &close_code(1002))].concat());
    let heard = hear(&mut WebSocket::server(), [&masked(9, b"")[..]]);
    assert_eq!(heard.seen, ["<a control frame is fragmented>"]);
}

#[test]
fn a_message_over_the_limit_is_refused_by_its_header() {
    let refused: &[(u8, &[u8])] = &[(CLOSE, &close_code(1009))];
    check(5, &[(TEXT, b"12345"), (TEXT, b"123456")], &["12345", "<a message over the limit>"], refused);
    let fragments: &[(u8, &[u8])] =
        &[(TEXT_BEGINS, b"12"), (ENDS, b"345"), (TEXT_BEGINS, b"1234"), (GOES_ON, b"5"), (ENDS, b"6")];
    check(5, fragments, &["12345", "<a message over the limit>"], refused);
    let head = b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xffKEYS";
    assert_eq!(hear(&mut WebSocket::server(), [&head[..]]).seen, ["<a message over the limit>"]);
}

#[test]
fn what_is_missing_is_known() {
    let stream = masked(TEXT, &[b'x'; 300]);
    let (mut framing, mut input) = (WebSocket::server(), Input::default());
    let mut out = Outbox::new(framing.marking());
    let mut fed = 0;
    for end in [0, 1, 2, 7, 8, 9, 100, 307] {
        input.extend(&stream[fed..end]);
        fed = end;
        let Ok(Cut::Partial { missing }) = framing.cut(&mut input, &mut out) else { panic!("at {end}") };
        let known = if end < 2 { 2 - end } else { [8, stream.len()][usize::from(end >= 8)] - end };
        assert_eq!(missing, known, "after {end} bytes");
    }
}
