//! [`Feeds`]: the streams that the far side of one connection sends with its calls.
//!
//! What has come waits in an [inlet](inlet::Inlet) until the handler takes it. The
//! conversation fills it, says when there is room again, and ends a call whose caller
//! sends more than there is room for.

mod inlet;
mod news;

use self::{inlet::Inlet, news::News};
use crate::{clock::after, conversation::busy, peer::Shared};
use std::{
    collections::HashMap,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context as TaskContext, Poll},
    time::{Duration, Instant},
};
use trunkline_core::{
    BoxRunning, CallId, Dialect, Fault, FaultKind, Feed, Lag, Outbox, OwnedPayload, Payload, Reply, Running,
};

/// The longest id of a call that takes a stream, in bytes as it is spelled: each item
/// repeats it, and a connection may have `max_streams` of them besides its other calls.
const LONGEST_ID: usize = 256;

/// The streams that the far side of one connection sends with its calls.
pub(crate) struct Feeds {
    by_call: HashMap<Box<str>, Entry>,
    /// Bytes of items that wait, of all of them, and how many may.
    waiting: Arc<AtomicUsize>,
    most_waiting: usize,
    /// Those whose calls are not over.
    live: Arc<AtomicUsize>,
    /// Those whose calls take up a slot.
    in_slots: Arc<AtomicUsize>,
    news: Arc<News>,
}

struct Entry {
    inlet: Arc<Inlet>,
    /// Whether the call has started.
    started: bool,
    at: At,
    /// How long the call may take since an item has come, or was taken.
    timeout: Duration,
}

/// What goes on with the items of a stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum At {
    /// A call that waits to be started.
    Parked,
    /// A call in this slot.
    Slot(usize),
    /// The stream of this number that the call came to.
    Stream(u64),
}

/// What became of an item.
pub(crate) enum Heard {
    /// It waits, or nobody cares for it.
    Fine,
    /// The same, and its call is in this slot.
    InSlot(usize),
    /// There was no room for it, for which its call ends.
    Overrun(At, Fault),
}

impl Feeds {
    /// For a connection whose items, as long as they wait, may take up so many bytes.
    pub(crate) fn new(most_waiting: usize, shared: Arc<Shared>) -> Self {
        Self {
            by_call: HashMap::new(),
            waiting: Arc::default(),
            most_waiting,
            live: Arc::default(),
            in_slots: Arc::default(),
            news: News::to(shared),
        }
    }

