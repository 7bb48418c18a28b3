//! [`Invalid`]: JSON, but no message.

use super::Id;

/// A value that is JSON, but not a message of the protocol.
///
/// Answered with [`ErrorObject::invalid_request`](super::ErrorObject::invalid_request),
/// unless it looks like a response: responses are never answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Invalid<'a> {
    /// The id an error reply carries: that of the message, if it has exactly one
    /// and that is a string or a number of no more than [`Id::LONGEST`] bytes, and
    /// no member is repeated. Else null.
    pub id: Option<Id<'a>>,
    /// What is wrong.
    pub reason: InvalidReason,
    /// Whether there was a member `id`, valid or not.
    pub had_id: bool,
    /// Whether it would have been a response: it has `result` or `error`, but no `method`.
    pub looks_like_response: bool,
    /// The call that a malformed response would have answered. It fails with it,
    /// also where `id` is null because another member is repeated.
    pub answers: Option<Id<'a>>,
}

impl Invalid<'_> {
    /// Something that is no object.
    #[cold]
    pub(super) const fn bare(reason: InvalidReason) -> Self {
        Self { id: None, reason, had_id: false, looks_like_response: false, answers: None }
    }

    /// The same, with text of its own.
    #[must_use]
    pub fn into_owned(self) -> Invalid<'static> {
        Invalid {
            id: self.id.map(Id::into_owned),
            reason: self.reason,
            had_id: self.had_id,
            looks_like_response: self.looks_like_response,
            answers: self.answers.map(Id::into_owned),
        }
    }
}

/// What makes a value no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidReason {
    /// Neither an object nor, on the outside, an array.
    #[error("a message must be an object")]
    NotAnObject,
    /// `[]`.
    #[error("a batch must have at least one element")]
    EmptyBatch,
    /// A member of the protocol occurs twice.
    #[error("the member `{0}` is repeated")]
    Repeated(&'static str),
    /// `id` is a boolean, an array or an object.
    #[error("`id` must be a string, a number or null")]
    IdType,
    /// `id` of a request is longer than [`Id::LONGEST`].
    #[error("`id` must have no more than {} bytes as spelled", Id::LONGEST)]
    IdLength,
    /// `id` is null, and [`NullId::Reject`](super::NullId::Reject) is set.
    #[error("`id` must not be null here (null_id)")]
    NullId,
    /// `jsonrpc` is missing or something else than `"2.0"`.
    #[error("`jsonrpc` must be \"2.0\"")]
    Version,
    /// Neither `method` nor `result` nor `error`.
    #[error("there is no `method`, and no `result` or `error` either")]
    NoMethod,
    /// `method` is not a string.
    #[error("`method` must be a string")]
    MethodType,
    /// `method` has a surrogate escape without its other half.
    #[error("`method` must be text; it contains a lone surrogate escape")]
    MethodText,
    /// `params` is a string, a number or a boolean.
    #[error("`params` must be an array or an object")]
    ParamsType,
    /// `params` is null, and [`Rules::reject_null_params`](super::Rules::reject_null_params) is set.
    #[error("`params` must not be null here, but left out (null_params)")]
    NullParams,
    /// A result without an id.
    #[error("a response with a `result` must have an `id`")]
    ResultWithoutId,
    /// Both `result` and `error`, and neither is null.
    #[error("a response must have either `result` or `error`, not both")]
    ResultAndError,
    /// `error` is not an object with a code and a message.
    #[error("`error` must be an object with an integer `code` and a string `message`, each once")]
    ErrorShape,
}
