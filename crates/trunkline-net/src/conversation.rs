//! [`Conversation`]: what both drivers do with what they hear: start calls,
//! drive them on, answer them.

mod feeding;
mod login;
mod opening;
mod parking;
mod refusing;
mod starting;

#[cfg(feature = "http")]
pub(crate) use self::refusing::report;
pub(crate) use self::refusing::{busy, not_run, panicked, panicked_in};

use self::{
    opening::opening,
    parking::Parked,
    refusing::{shutting_down, tell},
    starting::answer,
};
use crate::{
    access,
    clock::earliest,
    feeds::Feeds,
    peer::{Occupant, Shared, Slot, Slots},
    service::Service,
    streams::{Streams, Writing},
};
use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context as TaskContext, Poll, Waker},
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;
use tracing::Span;
use trunkline_core::{
    CallId, Context, Credit, Dialect, Fault, FaultKind, Format, Identity, Outbox, OwnedCallId, Reply, Signal,
};

/// As many calls as one connection may have under way whatever its limits say:
/// the table of calls has a bit for each.
const MOST_CALLS: usize = 1 << 16;

/// How often calls that are woken while others are polled are polled in the same
/// turn. Those that yield wake themselves, and must not keep others from theirs.
pub(crate) const ROUNDS: usize = 8;

/// One far side's calls, from being heard to being answered.
pub(crate) struct Conversation {
    pub(crate) dialect: Box<dyn Dialect>,
    format: Format,
    pub(crate) slots: Slots<Slot>,
    /// Most connections never have any.
    streams: Option<Box<Streams>>,
    /// Those that the far side sends; as rare.
    feeds: Option<Box<Feeds>>,
    /// Calls that are to come, and the room that their caller has for items of the
    /// streams that they will open.
    credits: Vec<(Box<str>, Credit)>,
    service: Service,
    context: Context,
    /// How long the caller of the call that is being started waits for it.
    asked: Duration,
    /// Whether the call that is being started may be of an internal procedure.
    internal: bool,
    /// What others say to the same far side. What a handler has said before it
    /// answers goes out before its answer.
    others: Option<Arc<Shared>>,
    /// Calls that wait for a free slot, in the order in which they came.
    parked: VecDeque<Parked>,
    /// How often in a row the far side has failed to show who it is.
    failed_logins: u8,
    /// Whether new calls are refused, because the server is shutting down.
    pub(crate) draining: bool,
    woken: Vec<usize>,
    /// As many calls as may be under way.
    capacity: usize,
    /// Room for calls on the pool of blocking threads, which no cancellation stops.
    blocking: Option<Arc<Semaphore>>,
}

/// The moment and the task on whose behalf something is done.
#[derive(Clone, Copy)]
pub(crate) struct Turn<'a> {
    pub(crate) now: Instant,
    pub(crate) task: &'a Waker,
}

/// How many bytes may wait to be sent before those who would add to them stop.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    /// Before no call is started or goes on.
    pub(crate) calls: usize,
    /// Before no stream is asked for an item: less, or streams would leave no room
    /// for hearing that they are no longer wanted.
    pub(crate) streams: usize,
}

impl Room {
    /// The same for all.
    pub(crate) fn up_to(bytes: usize) -> Self {
        Self { calls: bytes, streams: bytes }
    }
}

impl Conversation {
    pub(crate) fn new(dialect: Box<dyn Dialect>, service: Service, context: Context) -> Self {
        // a batch is admitted whole, however little room there is
        let capacity = service.limits.max_in_flight.saturating_add(service.limits.max_batch).min(MOST_CALLS);
        // calls that take a stream are not counted with the others
        let slots = capacity.saturating_add(service.limits.max_streams).min(MOST_CALLS);
        Self {
            capacity,
            blocking: None,
            format: dialect.format(),
            dialect,
            slots: Slots::with_capacity(slots),
            streams: None,
            feeds: None,
            credits: Vec::new(),
            context: context.with_max_chain(service.limits.max_chain),
            asked: Duration::MAX,
            internal: false,
            service,
            others: None,
            parked: VecDeque::new(),
            failed_logins: 0,
            draining: false,
            woken: Vec::new(),
        }
    }

    /// The same in company: others speak to the far side too.
    pub(crate) fn among(mut self, others: Arc<Shared>) -> Self {
        self.others = Some(others);
        self
    }

    /// Goes on with another caller in another dialect, when all has been answered; gives the last.
    pub(crate) fn turn_to(
        &mut self,
        (dialect, context): (Box<dyn Dialect>, Context),
    ) -> (Box<dyn Dialect>, Context) {
        self.format = dialect.format();
        (std::mem::replace(&mut self.dialect, dialect), self.pass_to(context))
    }

