//! [`EventStream`]: a stream that the response to a POST carries, as server-sent events.
//!
//! Nothing is read but for whoever asks for an item, so that a server that sends more
//! than is taken waits, as far as its connection has it. Dropping it ends the request.

use super::{Answering, HttpCaller, ONLY};
use crate::{
    batch::decode,
    peer::{Subscription, broken_off, spelled},
};
use http::header::CONTENT_TYPE;
use hyper::body::{Body, Incoming};
use serde::de::DeserializeOwned;
use std::{
    collections::{HashMap, VecDeque},
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio_util::sync::WaitForCancellationFutureOwned;
use trunkline_core::{
    About, Dialect, Encode, Fault, FaultKind, Frame, Input, Outbox, Payload, Signal,
    framing::{Cut, Events, Framing, Whole},
};

impl HttpCaller {
    /// Calls a procedure that gives a stream, which comes as server-sent events. Returns
    /// once the stream is open. There is no deadline.
    ///
    /// # Errors
    ///
    /// The future fails as that of a [`call`](Self::call) does, and with
    /// [`FaultKind::InvalidReply`] if the procedure gives no stream, or the server sends
    /// no events.
    pub fn stream<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: &dyn Encode,
        about: &About,
    ) -> impl Future<Output = Result<Subscription<T>, Fault>> + Send + use<T> {
        let asking = self.write(about, |speaker, out| speaker.open_stream(ONLY, procedure, args, None, out));
        let closing = self.0.closing.clone();
        async move {
            let answering = asking?.for_events().send().await?;
            if !answering.sends_events() {
                return Err(answering.without_events().await);
            }
            let mut events = EventStream::new(answering, Box::pin(closing.cancelled_owned()));
            poll_fn(|cx| events.poll_open(cx)).await?;
            Ok(Subscription::of_response(events))
        }
    }
}

impl Answering {
    fn sends_events(&self) -> bool {
        let sent = self.head.headers.get(CONTENT_TYPE).and_then(|sent| sent.to_str().ok());
        let media_type = sent.and_then(|sent| sent.split(';').next()).unwrap_or_default();
        self.head.status.is_success() && media_type.trim().eq_ignore_ascii_case("text/event-stream")
    }

    /// What is said of a stream that did not come as events.
    async fn without_events(self) -> Fault {
        let response = match self.whole().await {
            Ok(response) => response,
            Err(fault) => return fault,
        };
        let uri = response.uri.clone();
        let mut answers = HashMap::new();
        let complaint = response.hear(&mut answers);
        match answers.remove(&ONLY) {
            None => complaint,
            Some(Err(fault)) => fault,
            Some(Ok(answer)) => match spelled(answer.borrow()) {
                Err(fault) => fault,
                Ok(_) => Fault::new(
                    FaultKind::InvalidReply,
                    format!(
                        "{uri} has opened the stream, but sends no `text/event-stream` on which items could come: \
                         use a WebSocket"
                    ),
                ),
            },
        }
    }
}

/// A stream that the response to a POST carries.
pub(crate) struct EventStream<T> {
    /// Until the stream is over.
    body: Option<Incoming>,
    framing: Events,
    input: Input,
    heard: Heard<T>,
    /// The client is closed.
    closing: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// What the events said.
struct Heard<T> {
    dialect: Box<dyn Dialect>,
    decode: fn(Payload<'_>) -> Result<T, Fault>,
    /// How the server spells the stream, once it is open.
    stream: Option<Box<str>>,
    /// What one event brought; a fault is the last.
    items: VecDeque<Result<T, Fault>>,
    is_over: bool,
    missed: u64,
}

impl<T: DeserializeOwned> EventStream<T> {
    fn new(answering: Answering, closing: Pin<Box<WaitForCancellationFutureOwned>>) -> Self {
        let Answering { shared, dialect, body, .. } = answering;
        Self {
            body: Some(body),
            framing: Events::default().limit(shared.limits.max_message),
            input: Input::default(),
            heard: Heard {
                dialect,
                decode: decode::<T>,
                stream: None,
                items: VecDeque::new(),
                is_over: false,
                missed: 0,
            },
            closing,
        }
    }
}

impl<T> EventStream<T> {
    /// How many items the server has left out so far.
    pub(crate) fn missed(&self) -> u64 {
        self.heard.missed
    }

