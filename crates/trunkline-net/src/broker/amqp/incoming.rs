//! [`Incoming`]: a message that is on its way to us, of which a part has come.

use super::{frames::Unreadable, outbox::LARGEST};
use amq_protocol::{
    frame::AMQPContentHeader,
    protocol::{BasicProperties, basic},
    types::ShortString,
};

/// The most that is set aside for a body of which only its size has come.
const SET_ASIDE: u64 = 128 << 10;

/// A message that is on its way to us, of which a part has come.
pub(super) struct Incoming {
    pub(super) cause: Cause,
    pub(super) properties: BasicProperties,
    /// Nothing, if it is too large, or of no interest.
    pub(super) body: Vec<u8>,
    /// How large it is, as was said before it came.
    pub(super) size: u64,
    come: u64,
    has_begun: bool,
}

/// Why it comes.
pub(super) enum Cause {
    Request {
        tag: u64,
        redelivered: bool,
    },
    Answer,
    Event {
        topic: ShortString,
    },
    /// Nobody wants it.
    Returned,
}

impl Incoming {
    pub(super) fn new(cause: Cause) -> Self {
        let properties = basic::AMQPProperties::default();
        Self { cause, properties, body: Vec::new(), size: 0, come: 0, has_begun: false }
    }

    pub(super) fn begun(mut self, header: AMQPContentHeader) -> Self {
        (self.properties, self.size, self.has_begun) = (header.properties, header.body_size, true);
        if self.is_wanted() {
            self.body.reserve_exact(usize::try_from(self.size.min(SET_ASIDE)).unwrap_or_default());
        }
        self
    }

    /// # Errors
    ///
    /// Fails if more comes than was said.
    pub(super) fn continued(mut self, part: &[u8]) -> Result<Self, Unreadable> {
        self.come += part.len() as u64;
        if self.come > self.size {
            return Err(Unreadable);
        }
        if self.is_wanted() {
            self.body.extend_from_slice(part);
        }
        Ok(self)
    }

    pub(super) fn is_whole(&self) -> bool {
        self.has_begun && self.come >= self.size
    }

    fn is_wanted(&self) -> bool {
        self.size <= LARGEST as u64 && !matches!(self.cause, Cause::Returned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_as_large_as_was_said() {
        let header =
            |body_size| AMQPContentHeader { class_id: 60, body_size, properties: Default::default() };
        let begun = || Incoming::new(Cause::Answer).begun(header(3));
        assert!(!begun().is_whole());
        let whole = begun().continued(b"a").unwrap().continued(b"bc").unwrap();
        assert_eq!((whole.is_whole(), &*whole.body), (true, &b"abc"[..]));
        assert!(begun().continued(b"abcd").is_err());
        assert!(Incoming::new(Cause::Answer).continued(b"a").is_err(), "before its header");
        assert!(Incoming::new(Cause::Answer).begun(header(0)).is_whole());
    }
}
