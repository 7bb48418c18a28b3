//! [`Id`]: the id of a message, kept as spelled.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};

use super::decimal::Decimal;
use super::scan::{self, MAX_DEPTH};
use super::string;

/// The id of a message: a string, a number or null, kept as spelled.
///
/// A reply echoes [`as_raw`](Self::as_raw), so `1.0` or forty digits come back
/// bit for bit. Ids are equal when both are strings with the same text, or both
/// are numbers with the same value, however they are spelled.
///
/// ```
/// use trunkline_dialects::jsonrpc::Id;
///
/// assert_eq!(Id::from_raw("1").unwrap(), Id::from_raw("10e-1").unwrap());
/// assert_eq!(Id::from_raw(r#""\u0061""#).unwrap(), Id::from("a"));
/// assert_ne!(Id::from(1), Id::from("1"));
/// ```
#[derive(Clone, Debug)]
pub struct Id<'a> {
    raw: Cow<'a, str>,
}

impl<'a> Id<'a> {
    /// How many bytes the id of a request may have as spelled, quotes and escapes
    /// included: as long as the call runs, the id is kept beside what bounds its
    /// arguments and its answer, and each answer repeats it.
    ///
    /// ```
    /// use trunkline_dialects::jsonrpc::{Document, Id, Rules, read};
    ///
    /// let id = "7".repeat(Id::LONGEST + 1);
    /// let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tick"}}"#);
    /// let Document::One(Err(invalid)) = read(&text, &Rules::default())? else { panic!("valid") };
    /// assert!(invalid.id.is_none());
    /// # Ok::<(), trunkline_dialects::jsonrpc::NotJson>(())
    /// ```
    pub const LONGEST: usize = 1 << 20;

    /// The id `null`.
    pub const NULL: Self = Id { raw: Cow::Borrowed("null") };

    /// Takes the JSON text of an id; nothing if it is not the text of a string,
    /// a number or null, with nothing around it.
    #[must_use]
    pub fn from_raw(raw: &'a str) -> Option<Self> {
        let end = scan::value(raw.as_bytes(), 0, MAX_DEPTH, 0).ok()?;
        if end == raw.len() { Self::scanned(raw) } else { None }
    }

    /// Takes a value from the scanner; nothing if it is of the wrong type.
    #[inline(always)]
    pub(super) fn scanned(raw: &'a str) -> Option<Self> {
        match raw.as_bytes().first() {
            Some(b'"' | b'-' | b'0'..=b'9' | b'n') => Some(Self { raw: Cow::Borrowed(raw) }),
            _ => None,
        }
    }

    /// The JSON text as spelled: what a reply carries.
    #[must_use]
    pub fn as_raw(&self) -> &str {
        &self.raw
    }

    /// [`as_raw`](Self::as_raw), still borrowed from the message if it was.
    #[must_use]
    pub fn into_raw(self) -> Cow<'a, str> {
        self.raw
    }

    /// Whether it is longer than [`LONGEST`](Self::LONGEST), which in a request
    /// no id may be.
    #[must_use]
    #[inline]
    pub fn is_too_long(&self) -> bool {
        self.raw.len() > Self::LONGEST
    }

    /// Whether the id is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.raw == "null"
    }

    /// The text of a string id, with escapes resolved. Nothing for numbers, null,
    /// and strings with a lone surrogate, which are no text.
    #[must_use]
    pub fn as_str(&self) -> Option<Cow<'_, str>> {
        string::text(&self.raw, self.raw.contains('\\'))
    }

    /// The value of a number id that is a whole number from 0 to 2^64 - 1, however
    /// it is spelled.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        let digits = self.raw.as_bytes();
        if digits.len() < 20 && digits.iter().all(u8::is_ascii_digit) {
            return Some(digits.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0')));
        }
        self.as_decimal()?.to_integer()?.try_into().ok()
    }

    fn as_decimal(&self) -> Option<Decimal<'_>> {
        matches!(self.raw.as_bytes().first(), Some(b'-' | b'0'..=b'9')).then(|| Decimal::of(&self.raw))
    }

    /// The same, with text of its own.
    #[must_use]
    pub fn into_owned(self) -> Id<'static> {
        Id { raw: Cow::Owned(self.raw.into_owned()) }
    }
}

impl PartialEq for Id<'_> {
    fn eq(&self, other: &Self) -> bool {
        if self.raw == other.raw {
            return true;
        }
        match (self.as_decimal(), other.as_decimal()) {
            (Some(one), Some(other)) => one == other,
            (None, None) => matches!((self.as_str(), other.as_str()), (Some(a), Some(b)) if a == b),
            _ => false,
        }
    }
}

impl Eq for Id<'_> {}

impl Hash for Id<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if let Some(number) = self.as_decimal() {
            number.hash(state);
        } else if let Some(text) = self.as_str() {
            text.hash(state);
        } else {
            self.raw.hash(state);
        }
    }
}

macro_rules! from_integer {
    ($($integer:ty)*) => {$(
        impl From<$integer> for Id<'_> {
            fn from(number: $integer) -> Self {
                Id { raw: Cow::Owned(itoa::Buffer::new().format(number).to_owned()) }
            }
        }
    )*};
}

from_integer!(u8 u16 u32 u64 i8 i16 i32 i64);

impl From<&str> for Id<'_> {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<String> for Id<'_> {
    fn from(text: String) -> Self {
        Id { raw: Cow::Owned(serde_json::Value::String(text).to_string()) }
    }
}
