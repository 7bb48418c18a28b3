//! [`ReplyBody`]: the body of an HTTP response.

use super::{line::Busy, unsent::Share};
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
    task::{Context, Poll, ready},
};

/// How much of a reply is handed to hyper at a time. It keeps what it was given
/// in a buffer that it never gives back, so that has to stay small.
const CHUNK: usize = 64 << 10;
/// The same where it is counted, piece by piece, whether it moves.
const COUNTED_CHUNK: usize = 16 << 10;

pub(super) type BoxError = Box<dyn Error + Send + Sync>;
pub(super) type Reply = Response<ReplyBody>;

/// The body of an HTTP response: whole, or that of a mounted service.
#[derive(Default)]
pub struct ReplyBody {
    /// What can be handed over.
    ready: Bytes,
    /// Where more comes from.
    more: Option<UnsyncBoxBody<Bytes, BoxError>>,
    busy: Option<Busy>,
    /// What is ready, where it is counted.
    share: Option<Share>,
}

impl ReplyBody {
    pub(super) fn mounted(body: UnsyncBoxBody<Bytes, BoxError>) -> Self {
        Self { more: Some(body), ..Self::default() }
    }

    /// Keeps a line busy until the body has been sent.
    pub(super) fn hold(&mut self, busy: Busy) {
        self.share = busy.0.replies.get().map(|unsent| Share::new(unsent.clone(), self.ready.len()));
        self.busy = Some(busy);
    }

    /// Takes a piece of what is ready.
    fn piece(&mut self) -> Bytes {
        let most = if self.share.is_some() { COUNTED_CHUNK } else { CHUNK };
        let piece = match self.ready.len() > most {
            true => self.ready.split_to(most),
            false => std::mem::take(&mut self.ready),
        };
        match &mut self.share {
            Some(share) => share.split(piece.len()).with(piece),
            None => piece,
        }
    }
}

impl From<Vec<u8>> for ReplyBody {
    fn from(bytes: Vec<u8>) -> Self {
        Self { ready: bytes.into(), ..Self::default() }
    }
}

impl From<&'static str> for ReplyBody {
    fn from(text: &'static str) -> Self {
        Self { ready: Bytes::from_static(text.as_bytes()), ..Self::default() }
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
        let body = &mut *self;
        while body.ready.is_empty() {
            let Some(more) = &mut body.more else { return Poll::Ready(None) };
            match ready!(Pin::new(more).poll_frame(cx)).map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => {
                    if let Some(share) = &mut body.share {
                        share.add(data.len());
                    }
                    body.ready = data;
                }
                Some(Ok(Err(trailers))) => return Poll::Ready(Some(Ok(trailers))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        Poll::Ready(Some(Ok(Frame::data(body.piece()))))
    }

    fn is_end_stream(&self) -> bool {
        self.ready.is_empty() && self.more.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let ready = self.ready.len() as u64;
        let Some(more) = self.more.as_ref().map(Body::size_hint) else { return SizeHint::with_exact(ready) };
        let mut size = SizeHint::new();
        size.set_lower(more.lower() + ready);
        if let Some(upper) = more.upper() {
            size.set_upper(upper + ready);
        }
        size
    }
}

impl fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyBody").field("size", &self.size_hint().exact()).finish_non_exhaustive()
    }
}
