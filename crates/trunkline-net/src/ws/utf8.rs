//! [`Utf8`]: whether text that arrives in pieces is UTF-8, told as early as possible.

use trunkline_core::framing::{Goodbye, Unframed};

/// Follows a text across its pieces, which may cut characters in two.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Utf8 {
    /// The beginning of a character whose end has not arrived.
    begun: [u8; 4],
    len: usize,
}

/// The text is no UTF-8.
pub(super) const INVALID: Unframed =
    Unframed { reason: "a text message is not UTF-8", goodbye: Goodbye::InvalidText };

impl Utf8 {
    /// Looks at the next piece; fails at the first byte that no UTF-8 can have there.
    pub(super) fn push(&mut self, mut piece: &[u8]) -> Result<(), Unframed> {
        while self.len > 0
            && let Some((&byte, rest)) = piece.split_first()
        {
            self.begun[self.len] = byte;
            self.len += 1;
            piece = rest;
            match std::str::from_utf8(&self.begun[..self.len]) {
                Ok(_) => self.len = 0,
                Err(error) if error.error_len().is_some() => return Err(INVALID),
                Err(_) => {}
            }
        }
        if let Err(error) = std::str::from_utf8(piece) {
            if error.error_len().is_some() {
                return Err(INVALID);
            }
            let rest = &piece[error.valid_up_to()..];
            self.len = rest.len();
            self.begun[..rest.len()].copy_from_slice(rest);
        }
        Ok(())
    }

    /// How many bytes of the next piece come before the first that no UTF-8 can
    /// have there.
    pub(super) fn accepted(mut self, piece: &[u8]) -> usize {
        piece.iter().take_while(|byte| self.push(&[**byte]).is_ok()).count()
    }

    /// The text has ended; fails if its last character has not. Ready for the next text.
    pub(super) fn finish(&mut self) -> Result<(), Unframed> {
        match std::mem::take(&mut self.len) {
            0 => Ok(()),
            _ => Err(INVALID),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fails_at_the_first_byte_that_cannot_stand_there() {
        assert_eq!(Utf8::default().accepted(b"\xf4\x90\x80\x80"), 1, "beyond U+10FFFF");
        assert_eq!(Utf8::default().accepted(b"a\xed\xa0\x80"), 2, "a surrogate");
        assert_eq!(Utf8::default().accepted(b"\xc0\xaf"), 0, "overlong");
        assert_eq!(Utf8::default().accepted(b"\xe0\x80\xaf"), 1, "overlong");
        assert_eq!(Utf8::default().accepted("κόσμε \u{10ffff}".as_bytes()), 15);
    }

    #[test]
    fn a_text_ends_with_a_whole_character() {
        let mut utf8 = Utf8::default();
        utf8.push(b"\xf0\x9f\x98").unwrap();
        assert!(utf8.finish().is_err());
        utf8.push(b"next").unwrap();
        assert!(utf8.finish().is_ok());
    }

    proptest! {
        #[test]
        fn agrees_with_std_however_the_text_is_split(
            mut bytes in proptest::string::string_regex("(?s).{0,20}").unwrap().prop_map(String::into_bytes),
            flip in any::<Option<(prop::sample::Index, u8)>>(),
            sizes in prop::collection::vec(1usize..9, 1..20),
        ) {
            if let Some((at, byte)) = flip && !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let (mut utf8, mut rest, mut fine) = (Utf8::default(), &bytes[..], true);
            for size in sizes.into_iter().cycle() {
                let (piece, after) = rest.split_at(size.min(rest.len()));
                fine &= utf8.push(piece).is_ok();
                rest = after;
                if rest.is_empty() || !fine { break }
            }
            prop_assert_eq!(fine && utf8.finish().is_ok(), std::str::from_utf8(&bytes).is_ok());
        }
    }
}
