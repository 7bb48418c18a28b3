//! [`Incoming`]: a message that is on its way to us, of which a part has come.

use super::{
    frames::Unreadable,
    outbox::LARGEST,
    reading::{Announced, Header, Properties},
};

/// The most that is set aside for a body of which only its size has come.
const SET_ASIDE: u64 = 128 << 10;

/// A message that is on its way to us, of which a part has come.
pub(super) struct Incoming {
    pub(super) announced: Announced,
    /// Or why there is nothing to be made of it.
    pub(super) properties: Result<Properties, &'static str>,
    /// Nothing, if it is of no interest.
    pub(super) body: Vec<u8>,
    /// How large it is, as was said before it came.
    size: u64,
    come: u64,
    has_begun: bool,
}

impl Incoming {
    pub(super) fn new(announced: Announced) -> Self {
        let properties = Ok(Properties::default());
        Self { announced, properties, body: Vec::new(), size: 0, come: 0, has_begun: false }
    }

    pub(super) fn begun(mut self, header: Header) -> Self {
        (self.properties, self.size, self.has_begun) = (header.properties, header.size, true);
        if self.size > LARGEST as u64 && self.announced != Announced::Returned {
            self.properties = Err("it is too large");
        }
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
        self.properties.is_ok() && self.announced != Announced::Returned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_as_large_as_was_said() {
        let header = |size| Header { size, properties: Ok(Properties::default()) };
        let begun = || Incoming::new(Announced::Answer).begun(header(3));
        assert!(!begun().is_whole());
        let whole = begun().continued(b"a").unwrap().continued(b"bc").unwrap();
        assert_eq!((whole.is_whole(), &*whole.body), (true, &b"abc"[..]));
        assert!(begun().continued(b"abcd").is_err());
        assert!(Incoming::new(Announced::Answer).continued(b"a").is_err(), "before its header");
        assert!(Incoming::new(Announced::Answer).begun(header(0)).is_whole());
    }
}
