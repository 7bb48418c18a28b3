//! Server-sent events: cut alike however the stream was split, bounded, and what was
//! cut can be sent and cut again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_core::{
    Outbox,
    framing::{Events, Framing},
};
use trunkline_fuzz::{
    choices::split,
    cutting::{Piece, cut},
};

const LIMITS: [usize; 4] = [1 << 20, 64, 8, 1];
/// What stands before a piece of data in its line.
const FIELD: usize = 6;

fuzz_target!(|input: &[u8]| {
    let (stream, mut choices) = split(input);
    let limit = LIMITS[choices.below(LIMITS.len())];
    let make = || Events::default().limit(limit);
    let whole = cut(&mut make(), [stream], FIELD + limit);
    let pieces = cut(&mut make(), choices.pieces(stream), FIELD + limit);
    assert_eq!(whole, pieces, "in one piece and in several");
    assert!(whole.answered.is_empty());

    let mut out = Outbox::new(make().marking());
    for body in whole.bodies(0) {
        out.frame(0, |into| into.extend_from_slice(body));
    }
    let on_one_line = |body: &[u8]| -> Vec<u8> {
        body.iter().map(|&byte| if byte == b'\n' { b' ' } else { byte }).collect()
    };
    let expected: Vec<Vec<u8>> = whole.bodies(0).map(on_one_line).collect();
    let again = cut(&mut make(), [out.bytes()], FIELD + limit);
    assert!(again.bodies(0).eq(expected.iter().map(Vec::as_slice)), "sent again: {again:?}");
    assert_eq!(again.pieces.last(), Some(&Piece::End));
});
