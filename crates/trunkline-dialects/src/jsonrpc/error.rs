//! [`ErrorObject`]: the `error` of a reply, and the codes of the protocol.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use super::{Invalid, NotJson, RawJson, Unwritable, write};

/// The codes trunkline writes of its own accord; applications use codes outside
/// -32768 to -32000.
pub mod code {
    /// The text is not JSON.
    pub const PARSE_ERROR: i64 = -32700;
    /// JSON, but not a request.
    pub const INVALID_REQUEST: i64 = -32600;
    /// No such method.
    pub const METHOD_NOT_FOUND: i64 = -32601;
    /// Parameters are missing, superfluous or of the wrong type.
    pub const INVALID_PARAMS: i64 = -32602;
    /// The handler failed in a way that is not the caller's business.
    pub const INTERNAL_ERROR: i64 = -32603;
    /// The handler failed with a text and no code of its own.
    pub const SERVER_ERROR: i64 = -32000;
    /// The document is over the limit.
    pub const REQUEST_TOO_BIG: i64 = -32007;
    /// The result would be over the limit.
    pub const RESPONSE_TOO_BIG: i64 = -32008;
    /// No capacity.
    pub const SERVER_BUSY: i64 = -32009;
    /// The batch has more elements than the limit.
    pub const BATCH_TOO_LARGE: i64 = -32010;
    /// The caller cancelled the request.
    pub const REQUEST_CANCELLED: i64 = -32800;
}

/// What went wrong with a call: a code, a message, and maybe data.
///
/// ```
/// use trunkline_dialects::jsonrpc::ErrorObject;
///
/// let error = ErrorObject::new(4001, "no such room").with_data(&["lobby"])?;
/// assert_eq!(error.to_string(), r#"{"code":4001,"message":"no such room","data":["lobby"]}"#);
/// # Ok::<(), trunkline_dialects::jsonrpc::Unwritable>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorObject<'a> {
    /// The code.
    pub code: i64,
    /// The message.
    pub message: Cow<'a, str>,
    /// Details, as JSON text. `null` and absent are two things.
    pub data: Option<RawJson<'a>>,
}

impl<'a> ErrorObject<'a> {
    /// An error of the application.
    #[must_use]
    pub fn new(code: i64, message: impl Into<Cow<'a, str>>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// The same error with `data`.
    ///
    /// # Errors
    ///
    /// Fails if `data` cannot be written as JSON.
    pub fn with_data<T: Serialize + ?Sized>(self, data: &T) -> Result<Self, Unwritable> {
        Ok(Self { data: Some(RawJson::of(data)?), ..self })
    }

    /// -32700: the text is not JSON.
    #[must_use]
    pub const fn parse_error() -> Self {
        Self::standard(code::PARSE_ERROR, "Parse error")
    }

    /// -32600: JSON, but not a request.
    #[must_use]
    pub const fn invalid_request() -> Self {
        Self::standard(code::INVALID_REQUEST, "Invalid Request")
    }

    /// -32601: no such method.
    #[must_use]
    pub const fn method_not_found() -> Self {
        Self::standard(code::METHOD_NOT_FOUND, "Method not found")
    }

    /// -32602: parameters are missing, superfluous or of the wrong type.
    #[must_use]
    pub const fn invalid_params() -> Self {
        Self::standard(code::INVALID_PARAMS, "Invalid params")
    }

    /// -32603: the handler failed in a way that is not the caller's business.
    #[must_use]
    pub const fn internal_error() -> Self {
        Self::standard(code::INTERNAL_ERROR, "Internal error")
    }

    const fn standard(code: i64, message: &'static str) -> Self {
        Self { code, message: Cow::Borrowed(message), data: None }
    }

    /// The same error with an explanation for its data.
    pub(super) fn explained(self, why: &dyn fmt::Display) -> Self {
        let text = serde_json::Value::String(why.to_string());
        Self { data: Some(RawJson::trusted(Cow::Owned(text.to_string()))), ..self }
    }

    /// Appends the object to `out`.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        write::error(out, self.code, &self.message, self.data.as_ref().map(RawJson::as_raw));
    }

    /// The same, with text of its own.
    #[must_use]
    pub fn into_owned(self) -> ErrorObject<'static> {
        ErrorObject {
            code: self.code,
            message: Cow::Owned(self.message.into_owned()),
            data: self.data.map(RawJson::into_owned),
        }
    }
}

impl fmt::Display for ErrorObject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write::display(f, |out| self.write_to(out))
    }
}

impl std::error::Error for ErrorObject<'_> {}

/// The answer to a text that is not JSON; `data` says where and why.
impl From<&NotJson> for ErrorObject<'static> {
    fn from(problem: &NotJson) -> Self {
        Self::parse_error().explained(problem)
    }
}

/// The answer to what is no message; `data` says why.
impl From<&Invalid<'_>> for ErrorObject<'static> {
    fn from(problem: &Invalid<'_>) -> Self {
        Self::invalid_request().explained(&problem.reason)
    }
}
