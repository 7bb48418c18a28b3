//! The members of an object that somebody wants: found by name, kept as spelled.

use super::not_json::{NotJson, NotJsonReason as Reason};
use super::scan::{Step, blank, colon, nested, scalar, too_deep};
#[cfg(feature = "dialect")]
use super::scan::{end, value};
use super::string;
#[cfg(feature = "dialect")]
use std::borrow::Cow;

/// The names of the members that somebody wants, each of 7 bytes at most.
#[derive(Debug)]
pub(super) struct Names<const N: usize> {
    names: [&'static str; N],
    /// Name and closing quote as the low bytes of a word, and which bytes those are.
    words: [(u64, u64); N],
}

impl<const N: usize> Names<N> {
    /// Prepares for looking out for `names`.
    pub(super) const fn new(names: [&'static str; N]) -> Self {
        let mut words = [(0, 0); N];
        let mut i = 0;
        while i < N {
            let name = names[i].as_bytes();
            assert!(name.len() < 8, "name and quote must fit into a word");
            let (mut word, mut mask) = ((b'"' as u64) << (8 * name.len()), 0xff << (8 * name.len()));
            let mut at = 0;
            while at < name.len() {
                word |= (name[at] as u64) << (8 * at);
                mask |= 0xff << (8 * at);
                at += 1;
            }
            words[i] = (word, mask);
            i += 1;
        }
        Self { names, words }
    }

    /// Skips the name whose first byte is at `at`, and tells which it is and the
    /// position after its quote.
    #[inline(always)]
    fn find(&self, text: &str, at: usize) -> Result<(Option<usize>, usize), Box<NotJson>> {
        let next = string::eight(text.as_bytes(), at);
        for (i, (word, mask)) in self.words.iter().enumerate() {
            if next & mask == *word {
                return Ok((Some(i), at + self.names[i].len() + 1));
            }
        }
        self.find_spelled_otherwise(text, at)
    }

    /// The same for names that are none of ours, or have escapes.
    #[inline(never)]
    fn find_spelled_otherwise(&self, text: &str, at: usize) -> Result<(Option<usize>, usize), Box<NotJson>> {
        let (quote, escaped) = string::end(text.as_bytes(), at)?;
        let which = match string::text(&text[at - 1..=quote], escaped) {
            Some(name) if escaped => self.names.iter().position(|&known| known == name),
            _ => None,
        };
        Ok((which, quote + 1))
    }
}

/// The members of an object that somebody wants.
#[derive(Debug)]
pub(super) struct Members<'a, const N: usize> {
    /// Their values as spelled, in the order of the names, empty for absent ones;
    /// of a repeated one the last.
    pub(super) values: [&'a str; N],
    /// Which of them are strings with escapes, a bit each.
    pub(super) escaped: u8,
    /// Which of them are repeated, a bit each.
    pub(super) repeated: u8,
}

impl<const N: usize> Members<'_, N> {
    /// None found yet.
    #[inline(always)]
    pub(super) const fn none() -> Self {
        Self { values: [""; N], escaped: 0, repeated: 0 }
    }

    /// The first of the names that is repeated.
    pub(super) fn first_repeated(&self, names: &Names<N>) -> Option<&'static str> {
        names.names.get(self.repeated.trailing_zeros() as usize).copied()
    }
}

/// Reads the object whose `{` is at `at` into `found`, and tells the position
/// after it. (Filling in what the caller has saves copying it: 15 ns a message.)
#[inline(always)]
pub(super) fn read<'a, const N: usize>(
    text: &'a str,
    at: usize,
    limit: usize,
    names: &Names<N>,
    found: &mut Members<'a, N>,
) -> Step {
    let bytes = text.as_bytes();
    if limit == 0 {
        return Err(too_deep(bytes, at, limit));
    }
    let mut at = blank(bytes, at + 1);
    if bytes.get(at) == Some(&b'}') {
        return Ok(at + 1);
    }
    loop {
        if bytes.get(at) != Some(&b'"') {
            return Err(NotJson::new(bytes, at, Reason::ExpectedName));
        }
        let (which, after_name) = names.find(text, at + 1)?;
        at = colon(bytes, after_name)?;
        let (end, escaped) = match bytes.get(at) {
            Some(b'"') => {
                let (quote, escaped) = string::end(bytes, at + 1)?;
                (quote + 1, escaped)
            }
            Some(b'{' | b'[') => (nested(bytes, at, limit, 1)?, false),
            _ => (scalar(bytes, at)?, false),
        };
        if let Some(which) = which {
            found.repeated |= u8::from(!found.values[which].is_empty()) << which;
            found.escaped |= u8::from(escaped) << which;
            found.values[which] = &text[at..end];
        }
        at = blank(bytes, end);
        match bytes.get(at) {
            Some(b',') => at = blank(bytes, at + 1),
            Some(b'}') => return Ok(at + 1),
            _ => return Err(NotJson::new(bytes, at, Reason::ExpectedObjectEnd)),
        }
    }
}

/// Reads a text that is one object, nested no deeper than `limit`, and shows the name and the
/// value, as it is spelled, of each of its members; `None` if it is none, or a name is no text.
#[cfg(feature = "dialect")]
#[inline]
pub(crate) fn each<'a>(
    text: &'a str,
    limit: usize,
    mut see: impl FnMut(Cow<'a, str>, &'a str),
) -> Option<()> {
    let bytes = text.as_bytes();
    let mut at = blank(bytes, 0);
    if limit == 0 || bytes.get(at) != Some(&b'{') {
        return None;
    }
    at = blank(bytes, at + 1);
    if bytes.get(at) == Some(&b'}') {
        return end(bytes, at + 1).ok();
    }
    loop {
        if bytes.get(at) != Some(&b'"') {
            return None;
        }
        let (quote, escaped) = string::end(bytes, at + 1).ok()?;
        let name = string::text(&text[at..=quote], escaped)?;
        let start = colon(bytes, quote + 1).ok()?;
        let after = value(bytes, start, limit, 1).ok()?;
        see(name, &text[start..after]);
        at = blank(bytes, after);
        match bytes.get(at) {
            Some(b',') => at = blank(bytes, at + 1),
            Some(b'}') => return end(bytes, at + 1).ok(),
            _ => return None,
        }
    }
}