    /// Goes on with another caller, when all has been answered; gives the last one.
    pub(crate) fn pass_to(&mut self, context: Context) -> Context {
        debug_assert!(self.is_idle(), "a call is under way, and would be answered to somebody else");
        self.failed_logins = 0;
        let context = context.with_max_chain(self.service.limits.max_chain);
        std::mem::replace(&mut self.context, context)
    }

    /// Whether as many calls are under way as there may be.
    pub(crate) fn is_full(&self) -> bool {
        self.has_most_calls() || !self.parked.is_empty()
    }

    /// The same of calls that are not put off. Those that take a stream do not count:
    /// they end only if their items are heard.
    #[inline]
    fn has_most_calls(&self) -> bool {
        self.slots.len() >= self.service.limits.max_in_flight && self.has_most_unfed()
    }

    #[cold]
    fn has_most_unfed(&self) -> bool {
        let fed = self.feeds.as_ref().map_or(0, |feeds| feeds.in_slots());
        self.slots.len() >= self.service.limits.max_in_flight.saturating_add(fed)
    }

    /// Wakes `task` when something that runs here wants to go on.
    #[inline]
    pub(crate) fn register(&self, task: &Waker) {
        self.slots.register(task);
        if let Some(streams) = &self.streams {
            streams.register(task);
        }
    }

    /// Whether something that runs here wants to go on, while so many bytes wait.
    /// Calls can if there is room for their replies; streams know what to do without.
    #[inline]
    pub(crate) fn is_woken(&self, waiting: usize, room: Room) -> bool {
        (waiting < room.calls && self.slots.is_woken())
            || self.streams.as_ref().is_some_and(|streams| streams.is_woken(waiting < room.streams))
            || self.feeds.as_ref().is_some_and(|feeds| waiting < room.calls && feeds.has_news())
    }

    /// Gives memory back.
    pub(crate) fn shrink(&mut self) {
        self.slots.shrink();
        if let Some(streams) = &mut self.streams {
            streams.shrink();
        }
    }

    /// Breaks off the streams of a far side that can no longer say that it does not
    /// want them.
    pub(crate) fn end_streams(&mut self, out: &mut Outbox) {
        self.break_off_feeds();
        let ended = || {
            Fault::new(
                FaultKind::Unavailable,
                "the caller has ended its direction of the connection, and with it its streams",
            )
        };
        self.break_off(|_| true, ended, out);
    }

    /// Breaks off the streams of those of whom `ends` says so.
    fn break_off(&mut self, ends: impl Fn(&Identity) -> bool, why: impl Fn() -> Fault, out: &mut Outbox) {
        if let Some(streams) = &mut self.streams {
            let (service, context) = (&self.service, &self.context);
            streams.break_off(ends, &mut *self.dialect, out, |stream| tell(service, context, stream, &why()));
        }
    }

    /// Takes no more calls, and breaks off what would never end by itself.
    pub(crate) fn drain(&mut self, out: &mut Outbox) {
        if !std::mem::replace(&mut self.draining, true) {
            self.drain_feeds();
            self.break_off(|_| true, shutting_down, out);
        }
    }

    /// Whether no call is under way. Streams may be open.
    pub(crate) fn is_idle(&self) -> bool {
        self.slots.is_empty() && self.parked.is_empty()
    }

    /// Whether nothing runs, nor is any stream open.
    #[cfg(feature = "http")]
    pub(crate) fn is_done(&self) -> bool {
        self.is_idle() && self.streams.as_ref().is_none_or(|streams| streams.len() == 0)
    }

    /// Acts on a signal, unless it is the driver's business; whether it did.
    #[inline]
    pub(crate) fn take(&mut self, signal: &Signal<'_>, out: &mut Outbox, turn: Turn<'_>) -> bool {
        match signal {
            Signal::Call { id, procedure, args, about } => {
                self.call(Some(id), procedure, args.as_ref(), about.as_deref(), out, turn);
            }
            Signal::Notify { procedure, args, about } => {
                self.call(None, procedure, args.as_ref(), about.as_deref(), out, turn);
            }
            other => return self.take_other(other, out, turn),
        }
        true
    }

    /// Acts on what is said of calls that are there already.
    #[inline(never)]
    fn take_other(&mut self, signal: &Signal<'_>, out: &mut Outbox, turn: Turn<'_>) -> bool {
        match signal {
            Signal::Cancel { id } => self.cancel(id, out, turn),
            Signal::Credit { of, credit } => self.credit(*of, *credit),
            Signal::Feed { call, outcome } => self.feed(call, outcome, out, turn),
            _ => return false,
        }
        true
    }

