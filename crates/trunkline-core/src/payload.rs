//! [`Payload`]: a value that is still encoded, and [`Format`], how.
//!
//! Arguments stay the bytes they came as until the procedure is known, and are
//! then decoded once, straight into its types. This is the only module that
//! lists the value formats.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// How a value is written as bytes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Format {
    /// JSON, as in RFC 8259.
    Json,
    /// The same, for dialects whose answers have a code of their own: one that a
    /// procedure [gives](crate::Response) stands before the value.
    CodedJson,
}

/// An encoded value, borrowed from the frame it came in.
///
/// ```
/// # use trunkline_core::Payload;
/// let payload = Payload::Json("[6, 2]");
/// assert_eq!(payload.decode::<(u8, u8)>()?, (6, 2));
/// # Ok::<(), trunkline_core::DecodeError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Payload<'a> {
    /// One well-formed JSON value.
    Json(&'a str),
}

impl<'a> Payload<'a> {
    /// The format the value is encoded in.
    #[must_use]
    pub fn format(&self) -> Format {
        match self {
            Self::Json(_) => Format::Json,
        }
    }

    /// How many bytes it takes, as it is encoded.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Json(text) => text.len(),
        }
    }

    /// The value as it is encoded.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        match self {
            Self::Json(text) => text.as_bytes(),
        }
    }

    /// Decodes the value.
    ///
    /// # Errors
    ///
    /// Fails if the value does not fit `T`; the error says where.
    pub fn decode<T: Deserialize<'a>>(&self) -> Result<T, DecodeError> {
        match self {
            Self::Json(text) => serde_json::from_str(text).map_err(DecodeError::new),
        }
    }

    /// Copies the value, so that it can outlive its frame.
    #[must_use]
    pub fn to_owned(&self) -> OwnedPayload {
        match self {
            Self::Json(text) => OwnedPayload::Json((*text).into()),
        }
    }
}

/// An encoded value that owns its bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum OwnedPayload {
    /// One well-formed JSON value.
    Json(Box<str>),
}

impl OwnedPayload {
    /// Encodes `value` in `format`.
    ///
    /// # Errors
    ///
    /// Fails if the value has no form in `format`, such as a JSON map whose
    /// keys are not strings.
    pub fn encode(value: &(impl Serialize + ?Sized), format: Format) -> Result<Self, EncodeError> {
        match format {
            Format::Json | Format::CodedJson => {
                Ok(Self::Json(written(|| serde_json::to_string(value))?.into()))
            }
        }
    }

    /// The same value, borrowed.
    #[must_use]
    pub fn borrow(&self) -> Payload<'_> {
        match self {
            Self::Json(text) => Payload::Json(text),
        }
    }

    /// Decodes the value.
    ///
    /// # Errors
    ///
    /// Fails if the value does not fit `T`; the error says where.
    pub fn decode<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        self.borrow().decode()
    }
}

/// A value inside of another one, left as it is spelled.
impl<'de> Deserialize<'de> for OwnedPayload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::Json(Box::<RawValue>::deserialize(deserializer)?.into()))
    }
}

/// An encoded value that is borrowed, or had to be spelled anew.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "borrowed and owned are all there is")]
pub enum CowPayload<'a> {
    /// Still where it arrived.
    Borrowed(Payload<'a>),
    /// Spelled anew.
    Owned(OwnedPayload),
}

impl CowPayload<'_> {
    /// The value, borrowed.
    #[must_use]
    pub fn borrow(&self) -> Payload<'_> {
        match self {
            Self::Borrowed(payload) => *payload,
            Self::Owned(payload) => payload.borrow(),
        }
    }
}

/// A value that can be encoded in any [`Format`]: whatever serde can serialize.
///
/// The object-safe form of [`Serialize`], for the places where a type parameter
/// would go on for ever.
pub trait Encode {
    /// Appends the value to `buffer`.
    ///
    /// # Errors
    ///
    /// Fails if the value has no form in `format`; `buffer` may then end in a
    /// piece of it.
    fn encode(&self, format: Format, buffer: &mut Vec<u8>) -> Result<(), EncodeError>;
}

impl<T: Serialize + ?Sized> Encode for T {
    fn encode(&self, format: Format, buffer: &mut Vec<u8>) -> Result<(), EncodeError> {
        match format {
            Format::Json | Format::CodedJson => written(|| serde_json::to_writer(buffer, self)),
        }
    }
}

/// Writes a value, which is user code: one that panics has no form either.
fn written<T>(write: impl FnOnce() -> serde_json::Result<T>) -> Result<T, EncodeError> {
    let written = catch_unwind(AssertUnwindSafe(write)).unwrap_or_else(|_| Err(panicked()));
    written.map_err(EncodeError)
}

#[cold]
fn panicked() -> serde_json::Error {
    serde::ser::Error::custom("encoding it panicked, in an implementation of Serialize")
}

impl fmt::Debug for dyn Encode + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value") // never the value: it may be a secret
    }
}

/// A payload could not be decoded into the type that was asked for.
///
/// Says what was wrong and where; a long value that it quotes is cut short.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct DecodeError(String);

impl DecodeError {
    /// Decoders quote the value they could not take, which may be a whole message.
    #[cold]
    fn new(error: impl fmt::Display) -> Self {
        const LONGEST: usize = 300;
        let text = error.to_string();
        if text.len() <= LONGEST {
            return Self(text);
        }
        let (head, tail) = (text.floor_char_boundary(LONGEST - 80), text.ceil_char_boundary(text.len() - 80));
        Self(format!("{} … {}", &text[..head], &text[tail..]))
    }
}

/// A value has no form in the format it should be encoded in.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct EncodeError(pub(crate) serde_json::Error);

impl EncodeError {
    /// What is said of what has no form in a dialect, whatever the value.
    #[must_use]
    pub fn unspeakable(why: &str) -> Self {
        Self(serde::ser::Error::custom(why))
    }
}
