//! Newline-delimited values: cut alike however the stream was split, bounded,
//! and what was cut can be sent and cut again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_core::{
    Outbox,
    framing::{Framing, Lines},
};
use trunkline_fuzz::{
    choices::split,
    cutting::{Piece, cut},
};

/// From where hardly anything fits to where all does.
const LIMITS: [usize; 4] = [1 << 20, 64, 8, 1];

fuzz_target!(|input: &[u8]| {
    let (stream, mut choices) = split(input);
    let (limit, only_newlines) = (LIMITS[choices.below(LIMITS.len())], choices.below(2) == 1);
    // by default the last line has an end too
    let stream = &[stream, if choices.below(2) == 0 { b"\n" } else { b"" }].concat()[..];
    let make = || {
        let lines = Lines::default().limit(limit);
        if only_newlines { lines.only_newlines() } else { lines }
    };
    let whole = cut(&mut make(), [stream], limit).trimmed();
    let pieces = cut(&mut make(), choices.pieces(stream), limit).trimmed();
    assert_eq!(whole, pieces, "in one piece and in several");
    assert!(whole.answered.is_empty());

    let mut out = Outbox::new(make().marking());
    // first: what may stand later in a stream may be no beginning of one
    let first = cut(&mut make(), [&b"[]\n"[..]], limit).pieces;
    out.frame(0, |into| into.extend_from_slice(b"[]"));
    for body in whole.bodies(0) {
        out.frame(0, |into| into.extend_from_slice(body));
    }
    let again = cut(&mut make(), [out.bytes()], limit).trimmed();
    let frames = whole.pieces.into_iter().filter(|piece| matches!(piece, Piece::Frame { .. }));
    let first = first.into_iter().filter(|piece| *piece != Piece::End);
    assert_eq!(again.pieces, first.chain(frames).chain([Piece::End]).collect::<Vec<_>>(), "sent again");
});
