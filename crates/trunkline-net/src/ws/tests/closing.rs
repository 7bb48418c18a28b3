//! The closing handshake (RFC 6455, sections 5.5.1 and 7).

use super::*;

const PLENTY: usize = 1 << 20;

#[test]
fn a_close_is_answered_with_its_code_and_is_the_end() {
    check(PLENTY, &[(CLOSE, b""), (TEXT, b"not heard")], &["<end>"], &[(CLOSE, b"")]);
    check(PLENTY, &[(TEXT, b"x"), (CLOSE, b"\x03\xe8bye")], &["x", "<end>"], &[(CLOSE, &close_code(1000))]);
    check(PLENTY, &[(TEXT_BEGINS, b"x"), (CLOSE, b"\x0f\xa0")], &["<end>"], &[(CLOSE, &close_code(4000))]);
}

#[test]
fn a_close_that_breaks_the_rules_is_refused() {
    let refused: &[(u8, &[u8])] = &[(CLOSE, &close_code(1002))];
    check(PLENTY, &[(CLOSE, b"\x03")], &["<a close frame has half a code>"], refused);
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000] {
        check(
            PLENTY,
            &[(CLOSE, &close_code(code))],
            &["<a close frame has a code that must not be sent>"],
            refused,
        );
    }
    let invalid = [(CLOSE, &b"\x03\xe8\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0"[..])];
    check(PLENTY, &invalid, &["<a text message is not UTF-8>"], &[(CLOSE, &close_code(1007))]);
}

#[test]
fn every_reason_has_its_code() {
    for (reason, code) in [
        (Goodbye::Done, 1000),
        (Goodbye::GoingAway, 1001),
        (Goodbye::ProtocolError, 1002),
        (Goodbye::InvalidText, 1007),
        (Goodbye::Refused, 1008),
        (Goodbye::TooLarge, 1009),
    ] {
        let said = goodbye(&mut WebSocket::server(), reason);
        assert_eq!(said, unmasked(CLOSE, &close_code(code)), "{reason:?}");
    }
}

#[test]
fn nothing_is_sent_after_our_close() {
    let mut framing = WebSocket::server();
    let mut out = Outbox::new(framing.marking());
    framing.goodbye(Goodbye::GoingAway, &mut out);
    let said = out.bytes().to_vec();
    framing.goodbye(Goodbye::Done, &mut out);
    assert!(!framing.ping(&mut out), "a ping would never be sent");
    out.frame(0, |body| body.extend_from_slice(b"too late"));
    assert_eq!(out.bytes(), said);
    // what the far side had under way is still heard
    let stream = [masked(PING, b"?"), masked(TEXT, b"crossed"), masked(CLOSE, b"\x03\xe8")].concat();
    let heard = hear(&mut framing, stream.chunks(1));
    assert_eq!(heard, Heard { seen: vec!["crossed".into(), "<end>".into()], answered: vec![] });
}

#[test]
fn the_end_of_the_stream_is_no_error_between_messages() {
    let end = |stream: &[u8]| {
        let (mut framing, mut input) = (WebSocket::server(), Input::default());
        let mut out = Outbox::new(framing.marking());
        input.extend(stream);
        while !matches!(framing.cut(&mut input, &mut out).unwrap(), Cut::Partial { .. }) {}
        matches!(framing.finish(&mut input), Ok(Cut::End))
    };
    let whole = masked(TEXT, b"hi");
    assert!(end(b"") && end(&whole));
    for len in 1..whole.len() {
        assert!(!end(&whole[..len]), "inside the frame, after {len} bytes");
    }
    assert!(!end(&masked(TEXT_BEGINS, b"hi")), "between the frames of a message");
}
