//! Mux frames: cut alike however the stream was split, bounded; the streams on the
//! channels are cut as they would be alone, and what is sent can be cut.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_core::{
    Outbox,
    framing::{Framing, Lines, Mux},
};
use trunkline_fuzz::{
    choices::{Choices, split},
    cutting::{Piece, cut, is_one_value, trim},
};

const LIMITS: [usize; 4] = [1 << 20, 64, 8, 1];
/// What stands before a piece: its channel and its length.
const HEAD: usize = 5;

fuzz_target!(|input: &[u8]| {
    let (stream, mut choices) = split(input);
    let limit = LIMITS[choices.below(LIMITS.len())];
    let make = || Mux::default().limit(limit);
    let whole = cut(&mut make(), [stream], HEAD + limit).trimmed();
    let pieces = cut(&mut make(), choices.clone().pieces(stream), HEAD + limit).trimmed();
    assert_eq!(whole, pieces, "in one piece and in several");
    assert!(whole.answered.is_empty());
    two_streams(stream, &mut choices, limit);
    sent(stream, limit);
});

/// Each channel hears what it would hear alone.
fn two_streams(stream: &[u8], choices: &mut Choices<'_>, limit: usize) {
    // what begins as a request of HTTP ends all channels
    let begun = |stream: &[u8]| [b"[]\n", stream].concat();
    let streams = stream.split_at(stream.len() / 2);
    let streams = (begun(streams.0), begun(streams.1));
    let (mut first, mut second) =
        (choices.pieces(&streams.0).into_iter(), choices.pieces(&streams.1).into_iter());
    let mut muxed = Vec::new();
    loop {
        let pieces = [(0, first.next()), (1, second.next())];
        if pieces.iter().all(|(_, piece)| piece.is_none()) {
            break;
        }
        for (channel, piece) in pieces {
            for part in piece.unwrap_or_default().chunks(limit) {
                muxed.push(channel);
                muxed.extend_from_slice(&u32::try_from(part.len()).unwrap_or_default().to_be_bytes());
                muxed.extend_from_slice(part);
            }
        }
    }
    let heard = cut(&mut Mux::default().limit(limit), [&muxed[..]], HEAD + limit).trimmed();
    for (channel, stream) in [(0, streams.0), (1, streams.1)] {
        // a mux has no end of a single channel, so what is unfinished there is not heard
        let ended = [&stream[..], b"\n"].concat();
        let mut alone = cut(&mut Lines::default().limit(limit), [&ended[..]], limit).trimmed().pieces;
        let mut on_channel: Vec<Piece> =
            heard.pieces.iter().filter_map(|piece| alone_on(piece, channel)).collect();
        assert_eq!(alone.pop(), Some(Piece::End));
        if on_channel.len() < alone.len() {
            on_channel.extend(alone.last().cloned());
        }
        assert_eq!(on_channel, alone, "on channel {channel}");
    }
}

/// What was heard on a channel, as it would be heard if there were only that.
fn alone_on(piece: &Piece, channel: u8) -> Option<Piece> {
    match piece.clone() {
        Piece::Frame { channel: on, text, body } if on == channel => {
            Some(Piece::Frame { channel: 0, text, body })
        }
        Piece::Oversize(on) if on == channel => Some(Piece::Oversize(0)),
        _ => None,
    }
}

/// JSON values arrive as they were sent, with or without line feeds.
fn sent(stream: &[u8], limit: usize) {
    let bodies = stream.split(|&byte| byte == b';').filter(|body| body.len() < limit && is_one_value(body));
    let bodies: Vec<&[u8]> = bodies.filter(|body| matches!(trim(body), [b'{' | b'[', ..])).collect();
    for sender in [Mux::default(), Mux::default().with_newline()] {
        let mut out = Outbox::new(sender.marking());
        for body in &bodies {
            out.frame(1, |into| into.extend_from_slice(body));
        }
        let heard = cut(&mut Mux::default().limit(limit), [out.bytes()], HEAD + limit).trimmed();
        let on_one_line =
            |body: &[u8]| body.iter().map(|&byte| if byte == b'\n' { b' ' } else { byte }).collect();
        let expected: Vec<Vec<u8>> = bodies.iter().map(|body| on_one_line(body)).collect();
        assert!(
            heard.bodies(1).eq(expected.iter().map(|body| trim(body))),
            "sent {bodies:?}, heard {heard:?}"
        );
    }
}
