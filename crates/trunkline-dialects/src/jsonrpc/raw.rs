//! [`RawJson`]: a value still as JSON text.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Unwritable;

/// A value as JSON text: borrowed from the message it came in, or owned.
///
/// Decoding is left to whoever knows the type. Equality compares the spelling,
/// not the value.
///
/// ```
/// use trunkline_dialects::jsonrpc::RawJson;
///
/// let raw = RawJson::of(&[1, 2])?;
/// assert_eq!(raw.as_raw(), "[1,2]");
/// assert_eq!(raw.decode::<(u8, u8)>()?, (1, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawJson<'a>(Cow<'a, str>);

impl<'a> RawJson<'a> {
    /// Writes `value` as JSON.
    ///
    /// # Errors
    ///
    /// Fails if the value's `Serialize` does, or if it has a map whose keys are
    /// not text.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, Unwritable> {
        Ok(Self(Cow::Owned(serde_json::to_string(value)?)))
    }

    /// Takes text that the scanner, or the writer, has made sure of.
    #[inline(always)]
    pub(super) const fn trusted(text: Cow<'a, str>) -> Self {
        Self(text)
    }

    /// The text as spelled.
    #[must_use]
    pub fn as_raw(&self) -> &str {
        &self.0
    }

    /// The text as spelled, still borrowed from the message if it was.
    #[must_use]
    pub fn into_raw(self) -> Cow<'a, str> {
        self.0
    }

    /// Decodes the value.
    ///
    /// # Errors
    ///
    /// Fails if the value does not fit `T`.
    pub fn decode<'de, T: Deserialize<'de>>(&'de self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }

    /// The same, with text of its own.
    #[must_use]
    pub fn into_owned(self) -> RawJson<'static> {
        RawJson(Cow::Owned(self.0.into_owned()))
    }
}