    /// Polls the calls that want to be polled, and starts those that were put off,
    /// as far as there is room.
    pub(crate) fn poll(&mut self, out: &mut Outbox, room: Room, turn: Turn<'_>) {
        let mut woken = std::mem::take(&mut self.woken);
        self.slots.take_woken(&mut woken);
        for place in woken.drain(..) {
            if out.len() >= room.calls {
                self.slots.wake(place);
                continue;
            }
            self.poll_place(place, out, turn);
        }
        self.woken = woken;
        if let Some(feeds) = &self.feeds
            && feeds.has_news()
            && out.len() < room.calls
        {
            feeds.tell(&mut *self.dialect, out);
        }
        if let Some(streams) = &mut self.streams {
            let writing = Writing { format: self.format, max_reply: self.service.limits.max_reply };
            let (service, context) = (&self.service, &self.context);
            streams.poll(&mut *self.dialect, writing, out, room.streams, |stream, fault| {
                tell(service, context, stream, fault)
            });
        }
        self.unpark(out, room.calls, turn);
    }

    fn poll_place(&mut self, place: usize, out: &mut Outbox, turn: Turn<'_>) {
        let Some((slot, waker)) = self.slots.get(place) else { return };
        let mut cx = TaskContext::from_waker(waker);
        if slot.opens.is_some() {
            match opening(slot, &mut cx, self.format) {
                Poll::Pending => {}
                Poll::Ready(Ok(())) => self.opened(place, out, turn),
                Poll::Ready(Err(fault)) => {
                    if let Some(slot) = self.slots.remove(place) {
                        self.refuse_slot(slot, &fault, out);
                    }
                }
            }
            return;
        }
        let outcome = {
            let _entered = slot.span.as_ref().map(Span::enter);
            let id = slot.id.as_ref().map(OwnedCallId::borrow);
            answer(&mut *self.dialect, id.as_ref(), out, self.others.as_deref(), |body| {
                let reply = &mut Reply::new(body, self.format, self.service.limits.max_reply);
                slot.running.as_mut().poll(&mut cx, reply)
            })
        };
        if let Poll::Ready(outcome) = outcome
            && let Some(slot) = self.slots.remove(place)
        {
            match outcome {
                Ok(()) => slot.dismiss(),
                Err(fault) => self.refuse_slot(slot, &fault, out),
            }
        }
    }

    fn cancel(&mut self, id: &CallId<'_>, out: &mut Outbox, turn: Turn<'_>) {
        let is_parked =
            |parked: &Parked| matches!(parked, Parked::Call { id: kept, .. } if is_it(kept, id.spelling));
        if let Some(feeds) = &mut self.feeds {
            feeds.forget_unopened(id.spelling);
        }
        let fault = || Fault::new(FaultKind::Cancelled, "Request cancelled");
        match self.slots.remove_where(|slot| is_it(&slot.id, id.spelling)) {
            Some(slot) => self.refuse_slot(slot, &fault(), out),
            None => match self.parked.iter().position(is_parked).and_then(|at| self.parked.remove(at)) {
                Some(Parked::Call { id, procedure, .. }) => {
                    self.refuse(id.as_ref().map(OwnedCallId::borrow).as_ref(), &procedure, &fault(), out);
                }
                _ => return,
            },
        }
        if !self.parked.is_empty() {
            // there is room now for what waits
            turn.task.wake_by_ref();
        }
    }

    /// Ends the calls that have run for longer than they may.
    fn expire(&mut self, out: &mut Outbox, now: Instant) {
        self.extend_fed();
        for slot in self.slots.expire(now) {
            let fault = Fault::new(FaultKind::DeadlineExceeded, "Deadline exceeded").with_data(match slot.fed {
                false => "the call ran for longer than it may: the procedure's timeout, or the limit `call_timeout`",
                true => {
                    "no item of the caller's stream came, or was taken, for longer than the call may take: \
                     the procedure's timeout, or the limit `call_timeout`"
                }
            });
            self.refuse_slot(slot, &fault, out);
        }
    }

    /// Ends the calls that have run out, and the streams whose callers are no longer
    /// known, if there may be any.
    pub(crate) fn expire_due(&mut self, out: &mut Outbox, now: Instant) {
        if self.slots.earliest().is_some_and(|at| at <= now) {
            self.expire(out, now);
        }
        if let Some(streams) = &mut self.streams
            && streams.earliest().is_some_and(|at| at <= now)
        {
            let (service, context) = (&self.service, &self.context);
            streams.expire(&mut *self.dialect, out, now, |stream| {
                tell(service, context, stream, &access::expired())
            });
        }
    }

    /// A time before which nothing here ends by the clock.
    pub(crate) fn earliest(&self) -> Option<Instant> {
        earliest([self.slots.earliest(), self.streams.as_ref().and_then(|streams| streams.earliest())])
    }

    /// Drops all calls under way, and all streams, which cancels them.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        if let Some(streams) = &mut self.streams {
            streams.clear();
        }
        if let Some(feeds) = &mut self.feeds {
            feeds.clear();
        }
        self.parked.clear();
    }
}

/// Whether a call goes by this name.
fn is_it(kept: &Option<OwnedCallId>, id: &str) -> bool {
    kept.as_ref().is_some_and(|kept| kept.borrow().spelling == id)
}
