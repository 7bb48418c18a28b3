//! [`Subscription`]: a stream that the far side sends, from the call that opens it to its end.

use super::{Begun, NotNow, Peer, Sent, Shared, pending::Answered};
#[cfg(feature = "http-client")]
use crate::dial::EventStream;
use crate::{
    batch::{decode, not_encodable},
    clock::{after, now},
    telling::failed,
};
use futures_util::Stream;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    borrow::Cow,
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Waker},
    time::Instant,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Span;
use trunkline_core::{Credit, Fault, FaultKind, Payload, router::UNSUBSCRIBE};

/// How a stream is listened to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Listening {
    /// Items that may wait for who listens. A trunkline server waits for them to be
    /// taken; another does not know, and one more breaks the stream off. Default 65,536.
    pub max_waiting: usize,
    /// Bytes of items that may wait, as they were sent; the last item may go beyond.
    /// The same is true of them. Default 1 MiB.
    pub max_waiting_bytes: usize,
    /// The procedure by which the far side is told that nobody listens any more.
    /// Default `rpc.unsubscribe`, which every trunkline server has.
    pub unsubscribe: Cow<'static, str>,
    /// Room for the bytes of items that wait, which other streams may share: one item
    /// more than there is room for breaks the stream off.
    pub(crate) room: Option<Arc<Semaphore>>,
    /// What it takes up for as long as anything may be heard of it, of which there is
    /// only so much.
    #[expect(dead_code, reason = "it is there to be dropped")]
    pub(crate) takes: Option<Arc<OwnedSemaphorePermit>>,
}

impl Default for Listening {
    fn default() -> Self {
        Self {
            max_waiting: 65_536,
            max_waiting_bytes: 1 << 20,
            unsubscribe: UNSUBSCRIBE.into(),
            room: None,
            takes: None,
        }
    }
}

impl Listening {
    /// Room for an item; `None` if that is not counted.
    fn room_for(&self, item: &Payload<'_>) -> Result<Option<OwnedSemaphorePermit>, Fault> {
        let Some(room) = &self.room else { return Ok(None) };
        let taken = u32::try_from(item.size()).ok().map(|bytes| room.clone().try_acquire_many_owned(bytes));
        match taken {
            Some(Ok(taken)) => Ok(Some(taken)),
            Some(Err(_)) | None => Err(Fault::new(
                FaultKind::Unavailable,
                "items came faster than they were taken: there is no room for more bytes, the limit `max_reply`",
            )),
        }
    }
}

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
/// [`FaultKind::Disconnected`] if it did because the connection is gone. Dropping
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
        let cell = match &mut this.source {
            Source::Connection(cell) => cell,
            #[cfg(feature = "http-client")]
            Source::Response(events) => {
                let polled = events.poll_item(cx);
                if let (Poll::Ready(Some(Err(fault))), Some(span)) = (&polled, &this.span) {
                    failed(span, fault, fault.code());
                }
                return polled;
            }
        };
        let mut state = cell.state();
        if let Some(Waiting { item, bytes, _room }) = state.items.pop_front() {
            state.waiting -= bytes;
            state.taken.items += 1;
            state.taken.bytes += bytes as u64;
            let grant = state.grant(&cell.listening);
            drop(state);
            if let Some((stream, credit)) = grant {
                cell.grant(&stream, credit);
            }
            if let (Err(fault), Some(span)) = (&item, &this.span) {
                failed(span, fault, fault.code());
            }
            return Poll::Ready(Some(item));
        }
        match state.phase {
            Phase::Ended => {
                drop(state);
                this.sent = None;
                this.span = None;
                Poll::Ready(None)
            }
            _ => {
                state.wait(cx);
                Poll::Pending
            }
        }
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

/// What the task of the connection shares with whoever listens.
struct Cell<T> {
    state: Mutex<State<T>>,
    shared: Weak<Shared>,
    me: Weak<Self>,
    listening: Listening,
}

