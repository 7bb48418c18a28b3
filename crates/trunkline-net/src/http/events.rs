//! Server-sent events: the answer to a POST whose caller accepts `text/event-stream`.
//!
//! Every message is an event of its own (WHATWG HTML, section 9.2): what answers
//! the calls, the items of the streams that they open, and the ends of those. The
//! response ends with the last of them, so `curl -N` shows a stream as it goes.

use super::{
    body,
    door::Door,
    identify::{hide_credentials, identify},
    post,
    reply::{BoxError, Reply, ReplyBody},
};
use crate::{
    clock::now,
    conversation::{Conversation, ROUNDS, Room, Turn},
    exchange::alarm_rings,
    listen::Shutdown,
    service::Service,
};
use futures_util::FutureExt;
use http::{
    HeaderValue, Request, Response,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body, Bytes, Frame as BodyFrame};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep};
use trunkline_core::{
    Context, Frame, Outbox,
    framing::{self, Framing},
};

/// The media type of server-sent events.
pub(super) const MEDIA_TYPE: &[u8] = b"text/event-stream";

/// How often a comment is sent where there is nothing else, so that proxies do not
/// take the response for dead: the advice of WHATWG HTML, section 9.2.7.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const COMMENT: &[u8] = b":\n\n";

/// Bytes of items that are made before they are taken.
const PIECE: usize = 64 << 10;

/// Answers a POST with an event for each message.
pub(super) async fn answer<B, D>(door: D, mut request: Request<B>) -> Reply
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    D: Door,
{
    let service = door.endpoint().service.clone();
    hide_credentials(request.headers_mut());
    let (connection, extensions, mut body) = post::take_apart(&door, request);
    let waits = body::waits(connection.headers());
    let connection = match identify(&service, connection, &extensions).await {
        Ok(connection) => connection,
        Err(refusal) => {
            body::leave(body, waits);
            return door.part(refusal);
        }
    };
    let document = match body::take(&mut body, &service.limits).await {
        Ok(document) => document,
        Err(untaken) => {
            let refusal = post::refuse_untaken(door.endpoint(), body, connection.headers(), untaken);
            return door.part(refusal);
        }
    };
    let context = Context::new(Arc::new(connection), extensions);
    let events = Events::new(&service, context, document, door.shutdown().clone());
    let mut reply = Response::new(ReplyBody::mounted(UnsyncBoxBody::new(events)));
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    door.part(reply)
}

/// The body of such a response: runs what was called, for as long as it is asked for more.
struct Events {
    conversation: Conversation,
    out: Outbox,
    unheard: Option<Bytes>,
    alarm: Option<Pin<Box<Sleep>>>,
    keep_alive: Pin<Box<Sleep>>,
    /// Until it begins.
    shutdown: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Events {
    fn new(service: &Service, context: Context, document: Bytes, shutdown: Shutdown) -> Self {
        let dialect = service.language.events(&service.limits);
        Self {
            conversation: Conversation::new(dialect, service.clone(), context),
            out: Outbox::new(framing::Events::default().marking()),
            unheard: Some(document),
            alarm: None,
            keep_alive: Box::pin(sleep(KEEP_ALIVE)),
            shutdown: Some(Box::pin(async move { shutdown.begun().await })),
        }
    }

    /// What is there to be sent.
    fn take(&mut self) -> Bytes {
        self.keep_alive.as_mut().reset(Instant::now() + KEEP_ALIVE);
        let another = self.out.another();
        std::mem::replace(&mut self.out, another).into_bytes().into()
    }
}

/// What runs is user code, and may panic when it is dropped.
impl Drop for Events {
    fn drop(&mut self) {
        self.conversation.clear();
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<BodyFrame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let Self { conversation, out, unheard, alarm, keep_alive, shutdown } = this;
        let turn = Turn { now: now(), task: cx.waker() };
        conversation.register(cx.waker());
        if let Some(document) = unheard.take() {
            let mut frame = Frame::binary(&document);
            while let Some(signal) = conversation.dialect.hear(&mut frame, out) {
                conversation.take(&signal, out, turn);
            }
        }
        if shutdown.as_mut().is_some_and(|begun| begun.poll_unpin(cx).is_ready()) {
            *shutdown = None;
            conversation.drain(out);
        }
        let room = Room::up_to(PIECE);
        for _ in 0..ROUNDS {
            conversation.expire_due(out, turn.now);
            conversation.poll(out, room, turn);
            conversation.dialect.flush(out);
            if !out.is_empty() {
                return Poll::Ready(Some(Ok(BodyFrame::data(this.take()))));
            }
            if conversation.is_done() {
                return Poll::Ready(None);
            }
            if !conversation.is_woken(0, room) && !alarm_rings(alarm, conversation, cx) {
                return match keep_alive.as_mut().poll(cx) {
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(()) => {
                        keep_alive.as_mut().reset(Instant::now() + KEEP_ALIVE);
                        Poll::Ready(Some(Ok(BodyFrame::data(Bytes::from_static(COMMENT)))))
                    }
                };
            }
        }
        // what yields wakes itself: others have their turn first
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
