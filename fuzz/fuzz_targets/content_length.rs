//! The base protocol of LSP: cut alike however the stream was split, bounded, and
//! what was cut can be sent and cut again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_core::{
    Outbox,
    framing::{ContentLength, Framing},
};
use trunkline_fuzz::{
    choices::split,
    cutting::{Piece, cut},
};

const LIMITS: [usize; 4] = [1 << 20, 64, 8, 0];
/// The bytes that a block of headers may have, of which one waits at least.
const HEAD: usize = 8 << 10;

fuzz_target!(|input: &[u8]| {
    let (stream, mut choices) = split(input);
    let limit = LIMITS[choices.below(LIMITS.len())];
    let make = || ContentLength::default().limit(limit);
    let bound = limit.max(HEAD);
    let whole = cut(&mut make(), [stream], bound);
    assert_eq!(whole, cut(&mut make(), choices.pieces(stream), bound), "in one piece and in several");
    assert!(whole.answered.is_empty());

    let mut out = Outbox::new(make().marking());
    for body in whole.bodies(0) {
        out.frame(0, |into| into.extend_from_slice(body));
    }
    let again = cut(&mut make(), choices.pieces(out.bytes()), bound);
    let frames = whole.pieces.into_iter().filter(|piece| matches!(piece, Piece::Frame { .. }));
    assert_eq!(again.pieces, frames.chain([Piece::End]).collect::<Vec<_>>(), "sent again");
});