    /// How many there are whose calls are not over.
    pub(crate) fn live(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    /// How many calls with a stream take up a slot.
    #[inline]
    pub(crate) fn in_slots(&self) -> usize {
        self.in_slots.load(Ordering::Relaxed)
    }

    /// Makes room for what follows a call that is to be started later.
    pub(crate) fn expect(&mut self, id: &CallId<'_>) -> Result<(), Fault> {
        if id.spelling.len() > LONGEST_ID {
            return Err(too_long(id.spelling.len()));
        }
        if self.by_call.get(id.spelling).is_some_and(|entry| !entry.inlet.is_over()) {
            return Err(taken());
        }
        // those of calls that are over have been left where they were
        if self.by_call.len() >= 2 * self.live().max(8) {
            self.by_call.retain(|_, entry| !entry.inlet.is_over());
        }
        let counted = Counted::new(&self.live);
        let inlet = Inlet::new(
            id.keep(),
            self.waiting.clone(),
            self.most_waiting,
            counted,
            Arc::downgrade(&self.news),
        );
        let entry = Entry { inlet, started: false, at: At::Parked, timeout: Duration::MAX };
        self.by_call.insert(id.spelling.into(), entry);
        Ok(())
    }

    /// Whether a call that waits to be started is expected to be followed by items.
    pub(crate) fn expects(&self, id: &CallId<'_>) -> bool {
        self.by_call.get(id.spelling).is_some_and(|entry| !entry.started && !entry.inlet.is_over())
    }

    /// What a call that is started now is given, once.
    pub(crate) fn start(&mut self, id: &CallId<'_>) -> Result<(Feed, Claim), Fault> {
        if !self.expects(id) {
            self.expect(id)?;
        }
        let entry = self.by_call.get_mut(id.spelling).ok_or_else(busy)?;
        entry.started = true;
        let claim = Claim { inlet: entry.inlet.clone(), in_slot: Some(Counted::new(&self.in_slots)) };
        Ok((Feed::encoded(Inlet::arrivals(&entry.inlet)), claim))
    }

    /// Says where a call that was started has gone to.
    pub(crate) fn moved(&mut self, id: &CallId<'_>, at: At) {
        if let Some(entry) = self.by_call.get_mut(id.spelling) {
            entry.at = at;
        }
    }

    /// Says how long a call that was started may take since an item has come, or was
    /// taken.
    pub(crate) fn patient(&mut self, id: &CallId<'_>, timeout: Duration) {
        if let Some(entry) = self.by_call.get_mut(id.spelling) {
            entry.timeout = timeout;
        }
    }

    /// Hears what comes next of the stream of a call.
    pub(crate) fn hear(
        &mut self,
        call: &str,
        outcome: Result<Option<Payload<'_>>, Fault>,
        now: Instant,
    ) -> Heard {
        let Some(entry) = self.by_call.get(call) else { return Heard::Fine };
        if entry.inlet.is_over() {
            self.by_call.remove(call);
            return Heard::Fine;
        }
        match (entry.inlet.hear(outcome, now), entry.at) {
            (Err(fault), at) => Heard::Overrun(at, fault),
            (Ok(()), At::Slot(place)) => Heard::InSlot(place),
            (Ok(()), _) => Heard::Fine,
        }
    }

    /// The calls in slots whose streams have got on, and how long they may take
    /// because of that.
    pub(crate) fn deadlines(&self) -> impl Iterator<Item = (usize, Option<Instant>)> {
        let live = self.by_call.values().filter(|entry| !entry.inlet.is_over());
        live.filter_map(|entry| match entry.at {
            At::Slot(place) => Some((place, after(entry.inlet.got_on()?, entry.timeout))),
            At::Parked | At::Stream(_) => None,
        })
    }

    /// The call is given up, as far as it has not come to a stream: that is given up
    /// for itself.
    pub(crate) fn forget_unopened(&mut self, call: &str) {
        if self.by_call.get(call).is_some_and(|entry| !matches!(entry.at, At::Stream(_))) {
            self.forget(call);
        }
    }

    /// The call is over, or never started.
    pub(crate) fn forget(&mut self, call: &str) {
        if let Some(entry) = self.by_call.remove(call) {
            entry.inlet.end_call();
        }
    }

    /// Breaks off what is still to come of all streams.
    pub(crate) fn break_off(&self, fault: &Fault) {
        for entry in self.by_call.values() {
            entry.inlet.break_off(fault);
        }
    }

    /// Whether there is something to say of them.
    #[inline]
    pub(crate) fn has_news(&self) -> bool {
        self.news.is_there()
    }

    /// Says for which there is room again, and which are wanted no more.
    pub(crate) fn tell(&self, dialect: &mut dyn Dialect, out: &mut Outbox) {
        for inlet in self.news.take() {
            inlet.tell(dialect, out);
        }
    }

    /// Drops all.
    pub(crate) fn clear(&mut self) {
        for (_, entry) in self.by_call.drain() {
            entry.inlet.end_call();
        }
    }
}

#[cold]
fn taken() -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        "a call of the same id is under way, and it could not be told whose the items of the stream are",
    )
}

#[cold]
fn too_long(bytes: usize) -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        format!(
            "the id of a call that takes a stream has {LONGEST_ID} bytes at most, as each item repeats it, and not {bytes}"
        ),
    )
}

/// One more, until it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(counter: &Arc<AtomicUsize>) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(counter.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The right of one call to its stream; what comes for it when this is dropped is
/// nobody's.
pub(crate) struct Claim {
    inlet: Arc<Inlet>,
    /// Gone once the call has come to a stream, which leaves its slot.
    in_slot: Option<Counted>,
}

impl Claim {
    /// The call, which ends with this, as it runs.
    pub(crate) fn of(self, running: BoxRunning) -> BoxRunning {
        Box::pin(Fed { claim: self, running })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.inlet.end_call();
    }
}

/// A call under way that takes a stream. The claim goes first, so that what is dropped
/// with the call has nothing more to say.
struct Fed {
    claim: Claim,
    running: BoxRunning,
}

impl Running for Fed {
    fn lag(&self) -> Option<Lag> {
        self.running.lag()
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Poll<Result<(), Fault>> {
        let polled = self.running.as_mut().poll(cx, reply);
        if polled.is_ready() {
            self.claim.in_slot = None;
        }
        polled
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        item: &mut Reply<'_>,
    ) -> Poll<Option<Result<(), Fault>>> {
        self.running.as_mut().poll_next(cx, item)
    }
}

/// What is said of a call whose caller sends more than there is room for.
#[cold]
fn overrun(why: String) -> Fault {
    Fault::new(FaultKind::Unavailable, "items came faster than there was room for them").with_data(why)
}

/// As it is sent by who waits for it to be taken.
type Arrived = Result<OwnedPayload, Fault>;
