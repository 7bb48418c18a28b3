//! [`Input`]: numbers, texts and fields, read from a message; and written.

use std::str;

/// Ends the fields.
pub(super) const END: u8 = 0;

/// What of a message is still to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'b>(pub(super) &'b [u8]);

impl<'b> Input<'b> {
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<&'b [u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(first)
    }

    /// A number, in as few bytes as it has.
    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return (byte != 0 || shift == 0).then_some(number);
            }
        }
        None
    }

    /// Bytes, after their length.
    pub(super) fn bytes(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// The next field, whose number is to be greater than that of the one `before`; without
    /// one, [`END`] and nothing.
    pub(super) fn field(&mut self, before: u8) -> Option<(u8, &'b [u8])> {
        match self.byte()? {
            END => Some((END, &[])),
            number if number > before => Some((number, self.bytes()?)),
            _ => None,
        }
    }

    /// How much of `body`, of which this is the rest, has been read.
    pub(super) fn at(&self, body: &[u8]) -> usize {
        body.len() - self.0.len()
    }
}

/// The text of these bytes, if it is one.
pub(super) fn text(bytes: &[u8]) -> Option<&str> {
    str::from_utf8(bytes).ok()
}

/// Appends a number.
pub(super) fn number(out: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            return out.push(low & 0x7f);
        }
        out.push(low | 0x80);
    }
}

/// Appends bytes after their length.
pub(super) fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a field.
pub(super) fn field(out: &mut Vec<u8>, number: u8, value: &[u8]) {
    out.push(number);
    bytes(out, value);
}
