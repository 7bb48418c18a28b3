//! [`NotJson`]: why a text is no JSON document, and where.

use std::fmt;

/// The text is not a JSON document (RFC 8259), or nested too deeply.
///
/// The answer to it is [`ErrorObject::parse_error`](super::ErrorObject::parse_error) with id null.
///
/// ```
/// use trunkline_dialects::jsonrpc::{Rules, read};
///
/// let problem = read(r#"{"jsonrpc" "2.0"}"#, &Rules::default()).unwrap_err();
/// assert_eq!(problem.to_string(), "expected ':' after a member's name at byte 11");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotJson {
    /// The byte, counted from 0, at which the text stops being JSON.
    pub offset: usize,
    /// What is wrong there.
    pub reason: NotJsonReason,
    /// Whether the text simply ends at `offset`: more text might have made it JSON.
    pub at_end: bool,
}

impl NotJson {
    /// `reason` at `offset` of `bytes`.
    #[cold]
    pub(super) fn new(bytes: &[u8], offset: usize, reason: NotJsonReason) -> Box<Self> {
        let offset = offset.min(bytes.len());
        Box::new(Self { offset, reason, at_end: offset == bytes.len() })
    }
}

impl fmt::Display for NotJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.reason, self.offset)?;
        if self.at_end { f.write_str(", where the text ends") } else { Ok(()) }
    }
}

impl std::error::Error for NotJson {}

impl From<std::str::Utf8Error> for NotJson {
    fn from(error: std::str::Utf8Error) -> Self {
        Self {
            offset: error.valid_up_to(),
            reason: NotJsonReason::NotUtf8,
            at_end: error.error_len().is_none(),
        }
    }
}

/// What is wrong with a text that is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotJsonReason {
    /// No value where one must stand.
    #[error("expected a JSON value")]
    ExpectedValue,
    /// No member name where one must stand.
    #[error("expected a member's name in double quotes")]
    ExpectedName,
    /// No colon after a member name.
    #[error("expected ':' after a member's name")]
    ExpectedColon,
    /// An array goes on with something else than `,` or `]`.
    #[error("expected ',' or ']'")]
    ExpectedArrayEnd,
    /// An object goes on with something else than `,` or `}`.
    #[error("expected ',' or '}}'")]
    ExpectedObjectEnd,
    /// Something other than white space after the document.
    #[error("expected the end of the document")]
    ExpectedEnd,
    /// A number with a missing digit or a leading zero.
    #[error("expected a digit of a number")]
    ExpectedDigit,
    /// A string that does not end.
    #[error("expected the '\"' that ends a string")]
    ExpectedQuote,
    /// A backslash with something after it that JSON does not know.
    #[error("expected one of \"\\/bfnrt or u and four hexadecimal digits after '\\'")]
    ExpectedEscape,
    /// A raw control character inside a string.
    #[error("control character in a string, to be written as \\u00XX,")]
    ControlCharacter,
    /// Bytes that are not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// Arrays and objects inside each other over [`Rules::max_depth`](super::Rules::max_depth).
    #[error("nested deeper than {limit} levels (max_depth)")]
    TooDeep {
        /// The limit in force.
        limit: u8,
    },
}
