//! [`ReplyBody`]: the body of an HTTP response.

use super::line::Busy;
use http::{
    HeaderValue, Response, StatusCode,
    header::{ALLOW, CONTENT_TYPE},
};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::{
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

/// How much of a reply is handed to hyper at a time. It keeps what it was given
/// in a buffer that it never gives back, so that has to stay small.
const CHUNK: usize = 64 << 10;

pub(super) type BoxError = Box<dyn Error + Send + Sync>;
pub(super) type Reply = Response<ReplyBody>;

/// The body of an HTTP response: whole, or that of a mounted service.
#[derive(Default)]
pub struct ReplyBody {
    kind: Kind,
    _busy: Option<Busy>,
}

enum Kind {
    Whole(Bytes),
    Mounted(UnsyncBoxBody<Bytes, BoxError>),
}

impl Default for Kind {
    fn default() -> Self {
        Self::Whole(Bytes::new())
    }
}

impl ReplyBody {
    pub(super) fn mounted(body: UnsyncBoxBody<Bytes, BoxError>) -> Self {
        Self { kind: Kind::Mounted(body), _busy: None }
    }

    /// Keeps a line busy until the body has been sent.
    pub(super) fn hold(&mut self, busy: Busy) {
        self._busy = Some(busy);
    }
}

impl From<Vec<u8>> for ReplyBody {
    fn from(bytes: Vec<u8>) -> Self {
        Self { kind: Kind::Whole(bytes.into()), _busy: None }
    }
}

impl From<&'static str> for ReplyBody {
    fn from(text: &'static str) -> Self {
        Self { kind: Kind::Whole(Bytes::from_static(text.as_bytes())), _busy: None }
    }
}

/// A response in JSON.
pub(super) fn json(status: StatusCode, body: impl Into<ReplyBody>) -> Reply {
    with_type(status, HeaderValue::from_static("application/json"), body.into())
}

/// A response in words.
pub(super) fn text(status: StatusCode, body: impl Into<ReplyBody>) -> Reply {
    with_type(status, HeaderValue::from_static("text/plain; charset=utf-8"), body.into())
}

/// The answer to a method that is not `allowed`.
pub(super) fn not_allowed(allowed: &'static str) -> Reply {
    let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, "this address does not have that method");
    reply.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    reply
}

fn with_type(status: StatusCode, content_type: HeaderValue, body: ReplyBody) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, content_type);
    reply
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.kind {
            Kind::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Whole(bytes) => {
                let chunk = if bytes.len() > CHUNK { bytes.split_to(CHUNK) } else { std::mem::take(bytes) };
                Poll::Ready(Some(Ok(Frame::data(chunk))))
            }
            Kind::Mounted(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Whole(bytes) => bytes.is_empty(),
            Kind::Mounted(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Mounted(body) => body.size_hint(),
        }
    }
}

impl fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyBody").field("size", &self.size_hint().exact()).finish_non_exhaustive()
    }
}
