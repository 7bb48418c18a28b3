//! [`Reader`]: a text, cut into what there is to look at.
//!
//! The text was read before, by the type of the arguments or for this, so it is not
//! looked at whether it is well-formed: what is not comes to nothing, or to any tree.

use super::{Inside, Node, Part, Unread, first};
use memchr::memchr2;
use serde_json::Number;
use std::{borrow::Cow, collections::HashSet, slice};

/// Levels of lists and objects, as many as serde_json reads.
pub(in crate::check) const DEEPEST: u8 = 127;

/// Digits of a number that is read here: as many as always fit.
const FEW_DIGITS: usize = 16;

/// Words of eight bytes of a text that are looked at here, before it is searched.
const NEAR: usize = 2;

/// Members of an object whose names are compared each with each.
const FEW_MEMBERS: usize = 16;

/// All parts of a value; a list is read as members of these names, if there are any.
pub(super) fn parts<'a>(text: &'a str, names: &[&'static str]) -> Result<Vec<Part<'a>>, Unread> {
    let mut reader = Reader::new(text, text.len() / size_of::<Part<'_>>());
    let read = match reader.peek() {
        Some(b'[') if !names.is_empty() => reader.inside(Names::Given(names.iter()), DEEPEST),
        _ => reader.value(DEEPEST),
    };
    match (read, reader.twice) {
        (Some(()), false) => Ok(reader.parts),
        (Some(()), true) => Err(Unread::Twice),
        (None, _) => Err(Unread::Unfit),
    }
}

/// Reads a text, or what is of interest in it.
pub(in crate::check) struct Reader<'a> {
    text: &'a str,
    at: usize,
    parts: Vec<Part<'a>>,
    /// Whether an object has two members of the same name.
    twice: bool,
}

/// Where the names of members come from.
enum Names<'n> {
    /// They are elements, and have none.
    None,
    /// They stand before them.
    Told,
    /// They are known.
    Given(slice::Iter<'n, &'static str>),
}

impl<'a> Reader<'a> {
    /// A reader that has room for so many parts.
    pub(in crate::check) fn new(text: &'a str, room: usize) -> Self {
        Self { text, at: 0, parts: Vec::with_capacity(room), twice: false }
    }

