//! The codec against the rules of RFC 6455, against itself, and against tungstenite.

mod against_tungstenite;
mod carrying;
mod closing;
mod messages;
mod properties;

use super::{WebSocket, header::FIN, mask};
use trunkline_core::{
    Body, Input, Outbox,
    framing::{Cut, Framing, Goodbye},
};

/// What a framing made of a stream.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    /// Messages, errors and the end, in words.
    seen: Vec<String>,
    /// What the framing answered by itself.
    answered: Vec<u8>,
}

/// Feeds `chunks` and, if the framing loses its position, has it say goodbye.
fn hear<'c>(framing: &mut WebSocket, chunks: impl IntoIterator<Item = &'c [u8]>) -> Heard {
    let (mut input, mut out, mut seen) = (Input::default(), Outbox::new(framing.marking()), vec![]);
    'stream: for chunk in chunks {
        input.extend(chunk);
        loop {
            match framing.cut(&mut input, &mut out) {
                Ok(Cut::Frame(frame)) => seen.push(match (frame.body, frame.channel) {
                    (Body::Text(text), 0) => text.to_owned(),
                    (Body::Binary(bytes), 0) => format!("{:?}", bytes.escape_ascii().to_string()),
                    (body, channel) => format!("{channel}: {}", body.as_bytes().escape_ascii()),
                }),
                Ok(Cut::Partial { missing }) => {
                    assert!(missing > 0, "a WebSocket always knows how much is missing at least");
                    break;
                }
                Ok(Cut::Handled) => {}
                Ok(Cut::Oversize { .. }) => seen.push("<oversize>".into()),
                Ok(Cut::End) => {
                    seen.push("<end>".into());
                    break 'stream;
                }
                Ok(other) => panic!("{other:?}"),
                Err(error) => {
                    seen.push(format!("<{error}>"));
                    framing.goodbye(error.goodbye, &mut out);
                    break 'stream;
                }
            }
        }
    }
    Heard { seen, answered: out.bytes().to_vec() }
}

/// A frame from a client, of at most 65,535 bytes.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let key = *b"\x37\xfa\x21\x3d";
    let mut frame = unmasked(first, payload);
    frame[1] |= 0x80;
    let head = frame.len() - payload.len();
    mask::apply(key, &mut frame[head..]);
    frame.splice(head..head, key);
    frame
}

/// A frame from a server, of at most 65,535 bytes.
fn unmasked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match u8::try_from(payload.len()) {
        Ok(len) if len < 126 => frame.push(len),
        _ => {
            frame.push(126);
            frame.extend_from_slice(&u16::try_from(payload.len()).unwrap().to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}

const TEXT: u8 = FIN | 1;
const BINARY: u8 = FIN | 2;
const CLOSE: u8 = FIN | 8;
const PING: u8 = FIN | 9;
const PONG: u8 = FIN | 10;
/// The first frames of messages that go on.
const TEXT_BEGINS: u8 = 1;
const BINARY_BEGINS: u8 = 2;
const GOES_ON: u8 = 0;
const ENDS: u8 = FIN;

/// The same must be heard by a server and, unmasked, by a client, however the
/// stream is split; `answered` is in frames of the server.
#[track_caller]
fn check(limit: usize, frames: &[(u8, &[u8])], expected: &[&str], answered: &[(u8, &[u8])]) {
    let stream: Vec<u8> = frames.iter().flat_map(|(first, payload)| masked(*first, payload)).collect();
    let answer: Vec<u8> = answered.iter().flat_map(|(first, payload)| unmasked(*first, payload)).collect();
    let expected = Heard { seen: expected.iter().map(ToString::to_string).collect(), answered: answer };
    let server = || WebSocket::server().limit(limit);
    assert_eq!(hear(&mut server(), [&stream[..]]), expected, "in one piece");
    assert_eq!(hear(&mut server(), stream.chunks(1)), expected, "byte by byte");
    for at in 0..stream.len() {
        let (head, tail) = stream.split_at(at);
        assert_eq!(hear(&mut server(), [head, tail]), expected, "split at {at}");
    }
    let stream: Vec<u8> = frames.iter().flat_map(|(first, payload)| unmasked(*first, payload)).collect();
    for size in [stream.len().max(1), 1] {
        let heard = hear(&mut WebSocket::client().limit(limit), stream.chunks(size));
        assert_eq!(heard.seen, expected.seen, "by a client");
        // all that it sends is masked, so a server understands it
        let answers = hear(&mut WebSocket::server(), [&heard.answered[..]]);
        let refusals: Vec<_> =
            answers.seen.iter().filter(|seen| seen.starts_with('<') && *seen != "<end>").collect();
        assert!(refusals.is_empty(), "{refusals:?}");
    }
}

/// The close frame that a server sends for a reason.
fn close_code(code: u16) -> [u8; 2] {
    code.to_be_bytes()
}

/// What `reason` makes of a server's outbox.
fn goodbye(framing: &mut WebSocket, reason: Goodbye) -> Vec<u8> {
    let mut out = Outbox::new(framing.marking());
    framing.goodbye(reason, &mut out);
    out.bytes().to_vec()
}
