//! [`Name`]: the name of a member, found without looking for its end.

use std::iter::zip;

/// A name, and how it mostly stands in a text: in quotes, the colon right behind.
#[derive(Debug)]
pub(super) struct Name {
    plain: String,
    /// The first bytes of what stands there, in one word with zeros behind.
    head: u64,
    /// The bits of a word that are the head's.
    mask: u64,
    /// What follows.
    rest: Vec<u8>,
    /// Of both.
    len: usize,
}

impl Name {
    pub(super) fn new(name: &str) -> Self {
        let spelled = format!("{}:", serde_json::Value::from(name)).into_bytes();
        let (head, rest) = spelled.split_at(spelled.len().min(8));
        let word =
            |byte: &dyn Fn(&u8) -> u8| head.iter().rev().fold(0, |word, it| word << 8 | u64::from(byte(it)));
        Self {
            plain: name.to_owned(),
            head: word(&|it| *it),
            mask: word(&|_| u8::MAX),
            rest: rest.to_vec(),
            len: spelled.len(),
        }
    }

    pub(super) fn plain(&self) -> &str {
        &self.plain
    }

    /// How many bytes of a text it takes, if the text begins with it.
    #[inline]
    pub(super) fn leads(&self, text: &[u8]) -> Option<usize> {
        let (head, rest) = text.split_first_chunk::<8>()?;
        let is_it = u64::from_le_bytes(*head) & self.mask == self.head
            && self.rest.len() <= rest.len()
            && zip(&self.rest, rest).all(|(one, other)| one == other);
        is_it.then_some(self.len)
    }
}