    pub(crate) fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, Fault>>> {
        loop {
            if let Some(item) = self.heard.items.pop_front() {
                return Poll::Ready(Some(item));
            }
            if self.heard.is_over {
                return Poll::Ready(None);
            }
            ready!(self.poll_hear(cx));
        }
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        loop {
            if self.heard.stream.is_some() {
                return Poll::Ready(Ok(()));
            }
            if self.heard.is_over {
                let refusal = self.heard.items.pop_front().and_then(Result::err);
                return Poll::Ready(Err(refusal.unwrap_or_else(broken_off)));
            }
            ready!(self.poll_hear(cx));
        }
    }

    /// Hears one more event, or that there are no more.
    fn poll_hear(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut out = Outbox::new(Box::new(Whole));
        let Self { body, framing, input, heard, closing } = self;
        let outcome = loop {
            match framing.cut(input, &mut out) {
                Ok(Cut::Frame(frame)) => break heard.hear(frame, &mut out),
                Ok(Cut::Oversize { limit, .. }) => break Err(too_large(limit)),
                Ok(_) => {}
                Err(lost) => break Err(broken_off().with_data(lost.reason)),
            }
            if closing.as_mut().poll(cx).is_ready() {
                break Err(broken_off().with_data("the client is closed"));
            }
            let Some(body) = body else { break Err(broken_off()) };
            break match ready!(Pin::new(body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        input.extend(&bytes);
                    }
                    continue;
                }
                Some(Err(error)) => Err(broken_off().with_source(error)),
                None => Err(match framing.finish(input) {
                    Err(lost) => broken_off().with_data(lost.reason),
                    Ok(_) => broken_off(),
                }),
            };
        };
        if let Err(fault) = outcome {
            heard.break_off(fault);
        }
        if heard.is_over {
            *body = None;
        }
        Poll::Ready(())
    }
}

impl<T> Heard<T> {
    /// Hears what one event says.
    ///
    /// # Errors
    ///
    /// Fails if that is the end of the stream, but for its being over.
    fn hear(&mut self, mut frame: Frame<'_>, out: &mut Outbox) -> Result<(), Fault> {
        while let Some(signal) = self.dialect.hear(&mut frame, out) {
            let of_ours = |stream: &str| self.stream.as_deref() == Some(stream);
            match signal {
                Signal::Reply { id: ONLY, outcome } if self.stream.is_none() => {
                    self.stream = Some(outcome.and_then(spelled)?.into());
                }
                Signal::Refused(fault) | Signal::Complaint(fault) => return Err(fault),
                Signal::Item { stream, outcome } if of_ours(stream) => match outcome? {
                    Some(item) => self.items.push_back(Ok((self.decode)(item)?)),
                    None => {
                        self.is_over = true;
                        return Ok(());
                    }
                },
                Signal::Missed { stream, items } if of_ours(stream) => {
                    self.missed = self.missed.saturating_add(items);
                }
                _ => {}
            }
        }
        // there is nobody to answer, and the dialect answers only what it could not read
        if out.is_empty() { Ok(()) } else { Err(unreadable()) }
    }

    fn break_off(&mut self, fault: Fault) {
        self.is_over = true;
        self.items.push_back(Err(fault));
    }
}

fn too_large(limit: usize) -> Fault {
    let message = format!("an event is over {limit} bytes, the limit `max_message` of the client");
    Fault::new(FaultKind::ReplyTooLarge, message)
}

fn unreadable() -> Fault {
    Fault::new(FaultKind::InvalidReply, "the server sent an event that is no message of its protocol")
}

impl<T> fmt::Debug for EventStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").field("is_over", &self.heard.is_over).finish_non_exhaustive()
    }
}
