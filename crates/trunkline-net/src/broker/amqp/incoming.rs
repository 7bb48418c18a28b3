//! [`Incoming`]: a message that is on its way to us, of which a part has come.

use super::{
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

    pub(super) fn continued(mut self, part: &[u8]) -> Self {
        self.come += part.len() as u64;
        if self.is_wanted() {
            self.body.extend_from_slice(part);
        }
        self
    }

    pub(super) fn is_whole(&self) -> bool {
        self.has_begun && self.come >= self.size
    }

    fn is_wanted(&self) -> bool {
        self.properties.is_ok() && self.announced != Announced::Returned
    }
}
