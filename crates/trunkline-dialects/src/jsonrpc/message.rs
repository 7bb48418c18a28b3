//! [`Message`]: the four kinds of message, to read and to write.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use super::{Document, ErrorObject, Id, Invalid, Params, RawJson, Rules, Unwritable, read, write};

/// A message: one of the four kinds the protocol has.
///
/// Read from text it borrows from it; [`into_owned`](Self::into_owned) lets it outlive the text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the protocol has four kinds of message and no more")]
pub enum Message<'a> {
    /// A call that wants an answer.
    Request(Request<'a>),
    /// A call that wants none.
    Notification(Notification<'a>),
    /// The answer to a call that succeeded.
    Success(Success<'a>),
    /// The answer to a call that failed.
    Failure(Failure<'a>),
}

impl<'a> Message<'a> {
    /// Reads the text of a single message by the default [`Rules`].
    ///
    /// [`read`] is for whoever expects batches or has rules of his own.
    ///
    /// ```
    /// use trunkline_dialects::jsonrpc::Message;
    ///
    /// let Message::Request(request) = Message::parse(r#"{"jsonrpc":"2.0","id":1,"method":"add"}"#)? else {
    ///     panic!("not a request");
    /// };
    /// assert_eq!(request.method, "add");
    /// # Ok::<(), trunkline_dialects::jsonrpc::Failure>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the text is not JSON, is no message, or is a batch. The error is
    /// the reply to send.
    pub fn parse(text: &'a str) -> Result<Self, Failure<'static>> {
        match read(text, &Rules::default()) {
            Ok(Document::One(Ok(message))) => Ok(message),
            Ok(Document::One(Err(invalid))) => Err(Failure::from(invalid).into_owned()),
            Ok(Document::Batch(_) | Document::TooLarge { .. }) => {
                let error = ErrorObject::invalid_request().explained(&"expected one message, not a batch");
                Err(Failure::new(None, error))
            }
            Err(not_json) => Err(Failure::new(None, ErrorObject::from(&not_json))),
        }
    }

    /// Appends the message to `out`, on one line.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Request(request) => request.write_to(out),
            Self::Notification(notification) => notification.write_to(out),
            Self::Success(success) => success.write_to(out),
            Self::Failure(failure) => failure.write_to(out),
        }
    }

    /// The same message with text of its own.
    #[must_use]
    pub fn into_owned(self) -> Message<'static> {
        match self {
            Self::Request(request) => Message::Request(request.into_owned()),
            Self::Notification(notification) => Message::Notification(notification.into_owned()),
            Self::Success(success) => Message::Success(success.into_owned()),
            Self::Failure(failure) => Message::Failure(failure.into_owned()),
        }
    }
}

/// A call that wants an answer.
///
/// ```
/// use trunkline_dialects::jsonrpc::Request;
///
/// let request = Request::new(1, "subtract", &(42, 23))?;
/// assert_eq!(request.to_string(), r#"{"jsonrpc":"2.0","id":1,"method":"subtract","params":[42,23]}"#);
/// # Ok::<(), trunkline_dialects::jsonrpc::Unwritable>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// What the answer will carry.
    pub id: Id<'a>,
    /// What to call, with escapes resolved.
    pub method: Cow<'a, str>,
    /// The parameters; absent and `null` are both none.
    pub params: Option<Params<'a>>,
}

impl<'a> Request<'a> {
    /// Builds a request; `&()` stands for no parameters.
    ///
    /// # Errors
    ///
    /// Fails if `params` cannot be written as JSON, or is a string, a number or a boolean.
    pub fn new<T: Serialize + ?Sized>(
        id: impl Into<Id<'a>>,
        method: impl Into<Cow<'a, str>>,
        params: &T,
    ) -> Result<Self, Unwritable> {
        Ok(Self { id: id.into(), method: method.into(), params: Params::of(params)? })
    }

    /// Appends the message to `out`, on one line.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        write::request_head(out, self.id.as_raw(), &self.method);
        write_params(out, self.params.as_ref());
    }

    /// The same message with text of its own.
    #[must_use]
    pub fn into_owned(self) -> Request<'static> {
        Request {
            id: self.id.into_owned(),
            method: Cow::Owned(self.method.into_owned()),
            params: self.params.map(Params::into_owned),
        }
    }
}

