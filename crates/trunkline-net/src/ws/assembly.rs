//! [`Assembly`]: a message that arrives in several frames.

/// The payloads so far of a fragmented message.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    bytes: Vec<u8>,
    /// Whether the message has been handed on, so that its memory is due.
    given: bool,
}

impl Assembly {
    /// How much there is of the message under way.
    pub(super) fn len(&self) -> usize {
        if self.given { 0 } else { self.bytes.len() }
    }

    /// Appends a piece.
    pub(super) fn extend(&mut self, piece: &[u8]) {
        self.bytes.extend_from_slice(piece);
    }

    /// The whole message.
    pub(super) fn give(&mut self) -> &[u8] {
        self.given = true;
        &self.bytes
    }

    /// Gives back the memory of a message that has been handed on.
    #[inline]
    pub(super) fn forget_given(&mut self) {
        if self.given {
            *self = Self::default();
        }
    }
}
