//! [`ReplyBody`]: the body of an HTTP response.

use super::{
    line::Busy,
    unsent::{Share, Unsent},
};
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
    sync::Arc,
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
    busy: Option<Busy>,
    /// What most replies do not have, so that it does not weigh on them.
    more: Option<Box<More>>,
}

/// What there is besides a whole body.
#[derive(Default)]
struct More {
    /// Where more comes from.
    body: Option<UnsyncBoxBody<Bytes, BoxError>>,
    /// What is ready, where it is counted.
    share: Option<Share>,
}

impl ReplyBody {
    pub(super) fn mounted(body: UnsyncBoxBody<Bytes, BoxError>) -> Self {
        Self { more: Some(Box::new(More { body: Some(body), share: None })), ..Self::default() }
    }

    /// Keeps a line busy until the body has been sent.
    #[inline]
    pub(super) fn hold(&mut self, busy: Busy) {
        if let Some(unsent) = busy.0.replies.get() {
            self.count(unsent);
        }
        self.busy = Some(busy);
    }

    #[cold]
    fn count(&mut self, unsent: &Arc<Unsent>) {
        self.more.get_or_insert_default().share = Some(Share::new(unsent.clone(), self.ready.len()));
    }

    fn to_come(&self) -> Option<&UnsyncBoxBody<Bytes, BoxError>> {
        self.more.as_ref()?.body.as_ref()
    }
}

/// Takes a piece of so many bytes at most.
fn piece(of: &mut Bytes, most: usize) -> Bytes {
    if of.len() > most { of.split_to(most) } else { std::mem::take(of) }
}

impl More {
    /// The next frame, of what is ready or else of what comes.
    #[cold]
    fn poll_frame(
        &mut self,
        ready: &mut Bytes,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        while ready.is_empty() {
            let Some(body) = &mut self.body else { return Poll::Ready(None) };
            match ready!(Pin::new(body).poll_frame(cx)).map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => {
                    if let Some(share) = &mut self.share {
                        share.add(data.len());
                    }
                    *ready = data;
                }
                Some(Ok(Err(trailers))) => return Poll::Ready(Some(Ok(trailers))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        let piece = match &mut self.share {
            None => piece(ready, CHUNK),
            Some(share) => {
                let piece = piece(ready, COUNTED_CHUNK);
                share.split(piece.len()).with(piece)
            }
        };
        Poll::Ready(Some(Ok(Frame::data(piece))))
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

    #[inline]
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Self { ready, more, .. } = &mut *self;
        match more {
            Some(more) => more.poll_frame(ready, cx),
            None if ready.is_empty() => Poll::Ready(None),
            None => Poll::Ready(Some(Ok(Frame::data(piece(ready, CHUNK))))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ready.is_empty() && self.to_come().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let ready = self.ready.len() as u64;
        let Some(to_come) = self.to_come().map(Body::size_hint) else { return SizeHint::with_exact(ready) };
        let mut size = SizeHint::new();
        size.set_lower(to_come.lower() + ready);
        if let Some(upper) = to_come.upper() {
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