/// A call that wants no answer.
///
/// ```
/// use trunkline_dialects::jsonrpc::Notification;
///
/// let tick = Notification::new("tick", &())?;
/// assert_eq!(tick.to_string(), r#"{"jsonrpc":"2.0","method":"tick"}"#);
/// # Ok::<(), trunkline_dialects::jsonrpc::Unwritable>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification<'a> {
    /// What to call, with escapes resolved.
    pub method: Cow<'a, str>,
    /// The parameters; absent and `null` are both none.
    pub params: Option<Params<'a>>,
}

impl<'a> Notification<'a> {
    /// Builds a notification; `&()` stands for no parameters.
    ///
    /// # Errors
    ///
    /// Fails if `params` cannot be written as JSON, or is a string, a number or a boolean.
    pub fn new<T: Serialize + ?Sized>(
        method: impl Into<Cow<'a, str>>,
        params: &T,
    ) -> Result<Self, Unwritable> {
        Ok(Self { method: method.into(), params: Params::of(params)? })
    }

    /// Appends the message to `out`, on one line.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        write::notification_head(out, &self.method);
        write_params(out, self.params.as_ref());
    }

    /// The same message with text of its own.
    #[must_use]
    pub fn into_owned(self) -> Notification<'static> {
        Notification {
            method: Cow::Owned(self.method.into_owned()),
            params: self.params.map(Params::into_owned),
        }
    }
}

fn write_params(out: &mut Vec<u8>, params: Option<&Params<'_>>) {
    if let Some(params) = params {
        write::params_head(out);
        write::raw(out, params.as_raw());
    }
    write::close(out);
}

/// The answer to a call that succeeded.
///
/// ```
/// use trunkline_dialects::jsonrpc::Success;
///
/// let done = Success::new("a", &())?;
/// assert_eq!(done.to_string(), r#"{"jsonrpc":"2.0","id":"a","result":null}"#);
/// # Ok::<(), trunkline_dialects::jsonrpc::Unwritable>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Success<'a> {
    /// The id of the call.
    pub id: Id<'a>,
    /// What it gave: always there, maybe `null`.
    pub result: RawJson<'a>,
}

impl<'a> Success<'a> {
    /// Builds the answer; `&()` is written as `null`.
    ///
    /// # Errors
    ///
    /// Fails if `result` cannot be written as JSON.
    pub fn new<T: Serialize + ?Sized>(id: impl Into<Id<'a>>, result: &T) -> Result<Self, Unwritable> {
        Ok(Self { id: id.into(), result: RawJson::of(result)? })
    }

    /// Appends the message to `out`, on one line.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        write::success_head(out, self.id.as_raw());
        write::raw(out, self.result.as_raw());
        write::close(out);
    }

    /// The same message with text of its own.
    #[must_use]
    pub fn into_owned(self) -> Success<'static> {
        Success { id: self.id.into_owned(), result: self.result.into_owned() }
    }
}

/// The answer to a call that failed, or to something that was no call.
///
/// ```
/// use trunkline_dialects::jsonrpc::{ErrorObject, Failure, Id};
///
/// let failure = Failure::new(Id::from(1), ErrorObject::method_not_found());
/// assert_eq!(
///     failure.to_string(),
///     r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}"#,
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure<'a> {
    /// The id of the call; none if it is null or absent, so that it answers no call in particular.
    pub id: Option<Id<'a>>,
    /// What went wrong.
    pub error: ErrorObject<'a>,
}

impl<'a> Failure<'a> {
    /// Builds the answer; without an id it carries null.
    #[must_use]
    pub fn new(id: impl Into<Option<Id<'a>>>, error: ErrorObject<'a>) -> Self {
        Self { id: id.into().filter(|id| !id.is_null()), error }
    }

    /// Appends the message to `out`, on one line.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let ErrorObject { code, message, data } = &self.error;
        let id = self.id.as_ref().map(Id::as_raw);
        write::failure(out, id, *code, message, data.as_ref().map(RawJson::as_raw));
    }

    /// The same message with text of its own.
    #[must_use]
    pub fn into_owned(self) -> Failure<'static> {
        Failure { id: self.id.map(Id::into_owned), error: self.error.into_owned() }
    }
}

/// The answer to what is no message; its `data` says why.
impl<'a> From<Invalid<'a>> for Failure<'a> {
    fn from(invalid: Invalid<'a>) -> Self {
        let error = ErrorObject::from(&invalid);
        Self { id: invalid.id, error }
    }
}

impl std::error::Error for Failure<'_> {}

macro_rules! shown_as_written {
    ($($kind:ident)*) => {$(
        impl fmt::Display for $kind<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write::display(f, |out| self.write_to(out))
            }
        }
    )*};
}

shown_as_written!(Message Request Notification Success Failure);
