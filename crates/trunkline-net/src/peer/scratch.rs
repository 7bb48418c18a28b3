//! Buffers to read into, lent for as long as one poll takes.
//!
//! A message is handled before the poll that read it returns, so a connection
//! that is idle, or waits for the rest of nothing, needs no buffer of its own.

use std::cell::Cell;

/// Bytes of one buffer: what a read may bring at most.
pub(super) const SIZE: usize = 64 << 10;

thread_local! {
    static SPARE: Cell<Option<Vec<u8>>> = const { Cell::new(None) };
}

/// Borrows this thread's buffer; makes one if it is lent out already.
pub(super) fn lend() -> Vec<u8> {
    SPARE.take().unwrap_or_else(|| vec![0; SIZE])
}

/// Takes the buffer back.
pub(super) fn give_back(buffer: Vec<u8>) {
    if buffer.len() == SIZE {
        SPARE.set(Some(buffer));
    }
}