struct State<T> {
    phase: Phase,
    items: VecDeque<Waiting<T>>,
    /// How many bytes they have.
    waiting: usize,
    waker: Option<Waker>,
    /// Nobody listens any more.
    left: bool,
    /// What was taken since the far side was last told that there is room.
    taken: Credit,
    missed: u64,
}

/// An item that has not been taken.
struct Waiting<T> {
    item: Result<T, Fault>,
    /// How long it was on its way.
    bytes: usize,
    /// What it takes up of a room that streams share.
    _room: Option<OwnedSemaphorePermit>,
}

/// Nothing so far.
const NOTHING: Credit = Credit { items: 0, bytes: 0, together: 0 };

#[derive(Clone, Debug)]
enum Phase {
    Opening,
    /// As the far side spells it.
    Open(Box<str>),
    Refused(Fault),
    Ended,
}

/// What has been heard of a stream.
enum Heard<T> {
    Item(T),
    /// An item that is of another type.
    Unfit(Fault),
    End(Option<Fault>),
}

impl<T> State<T> {
    /// For what there is room again, once that is worth telling.
    fn grant(&mut self, listening: &Listening) -> Option<(Box<str>, Credit)> {
        let is_worth_it = self.taken.items >= listening.max_waiting.div_ceil(2) as u64
            || self.taken.bytes >= listening.max_waiting_bytes.div_ceil(2) as u64;
        match &self.phase {
            Phase::Open(stream) if is_worth_it => {
                Some((stream.clone(), std::mem::replace(&mut self.taken, NOTHING)))
            }
            _ => None,
        }
    }

    /// Whether one more item may wait.
    fn has_room(&self, listening: &Listening) -> bool {
        self.items.len() < listening.max_waiting && self.waiting < listening.max_waiting_bytes
    }

    fn wait(&mut self, cx: &Context<'_>) {
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }
}

impl<T> Cell<T> {
    /// Nothing that runs under this lock can panic half-way through a change.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody listens any more.
    fn leave(&self) {
        let (before, items) = {
            let mut state = self.state();
            state.left = true;
            let before = match state.phase {
                Phase::Open(_) => std::mem::replace(&mut state.phase, Phase::Ended),
                _ => return,
            };
            state.waiting = 0;
            (before, std::mem::take(&mut state.items))
        };
        drop(items);
        if let Phase::Open(stream) = before {
            self.unsubscribe(&stream);
        }
    }

    /// Tells the far side that there is room for more items.
    fn grant(&self, stream: &str, credit: Credit) {
        let Some(shared) = self.shared.upgrade() else { return };
        {
            let mut state = shared.state();
            if !state.phase.is_open() {
                return;
            }
            state.tell(|speaker, out| speaker.grant(stream, credit, out));
        }
        shared.wake();
    }

    /// Tells the far side that nobody listens any more.
    fn unsubscribe(&self, stream: &str) {
        let Some(shared) = self.shared.upgrade() else { return };
        {
            let mut state = shared.state();
            state.forget(stream, std::ptr::from_ref(self).addr());
            if !state.phase.is_open() || state.unheard {
                return;
            }
            let deadline = after(now(), shared.default_timeout);
            let id = state.pending.insert(Arc::new(Nobody), deadline);
            state.tell(|speaker, out| speaker.end_stream(id, &self.listening.unsubscribe, stream, out));
        }
        shared.wake();
    }