    /// Whether the next value is such; `None` if not, or if it cannot be held.
    #[inline]
    pub(in crate::check) fn value_is(&mut self, deeper: u8, is: impl FnOnce(Node<'_>) -> bool) -> Option<()> {
        let byte = self.peek()?;
        if let b'{' | b'[' = byte {
            self.parts.clear();
            self.value(deeper)?;
            let (node, _) = first(&self.parts).filter(|_| !self.twice)?;
            return is(node).then_some(());
        }
        let part = self.scalar(byte)?;
        is(Node { part: &part, inside: &[] }).then_some(())
    }

    /// What is not yet read.
    pub(in crate::check) fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Goes on behind what has been looked at.
    pub(in crate::check) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// The next byte that is not blank.
    #[inline]
    pub(in crate::check) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at)? {
                // of those, JSON has only blanks
                0..=b' ' => self.at += 1,
                byte => return Some(*byte),
            }
        }
    }

    /// Goes into a list or an object, if that is what is next.
    pub(in crate::check) fn enter(&mut self, bracket: u8) -> Option<()> {
        (self.peek()? == bracket).then(|| self.at += 1)
    }

    /// Whether there is one more element or member; if not, it is left.
    pub(in crate::check) fn more(&mut self) -> Option<bool> {
        loop {
            match self.peek()? {
                b',' => self.at += 1,
                b']' | b'}' => {
                    self.at += 1;
                    return Some(false);
                }
                _ => return Some(true),
            }
        }
    }

    /// The name of a member; its value is next.
    pub(in crate::check) fn name(&mut self) -> Option<Cow<'a, str>> {
        let name = self.string()?;
        self.peek()?;
        // the colon
        self.at += 1;
        Some(name)
    }

    fn value(&mut self, deeper: u8) -> Option<()> {
        match self.peek()? {
            b'{' => self.inside(Names::Told, deeper),
            b'[' => self.inside(Names::None, deeper),
            byte => {
                let part = self.scalar(byte)?;
                self.parts.push(part);
                Some(())
            }
        }
    }

    /// A value with nothing inside, of which this is the first byte.
    #[inline]
    fn scalar(&mut self, first: u8) -> Option<Part<'a>> {
        match first {
            b'"' => self.string().map(Part::Text),
            b'n' => self.literal(4, Part::Null),
            b't' => self.literal(4, Part::Bool(true)),
            b'f' => self.literal(5, Part::Bool(false)),
            _ => self.number().map(Part::Number),
        }
    }

    /// A list or an object.
    fn inside(&mut self, mut names: Names<'_>, deeper: u8) -> Option<()> {
        let deeper = deeper.checked_sub(1)?;
        let (start, mut len) = (self.parts.len(), 0);
        let (mut seen, mut maybe_twice) = (0, false);
        self.parts.push(Part::Null);
        self.at += 1;
        while self.more()? {
            len += 1;
            match &mut names {
                Names::None => {}
                Names::Given(names) => self.parts.push(Part::Text(Cow::Borrowed(*names.next()?))),
                Names::Told => {
                    let name = self.name()?;
                    let bit = bit(&name);
                    maybe_twice |= seen & bit != 0;
                    seen |= bit;
                    self.parts.push(Part::Text(name));
                }
            }
            self.value(deeper)?;
        }
        let inside = Inside { len, parts: self.parts.len() - start - 1 };
        self.parts[start] = match names {
            Names::None => Part::List(inside),
            _ => Part::Members(inside),
        };
        self.twice |= maybe_twice && has_twice(&self.parts[start..], len);
        Some(())
    }

    /// The next value, if it is a text in which nothing is escaped.
    #[inline]
    pub(in crate::check) fn plain_text(&mut self) -> Option<&'a str> {
        match self.peek()? {
            b'"' => self.unescaped().ok(),
            _ => None,
        }
    }

    #[inline]
    fn string(&mut self) -> Option<Cow<'a, str>> {
        match self.unescaped() {
            Ok(text) => Some(Cow::Borrowed(text)),
            Err(backslash) => self.escaped(backslash?),
        }
    }

    /// A string, unless there is a backslash in it: where, if it has an end at all.
    #[inline]
    fn unescaped(&mut self) -> Result<&'a str, Option<usize>> {
        let start = self.at + 1;
        let text = self.text.as_bytes().get(start..).ok_or(None)?;
        let end = start + special(text).ok_or(None)?;
        if self.text.as_bytes()[end] == b'\\' {
            return Err(Some(end));
        }
        let text = self.text.get(start..end).ok_or(None)?;
        self.at = end + 1;
        Ok(text)
    }

    /// A string in which there is a backslash.
    #[cold]
    fn escaped(&mut self, backslash: usize) -> Option<Cow<'a, str>> {
        let (start, mut end) = (self.at, backslash);
        while self.text.as_bytes().get(end)? != &b'"' {
            end += 2;
            end += special(self.text.as_bytes().get(end..)?)?;
        }
        self.at = end + 1;
        serde_json::from_str(self.text.get(start..=end)?).ok().map(Cow::Owned)
    }

    fn number(&mut self) -> Option<Number> {
        match self.digits() {
            Some(number) => Some(number.into()),
            None => self.long_number(),
        }
    }

    /// The next value, if it is a number of a few digits and nothing else.
    #[inline]
    pub(in crate::check) fn digits(&mut self) -> Option<u64> {
        self.peek()?;
        let rest = self.rest();
        let mut short = 0;
        for (at, byte) in rest.iter().enumerate() {
            match byte {
                b'0'..=b'9' if at < FEW_DIGITS => short = short * 10 + u64::from(byte - b'0'),
                b'0'..=b'9' | b'.' | b'e' | b'E' => break,
                _ if at > 0 => {
                    self.at += at;
                    return Some(short);
                }
                _ => break,
            }
        }
        None
    }

    /// A number that is not just some digits.
    #[cold]
    fn long_number(&mut self) -> Option<Number> {
        let rest = self.rest();
        let is_of_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let len = rest.iter().position(|it| !is_of_number(it)).unwrap_or(rest.len());
        let start = self.at;
        self.at += len;
        self.text.get(start..self.at)?.parse().ok()
    }

    fn literal(&mut self, len: usize, part: Part<'a>) -> Option<Part<'a>> {
        self.at += len;
        Some(part)
    }
}

/// Where the first quote or backslash is. Most texts are so short that a search for
/// longer ones would take longer to begin.
fn special(text: &[u8]) -> Option<usize> {
    let (words, _) = text.as_chunks::<8>();
    let near = &words[..words.len().min(NEAR)];
    for (at, word) in near.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = first_of(word, b'"') | first_of(word, b'\\');
        if found != 0 {
            return Some(at * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let near = near.as_flattened().len();
    memchr2(b'"', b'\\', &text[near..]).map(|at| near + at)
}

/// The highest bit of the first byte that is this one, and maybe of some behind it.
fn first_of(word: u64, byte: u8) -> u64 {
    let ones = u64::from_le_bytes([1; 8]);
    let zero = word ^ (ones * u64::from(byte));
    zero.wrapping_sub(ones) & !zero & (ones << 7)
}

/// Two names with the same bit may be the same, others are not.
fn bit(name: &str) -> u64 {
    let ends = name.as_bytes().first().zip(name.as_bytes().last());
    let (first, last) = ends.map_or((0, 0), |(first, last)| (usize::from(*first), usize::from(*last)));
    1 << ((name.len() * 7 + first * 5 + last) % 64)
}

/// Whether two members of an object have the same name.
fn has_twice(parts: &[Part<'_>], len: usize) -> bool {
    let Some((object, _)) = first(parts) else { return false };
    let mut names = object.members().map(|(name, _)| name);
    if len > FEW_MEMBERS {
        let mut seen = HashSet::with_capacity(len);
        return !names.all(|name| seen.insert(name));
    }
    while let Some(name) = names.next() {
        if names.clone().any(|other| other == name) {
            return true;
        }
    }
    false
}
