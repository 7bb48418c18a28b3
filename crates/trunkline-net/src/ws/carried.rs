//! [`Carried`]: a byte stream that WebSocket messages are pieces of.

use std::fmt;
use trunkline_core::{
    Input, Outbox,
    framing::{Cut, Framing, Unframed},
};

/// What has arrived of the stream, and the framing that cuts it.
pub(super) struct Carried {
    pub(super) framing: Box<dyn Framing>,
    pub(super) stream: Input,
    /// Whether the framing may find something: it has not said otherwise since
    /// the stream last grew.
    fresh: bool,
}

impl Carried {
    pub(super) fn new(framing: Box<dyn Framing>) -> Self {
        Self { framing, stream: Input::default(), fresh: false }
    }

    /// Whether to look here before looking at the WebSocket.
    #[inline]
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Whether part of a frame of the stream is here.
    pub(super) fn is_inside(&self) -> bool {
        !self.stream.is_empty() || self.framing.is_inside()
    }

    /// Appends a piece.
    pub(super) fn extend(&mut self, piece: &[u8]) {
        self.stream.extend(piece);
        self.fresh |= !piece.is_empty();
    }

    /// Takes the next frame off the stream. What is lacking on the stream says
    /// nothing about the WebSocket, so the answer then is to look there; unless
    /// that has ended, and the stream with it.
    pub(super) fn cut(&mut self, out: &mut Outbox, ended: bool) -> Result<Cut<'_>, Unframed> {
        if ended && !self.fresh {
            return self.finish();
        }
        let cut = self.framing.cut(&mut self.stream, out)?;
        if matches!(cut, Cut::Partial { .. }) {
            self.fresh = false;
            return Ok(Cut::Handled);
        }
        Ok(cut)
    }

    /// Takes the last frame off the stream, which has ended.
    pub(super) fn finish(&mut self) -> Result<Cut<'_>, Unframed> {
        self.framing.finish(&mut self.stream)
    }

    /// Cuts the last frame again.
    pub(super) fn recut(&mut self) {
        self.framing.recut(&mut self.stream);
        self.fresh = true;
    }
}

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carried").field("stream", &self.stream.len()).finish_non_exhaustive()
    }
}