    fn wake(&self) {
        let waker = self.state().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T: DeserializeOwned + Send + 'static> Answered for Cell<T> {
    fn answer(&self, outcome: Result<Payload<'_>, Fault>) {
        let (phase, open) = match outcome.and_then(spelled) {
            Ok(spelling) => (Phase::Open(spelling.into()), Some(spelling)),
            Err(fault) => (Phase::Refused(fault), None),
        };
        // it is to be found before it is open: who leaves an open one takes it away
        let before = match (open, self.shared.upgrade(), self.me.upgrade()) {
            (Some(stream), Some(shared), Some(me)) => shared.state().streams.insert(stream.into(), me),
            _ => None,
        };
        if let Some(before) = before {
            before.hear(Err(Fault::new(
                FaultKind::InvalidReply,
                "the far side has given another stream the same id",
            )));
        }
        let left = {
            let mut state = self.state();
            state.phase = phase;
            state.left
        };
        match open {
            Some(stream) if left => self.unsubscribe(stream),
            _ => self.wake(),
        }
    }
}

impl<T: DeserializeOwned + Send + 'static> Listener for Cell<T> {
    fn hear(&self, outcome: Result<Option<Payload<'_>>, Fault>) -> bool {
        let (bytes, room) = match &outcome {
            Ok(Some(item)) => (item.size(), self.listening.room_for(item)),
            _ => (0, Ok(None)),
        };
        let (heard, room) = match (outcome.map(|item| item.map(decode)), room) {
            (Ok(Some(_)), Err(fault)) => (Heard::Unfit(fault), None),
            (Ok(Some(Ok(item))), Ok(room)) => (Heard::Item(item), room),
            (Ok(Some(Err(fault))), _) => (Heard::Unfit(fault), None),
            (Ok(None), _) => (Heard::End(None), None),
            (Err(fault), _) => (Heard::End(Some(fault)), None),
        };
        // items are user code, and are not dropped under the lock
        let (mut surplus, mut unwanted) = (None, None);
        {
            let mut state = self.state();
            if !matches!(state.phase, Phase::Open(_)) {
                return false;
            }
            let (last, wanted) = match heard {
                Heard::Item(item) if state.has_room(&self.listening) => {
                    state.waiting += bytes;
                    state.items.push_back(Waiting { item: Ok(item), bytes, _room: room });
                    drop(state);
                    self.wake();
                    return true;
                }
                Heard::Item(item) => {
                    surplus = Some(item);
                    (Some(too_slow(&state, &self.listening)), false)
                }
                Heard::Unfit(fault) => (Some(fault), false),
                Heard::End(fault) => (fault, true),
            };
            state.items.extend(last.map(|fault| Waiting { item: Err(fault), bytes: 0, _room: None }));
            if let Phase::Open(stream) = std::mem::replace(&mut state.phase, Phase::Ended)
                && !wanted
            {
                unwanted = Some(stream);
            }
        }
        self.wake();
        if let Some(stream) = unwanted {
            self.unsubscribe(&stream);
        }
        drop(surplus);
        false
    }

    fn missed(&self, items: u64) {
        let mut state = self.state();
        state.missed = state.missed.saturating_add(items);
    }
}

fn too_slow<T>(state: &State<T>, listening: &Listening) -> Fault {
    let which = match state.items.len() >= listening.max_waiting {
        true => format!("{} wait, the setting `max_waiting`", listening.max_waiting),
        false => {
            let most = listening.max_waiting_bytes;
            format!("{} bytes wait, the setting `max_waiting_bytes` is {most}", state.waiting)
        }
    };
    let message = format!("items came faster than they were taken: {which} of the stream");
    Fault::new(FaultKind::Unavailable, message)
}

/// How the far side spells the stream that it has answered a call with.
pub(crate) fn spelled(answer: Payload<'_>) -> Result<&str, Fault> {
    match answer {
        Payload::Json(spelling) if !spelling.starts_with(['{', '[', 't', 'f', 'n']) => Ok(spelling),
        _ => Err(Fault::new(
            FaultKind::InvalidReply,
            "the answer is no id of a subscription, a string or a number: the procedure gives no stream",
        )),
    }
}

/// Nobody cares for this answer.
struct Nobody;

impl Answered for Nobody {
    fn answer(&self, _: Result<Payload<'_>, Fault>) {}

    fn is_awaited(&self) -> bool {
        false
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
        let cell = Arc::new_cyclic(|me| Cell {
            state: Mutex::new(State {
                phase: Phase::Opening,
                items: VecDeque::new(),
                waiting: 0,
                waker: Some(cx.waker().clone()),
                left: false,
                taken: NOTHING,
                missed: 0,
            }),
            shared: Arc::downgrade(shared),
            me: me.clone(),
            listening,
        });
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
