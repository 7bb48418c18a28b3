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

    /// Forgets a message that has been handed on.
    #[inline]
    pub(super) fn forget_given(&mut self) {
        if self.given {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_kept_until_it_has_been_handed_on() {
        let mut assembly = Assembly::default();
        assembly.extend(b"on");
        assembly.forget_given();
        assembly.extend(b"e");
        assert_eq!((assembly.len(), assembly.give()), (3, &b"one"[..]));
        assert_eq!(assembly.len(), 0);
        assembly.forget_given();
        assert_eq!(assembly.bytes.capacity(), 0, "nothing of it is kept");
    }
}
