//! [`Subscription`]: a stream that the far side sends, from the call that opens it to its end.

mod cell;
mod listening;

#[cfg(feature = "http-client")]
pub(crate) use self::cell::spelled;
pub use self::listening::Listening;

use self::cell::{Cell, Phase};
use super::{Begun, NotNow, Peer, Sent};
#[cfg(feature = "http-client")]
use crate::dial::EventStream;
use crate::{batch::not_encodable, telling::failed};
use futures_util::Stream;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};
use tracing::Span;
use trunkline_core::{Credit, Fault, Payload};

/// What hears a stream go on.
pub(crate) trait Listener: Send + Sync {
    /// Hears the next item, or the end; whether it goes on listening.
    fn hear(&self, outcome: Result<Option<Payload<'_>>, Fault>) -> bool;

    /// Hears that items were left out.
    fn missed(&self, items: u64);
}

/// A stream that the far side sends.
///
/// Each item is an `Ok`; a fault is the last item of a stream that broke off, with
/// [`FaultKind::Disconnected`](trunkline_core::FaultKind::Disconnected) if it did because the connection is gone. Dropping
/// it tells the far side that nobody listens any more.
#[must_use = "dropping it ends the stream"]
pub struct Subscription<T: 'static> {
    source: Source<T>,
    /// The stream that goes the other way.
    sent: Option<Sent>,
    /// Around all of it, where somebody collects spans.
    span: Option<Box<Span>>,
}

/// Where its items come from.
enum Source<T: 'static> {
    /// A connection, whose task hears them for whoever takes them here.
    Connection(Arc<Cell<T>>),
    #[cfg(feature = "http-client")]
    Response(Box<EventStream<T>>),
}

impl<T: 'static> Subscription<T> {
    /// The stream that an HTTP response carries.
    #[cfg(feature = "http-client")]
    pub(crate) fn of_response(events: EventStream<T>) -> Self {
        Self { source: Source::Response(Box::new(events)), sent: None, span: None }
    }

    /// How many items the far side has left out so far, because they were not taken
    /// in time: that depends on the lag policy of its procedure.
    #[must_use]
    pub fn missed(&self) -> u64 {
        match &self.source {
            Source::Connection(cell) => cell.state().missed,
            #[cfg(feature = "http-client")]
            Source::Response(events) => events.missed(),
        }
    }

    /// The same with a stream that goes the other way, and ends when this does.
    pub fn sending(self, sent: Sent) -> Self {
        let mut this = self;
        this.sent = Some(sent);
        this
    }

    /// The same in the span of the call that has opened it, which ends when this does.
    #[doc(hidden)]
    pub fn in_span(self, span: Option<Span>) -> Self {
        let mut this = self;
        this.span = span.map(Box::new);
        this
    }
}

impl<T: 'static> Stream for Subscription<T> {
    type Item = Result<T, Fault>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let polled = match &mut this.source {
            Source::Connection(cell) => cell.poll_item(cx),
            #[cfg(feature = "http-client")]
            Source::Response(events) => events.poll_item(cx),
        };
        match (&polled, &this.span) {
            (Poll::Ready(Some(Err(fault))), Some(span)) => failed(span, fault, fault.code()),
            (Poll::Ready(None), _) => (this.sent, this.span) = (None, None),
            _ => {}
        }
        polled
    }
}

impl<T: 'static> Drop for Subscription<T> {
    fn drop(&mut self) {
        match &self.source {
            Source::Connection(cell) => cell.leave(),
            // who drops a response is known to have gone
            #[cfg(feature = "http-client")]
            Source::Response(_) => {}
        }
    }
}

impl<T> fmt::Debug for Subscription<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Subscription");
        match &self.source {
            Source::Connection(cell) => debug.field("phase", &cell.state().phase),
            #[cfg(feature = "http-client")]
            Source::Response(events) => debug.field("events", events),
        };
        debug.finish_non_exhaustive()
    }
}

/// A call for a stream that has been made. A future; dropping it gives the call up.
#[must_use = "dropping it gives the call up"]
pub struct Opening<T: 'static> {
    id: u64,
    /// Taken once it is open.
    cell: Option<Arc<Cell<T>>>,
}

impl<T: 'static> Opening<T> {
    /// The number of the call.
    pub(super) fn id(&self) -> u64 {
        self.id
    }
}

impl<T: 'static> Future for Opening<T> {
    type Output = Result<Subscription<T>, Fault>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(cell) = self.cell.take() else {
            return Poll::Ready(Err(Fault::internal("a call was polled after its answer")));
        };
        let mut state = cell.state();
        match &mut state.phase {
            Phase::Opening => {
                state.wait(cx);
                drop(state);
                self.cell = Some(cell);
                Poll::Pending
            }
            Phase::Refused(fault) => Poll::Ready(Err(fault.clone())),
            Phase::Open(_) | Phase::Ended => {
                drop(state);
                Poll::Ready(Ok(Subscription { source: Source::Connection(cell), sent: None, span: None }))
            }
        }
    }
}

impl<T: 'static> Drop for Opening<T> {
    fn drop(&mut self) {
        let Some(cell) = self.cell.take() else { return };
        cell.leave();
        let Some(shared) = cell.shared.upgrade() else { return };
        // the answer is still waited for: it may be a stream, which is to be ended then
        let waits = {
            let mut state = shared.state();
            let waits = state.phase.is_open() && state.pending.contains(self.id);
            if waits {
                state.tell(|speaker, out| speaker.cancel(self.id, out));
            }
            waits
        };
        if waits {
            shared.wake();
        }
    }
}

impl<T> fmt::Debug for Opening<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Peer {
    /// Makes a call for a stream now, if one can be made now: what
    /// [`stream`](Self::stream) begins with, for callers that know what else to do
    /// if it cannot.
    pub fn open<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: &impl Serialize,
        listening: &Listening,
        deadline: Option<Instant>,
        cx: &mut Context<'_>,
    ) -> Begun<Opening<T>> {
        let mut state = self.0.state();
        let begun = self.open_under(&mut state, procedure, args, listening, deadline, cx);
        drop(state);
        if matches!(begun, Begun::Made(_)) {
            self.0.wake();
        }
        begun
    }

    /// The same under the lock, for whoever wakes the task of the connection then.
    pub(super) fn open_under<T: DeserializeOwned + Send + 'static>(
        &self,
        state: &mut super::State,
        procedure: &str,
        args: &impl Serialize,
        listening: &Listening,
        deadline: Option<Instant>,
        cx: &mut Context<'_>,
    ) -> Begun<Opening<T>> {
        let shared = &self.0;
        if let Err(not_now) = state.admit(shared.max_unsent, cx) {
            return <NotNow as Into<Begun<_>>>::into(not_now);
        }
        let listening = Listening {
            max_waiting: listening.max_waiting.max(1),
            max_waiting_bytes: listening.max_waiting_bytes.max(1),
            ..listening.clone()
        };
        let (items, bytes) = (listening.max_waiting as u64, listening.max_waiting_bytes as u64);
        let credit = Credit { items, bytes, together: 0 };
        let cell = Cell::new(shared, listening, cx);
        let id = state.pending.insert(cell.clone(), deadline);
        let written = state.tell(|speaker, out| {
            self.tell_about(speaker, deadline);
            speaker.open_stream(id, procedure, args, Some(credit), out)
        });
        if let Err(error) = written {
            state.pending.remove(id);
            return Begun::Refused(not_encodable(error));
        }
        Begun::Made(Opening { id, cell: Some(cell) })
    }
}
