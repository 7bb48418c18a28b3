//! [`Params`]: the parameters of a call, still as JSON text.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{RawJson, Unwritable};

/// Parameters as JSON text: always an array (by position) or an object (by name).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Params<'a>(RawJson<'a>);

impl<'a> Params<'a> {
    /// Writes `value` as parameters; a value that is written as `null`, such as
    /// `()`, means none.
    ///
    /// ```
    /// use trunkline_dialects::jsonrpc::Params;
    ///
    /// assert_eq!(Params::of(&(42, 23))?.unwrap().as_raw(), "[42,23]");
    /// assert_eq!(Params::of(&())?, None);
    /// assert!(Params::of("alone").is_err());
    /// # Ok::<(), trunkline_dialects::jsonrpc::Unwritable>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the value cannot be written as JSON, or is a string, a number or
    /// a boolean.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Option<Self>, Unwritable> {
        let raw = RawJson::of(value)?;
        match raw.as_raw().as_bytes().first() {
            Some(b'[' | b'{') => Ok(Some(Self(raw))),
            Some(b'n') => Ok(None),
            _ => Err(Unwritable::ScalarParams),
        }
    }

    /// Takes the text of an array or object from the scanner.
    #[inline(always)]
    pub(super) const fn trusted(text: Cow<'a, str>) -> Self {
        Self(RawJson::trusted(text))
    }

    /// Whether the parameters are an object.
    #[must_use]
    pub fn by_name(&self) -> bool {
        self.as_raw().starts_with('{')
    }

    /// The text as spelled, or, where [`Rules::wrap_scalar_params`](super::Rules::wrap_scalar_params)
    /// took effect, with brackets around it.
    #[must_use]
    pub fn as_raw(&self) -> &str {
        self.0.as_raw()
    }

    /// [`as_raw`](Self::as_raw), still borrowed from the message if it was.
    #[must_use]
    pub fn into_raw(self) -> Cow<'a, str> {
        self.0.into_raw()
    }

    /// Decodes the parameters.
    ///
    /// # Errors
    ///
    /// Fails if they do not fit `T`; the answer to that is
    /// [`ErrorObject::invalid_params`](super::ErrorObject::invalid_params).
    pub fn decode<'de, T: Deserialize<'de>>(&'de self) -> Result<T, serde_json::Error> {
        self.0.decode()
    }

    /// The same, with text of their own.
    #[must_use]
    pub fn into_owned(self) -> Params<'static> {
        Params(self.0.into_owned())
    }
}
