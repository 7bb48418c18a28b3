//! [`Response`]: a result with a code of its own, for dialects that have such codes.

use crate::{fault::Fault, outcome::Outcome, procedure::Running, reply::Reply, schema::Schemas};
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use std::{
    borrow::Cow,
    pin::Pin,
    task::{Context as TaskContext, Poll, ready},
};

/// The code of a success that says nothing of it.
const OK: i64 = 200;
/// Stands before a result that is not plain, and between its parts: in no JSON text is
/// there such a byte.
const MARK: u8 = 0;

/// A success with a code, a message, or without data, as callers in the dialect of
/// @therms may have it. To all others it is its data, or null.
///
/// A handler that has nothing to say but data returns just that. Failures are
/// [`Fault`]s, which may have a code too.
///
/// ```
/// use trunkline_core::{Fault, Response, Router};
///
/// async fn create(name: String) -> Result<Response<String>, Fault> {
///     match name.as_str() {
///         "" => Err(Fault::from("a name is needed").with_code(409)),
///         _ => Ok(Response::new(name).with_code(201).with_message("created")),
///     }
/// }
///
/// let router = Router::new()
///     .procedure("rooms.create", create)
///     .procedure("rooms.sweep", async || Response::without_data(204));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Response<T> {
    code: i64,
    message: Option<Cow<'static, str>>,
    data: Option<T>,
}

impl<T> Response<T> {
    /// A success with code 200 and this data.
    #[must_use]
    pub fn new(data: T) -> Self {
        Self { code: OK, message: None, data: Some(data) }
    }

    /// The same with another code, by convention a status of HTTP.
    #[must_use]
    pub fn with_code(mut self, code: i64) -> Self {
        self.code = code;
        self
    }

    /// The same with a message for people to read.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// What it says of itself but for its code and message.
    #[must_use]
    pub fn data(&self) -> Option<&T> {
        self.data.as_ref()
    }

    /// Whether it is its data, and nothing else.
    pub(crate) fn is_plain(&self) -> bool {
        self.code == OK && self.message.is_none() && self.data.is_some()
    }

    /// Appends what stands before its data.
    pub(crate) fn write_head(&self, out: &mut Vec<u8>) {
        // a text always has a form in JSON
        let message = self.message.as_ref().and_then(|text| serde_json::to_string(text).ok());
        Written { code: &self.code.to_string(), message: message.as_deref(), data: None }.write(out);
    }
}

impl Response<()> {
    /// A success with this code and no data at all.
    #[must_use]
    pub fn without_data(code: i64) -> Self {
        Self { code, message: None, data: None }
    }
}

/// A result that says more than its data, as it was [written](Reply::write_response).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "what a response has")]
pub struct Written<'a> {
    /// Its code, in digits.
    pub code: &'a str,
    /// Its message, as JSON.
    pub message: Option<&'a str>,
    /// Its data, as JSON.
    pub data: Option<&'a str>,
}

impl<'a> Written<'a> {
    /// Appends it, as [`read`](Self::read) takes it apart.
    pub fn write(&self, out: &mut Vec<u8>) {
        let parts = [self.code, self.message.unwrap_or_default(), self.data.unwrap_or_default()];
        for part in parts {
            out.push(MARK);
            out.extend_from_slice(part.as_bytes());
        }
    }

    /// Takes apart what was written; `None` if that is just data.
    #[must_use]
    pub fn read(written: &'a [u8]) -> Option<Self> {
        if *written.first()? != MARK {
            return None;
        }
        let text = std::str::from_utf8(written.get(1..)?).ok()?;
        let mut parts = text.split(char::from(MARK));
        let code = parts.next()?;
        let mut part = || Some(parts.next()?).map(|part| Some(part).filter(|part| !part.is_empty()));
        Some(Self { code, message: part()?, data: part()? })
    }
}

/// What is, or may fail to be, a [`Response`].
trait IntoResponse {
    type Data: Serialize + JsonSchema;

    fn into_response(self) -> Result<Response<Self::Data>, Fault>;
}

impl<T: Serialize + JsonSchema> IntoResponse for Response<T> {
    type Data = T;

    fn into_response(self) -> Result<Self, Fault> {
        Ok(self)
    }
}

impl<T: Serialize + JsonSchema, E: Into<Fault>> IntoResponse for Result<Response<T>, E> {
    type Data = T;

    fn into_response(self) -> Result<Response<T>, Fault> {
        self.map_err(Into::into)
    }
}

/// Marks what comes to a response.
#[derive(Debug)]
pub struct Coded;

impl<R: IntoResponse> Outcome<Coded> for R {
    const STREAMS: bool = false;

    type Running<F: Future<Output = Self> + Send + 'static> = ToResponse<F>;

    fn running<F: Future<Output = Self> + Send + 'static>(future: F) -> ToResponse<F> {
        ToResponse { future }
    }

    fn schema(schemas: &mut Schemas) -> Schema {
        schemas.of_result::<R::Data>()
    }
}

pin_project_lite::pin_project! {
    /// A call that comes to a response.
    pub struct ToResponse<F> {
        #[pin]
        future: F,
    }
}

impl<F> Running for ToResponse<F>
where
    F: Future<Output: IntoResponse> + Send,
{
    fn poll(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Poll<Result<(), Fault>> {
        let outcome = ready!(self.project().future.poll(cx));
        Poll::Ready(outcome.into_response().and_then(|response| reply.write_response(&response)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    fn written(response: &Response<impl Serialize>, format: Format) -> Vec<u8> {
        let mut buffer = Vec::new();
        Reply::new(&mut buffer, format, 100).write_response(response).unwrap();
        buffer
    }

    #[test]
    fn what_says_more_than_its_data_says_it_where_it_is_heard() {
        let created = Response::new("x\0y").with_code(201).with_message("a\0b");
        assert_eq!(written(&created, Format::Json), br#""x\u0000y""#);
        let coded = written(&created, Format::CodedJson);
        let (message, data) = (Some(r#""a\u0000b""#), Some(r#""x\u0000y""#));
        assert_eq!(Written::read(&coded), Some(Written { code: "201", message, data }));

        let nothing = Response::without_data(204);
        assert_eq!(written(&nothing, Format::Json), b"null");
        let coded = written(&nothing, Format::CodedJson);
        assert_eq!(Written::read(&coded), Some(Written { code: "204", message: None, data: None }));
    }

    #[test]
    fn what_is_just_data_is_written_so() {
        for format in [Format::Json, Format::CodedJson] {
            let plain = written(&Response::new(1), format);
            assert_eq!((&*plain, Written::read(&plain)), (&b"1"[..], None));
        }
    }
}
