//! [`Streams`]: the streams of one connection that are open, and how they go on.

mod kept;

use self::kept::Kept;
use crate::{
    conversation::{Turn, panicked},
    peer::{Occupant, Slots, drop_running},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context as TaskContext, Poll, Waker},
    time::Instant,
};
use tracing::Span;
use trunkline_core::{
    BoxRunning, Dialect, Fault, FaultKind, Format, Identity, Lag, Outbox, Reply, StreamHead,
};

/// Bytes that one stream may add to what waits to be sent before others have their turn.
const BYTES: usize = 64 << 10;
/// Items of one stream before others have their turn, however small they are.
const ITEMS: usize = 1024;

/// The streams of one connection that are open.
pub(crate) struct Streams {
    slots: Slots<OpenStream>,
    /// Numbers count up from 1 and are never used again.
    last: u64,
    woken: Vec<usize>,
    /// Streams that have items, for which there is no room.
    blocked: Vec<usize>,
}

/// A stream that is open.
pub(crate) struct OpenStream {
    running: BoxRunning,
    number: u64,
    head: StreamHead,
    procedure: Box<str>,
    span: Option<Span>,
    /// How many items the caller has room for; `None` if it takes them as they come.
    credit: Option<u64>,
    lag: Lag,
    /// Whether the caller is told of items and of nothing else.
    items_only: bool,
    /// Items that wait because there is no room, where the stream is not what waits.
    kept: Kept,
    /// What is left to say once the kept items have left.
    outcome: Option<Result<(), Fault>>,
    /// Whether it is in the list of those that wait for room.
    blocked: bool,
    /// Who opened it. It ends when it is no longer known who that is.
    caller: Identity,
}

impl Occupant for OpenStream {
    fn deadline(&self) -> Option<Instant> {
        self.caller.expires()
    }

    fn dismiss(self) {
        drop_running(self.running, &self.procedure);
    }
}

/// What is known of a stream before it is open.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// What its items are called.
    pub(crate) items: Box<str>,
    pub(crate) lag: Lag,
    pub(crate) credit: Option<u64>,
    /// Whether the caller is told of items and of nothing else.
    pub(crate) items_only: bool,
}

/// How values are written, and how much of them.
#[derive(Clone, Copy)]
pub(crate) struct Writing {
    pub(crate) format: Format,
    pub(crate) max_reply: usize,
}

impl Streams {
    /// Room for `capacity` streams.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { slots: Slots::with_capacity(capacity), last: 0, woken: Vec::new(), blocked: Vec::new() }
    }

    /// How many are open.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// A number for the next one.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Goes on with a stream that has been opened, for which there is room.
    pub(crate) fn insert(&mut self, stream: OpenStream, turn: Turn<'_>) {
        let vacant = self.slots.vacant(turn.task);
        debug_assert!(vacant.is_some(), "its answer has been written");
        if let Some((place, waker)) = vacant {
            waker.wake_by_ref();
            self.slots.insert(place, stream);
        }
    }

    /// Wakes `task` when a stream may have an item.
    pub(crate) fn register(&self, task: &Waker) {
        self.slots.register(task);
    }

    /// Whether a stream wants to go on: because it was woken, or because there is
    /// room for what it waits with.
    pub(crate) fn is_woken(&self, has_room: bool) -> bool {
        self.slots.is_woken() || (has_room && !self.blocked.is_empty())
    }

    /// The caller has room for more items of the stream of this number.
    pub(crate) fn grant(&mut self, number: u64, items: u64) {
        let Some(place) = self.slots.position(|stream| stream.number == number) else { return };
        if let Some((stream, waker)) = self.slots.get(place) {
            stream.credit = stream.credit.map(|credit| credit.saturating_add(items));
            waker.wake_by_ref();
        }
    }

    /// Ends the stream of this number, which nobody listens to any more; whether
    /// there was one.
    pub(crate) fn end(&mut self, number: u64) -> bool {
        self.slots.remove_where(|stream| stream.number == number).map(Occupant::dismiss).is_some()
    }

    /// Breaks off the streams of those of whom `ends` says so; `told` hears of each, by
    /// its procedure and whoever opened it, and says what that one is told.
    pub(crate) fn break_off(
        &mut self,
        ends: impl Fn(&Identity) -> bool,
        dialect: &mut dyn Dialect,
        out: &mut Outbox,
        mut told: impl FnMut(&str, &Identity) -> Fault,
    ) {
        while let Some(stream) = self.slots.remove_where(|stream| ends(&stream.caller)) {
            stream.tell_end(Err(&told(&stream.procedure, &stream.caller)), dialect, out);
            stream.dismiss();
        }
    }

    /// Breaks the stream of this number off, as [`break_off`](Self::break_off) does.
    pub(crate) fn break_off_one(
        &mut self,
        number: u64,
        dialect: &mut dyn Dialect,
        out: &mut Outbox,
        told: impl FnOnce(&str, &Identity) -> Fault,
    ) {
        if let Some(stream) = self.slots.remove_where(|stream| stream.number == number) {
            stream.tell_end(Err(&told(&stream.procedure, &stream.caller)), dialect, out);
            stream.dismiss();
        }
    }

    /// Somebody is known anew: for as long as that is so, the streams go on.
    pub(crate) fn renew(&mut self, caller: &Identity) {
        self.slots.change(|stream| {
            if stream.caller.is_same_as(caller) {
                stream.caller = caller.clone();
            }
        });
    }

    /// A time before which no stream ends by the clock.
    pub(crate) fn earliest(&self) -> Option<Instant> {
        self.slots.earliest()
    }

    /// Breaks off the streams of callers who are no longer known, with what `told` says.
    pub(crate) fn expire(
        &mut self,
        dialect: &mut dyn Dialect,
        out: &mut Outbox,
        now: Instant,
        mut told: impl FnMut(&str, &Identity) -> Fault,
    ) {
        for stream in self.slots.expire(now) {
            stream.tell_end(Err(&told(&stream.procedure, &stream.caller)), dialect, out);
            stream.dismiss();
        }
    }

    /// Drops all streams without a word.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
    }

    /// Gives memory back.
    pub(crate) fn shrink(&mut self) {
        self.slots.shrink();
    }

    /// Sends the items that are there, until `most` bytes wait in `out`. `told` hears
    /// of the streams that broke off, by their procedures and whoever opened them, and
    /// says what those are told.
    pub(crate) fn poll(
        &mut self,
        dialect: &mut dyn Dialect,
        writing: Writing,
        out: &mut Outbox,
        most: usize,
        mut told: impl FnMut(&str, &Identity, Fault) -> Fault,
    ) {
        let mut woken = std::mem::take(&mut self.woken);
        // those that have waited longest come first
        if out.len() < most {
            for place in self.blocked.drain(..) {
                if let Some((stream, _)) = self.slots.get(place) {
                    stream.blocked = false;
                }
                woken.push(place);
            }
        }
        self.slots.take_woken(&mut woken);
        let mut served = Vec::new();
        for place in woken.drain(..) {
            let Some((stream, waker)) = self.slots.get(place) else { continue };
            let had_room = out.len() < most;
            match stream.poll(waker, dialect, writing, out, most) {
                Went::Waits => {}
                Went::Blocked => {
                    if !std::mem::replace(&mut stream.blocked, true) {
                        if had_room { served.push(place) } else { self.blocked.push(place) }
                    }
                }
                Went::On => self.slots.wake(place),
                Went::Ended(outcome) => {
                    let Some(stream) = self.slots.remove(place) else { continue };
                    let outcome = outcome.map_err(|fault| told(&stream.procedure, &stream.caller, fault));
                    stream.tell_end(outcome.as_ref().copied(), dialect, out);
                    stream.dismiss();
                }
            }
        }
        self.blocked.append(&mut served);
        self.woken = woken;
    }
}

/// What came of polling a stream.
enum Went {
    /// It waits for an item, or for credit; it is woken then.
    Waits,
    /// It has items, and there is no room.
    Blocked,
    /// There is more where that came from.
    On,
    Ended(Result<(), Fault>),
}

impl OpenStream {
    pub(crate) fn new(
        running: BoxRunning,
        procedure: Box<str>,
        caller: Identity,
        number: u64,
        head: StreamHead,
        plan: &Plan,
    ) -> Self {
        let &Plan { lag, credit, items_only, .. } = plan;
        Self {
            running,
            number,
            head,
            procedure,
            span: None,
            credit,
            lag,
            items_only,
            kept: Kept::default(),
            outcome: None,
            blocked: false,
            caller,
        }
    }

    pub(crate) fn in_span(self, span: Option<Span>) -> Self {
        Self { span, ..self }
    }

    fn poll(
        &mut self,
        waker: &Waker,
        dialect: &mut dyn Dialect,
        writing: Writing,
        out: &mut Outbox,
        most: usize,
    ) -> Went {
        let span = self.span.clone();
        let _entered = span.as_ref().map(Span::enter);
        let mut cx = TaskContext::from_waker(waker);
        let most_now = most.min(out.len().saturating_add(BYTES));
        for _ in 0..ITEMS {
            let has_room = out.len() < most;
            if has_room && out.len() >= most_now {
                // others have their turn first
                return Went::On;
            }
            if has_room && self.kept.is_empty() {
                self.tell_missed(dialect, out);
                if let Some(outcome) = self.outcome.take() {
                    return Went::Ended(outcome);
                }
            }
            let went = match has_room && self.credit != Some(0) {
                true => self.send(&mut cx, dialect, writing, out),
                false => self.keep(&mut cx, writing, has_room),
            };
            if let Some(went) = went {
                return went;
            }
        }
        Went::On
    }

    /// Sends an item; what came of it, if it is not to go on.
    fn send(
        &mut self,
        cx: &mut TaskContext<'_>,
        dialect: &mut dyn Dialect,
        writing: Writing,
        out: &mut Outbox,
    ) -> Option<Went> {
        self.tell_missed(dialect, out);
        let item = dialect.open_item(&self.head, out);
        let polled = match self.kept.pop() {
            Some(kept) => {
                out.body().extend_from_slice(&kept);
                Poll::Ready(Some(Ok(())))
            }
            None => self.next(cx, writing, out.body()),
        };
        match polled {
            Poll::Ready(Some(Ok(()))) => {
                dialect.close_item(&self.head, item, out);
                self.credit = self.credit.map(|credit| credit - 1);
                None
            }
            other => {
                out.discard(item);
                Some(match other {
                    Poll::Pending => Went::Waits,
                    Poll::Ready(ended) => Went::Ended(ended.unwrap_or(Ok(()))),
                })
            }
        }
    }

    /// Does with an item for which there is no room what is to be done with it; what
    /// came of it, if it is not to go on.
    fn keep(&mut self, cx: &mut TaskContext<'_>, writing: Writing, has_room: bool) -> Option<Went> {
        // there is no credit, or no room: whatever was missing wakes
        let stopped = if has_room { Went::Waits } else { Went::Blocked };
        if self.lag == Lag::Block || self.outcome.is_some() {
            return Some(stopped);
        }
        let mut item = Vec::new();
        match self.next(cx, writing, &mut item) {
            Poll::Pending if self.kept.is_empty() => Some(Went::Waits),
            Poll::Pending => Some(stopped),
            Poll::Ready(Some(Ok(()))) => {
                let kept = self.kept.keep(item, self.lag);
                kept.err().map(|fault| Went::Ended(Err(fault)))
            }
            Poll::Ready(ended) => {
                self.outcome = Some(ended.unwrap_or(Ok(())));
                None
            }
        }
    }

    fn tell_missed(&mut self, dialect: &mut dyn Dialect, out: &mut Outbox) {
        let missed = self.kept.take_missed();
        if missed > 0 {
            tracing::debug!(procedure = &*self.procedure, missed, "items of a stream were left out");
            if !self.items_only {
                dialect.missed(&self.head, missed, out);
            }
        }
    }

    fn tell_end(&self, outcome: Result<(), &Fault>, dialect: &mut dyn Dialect, out: &mut Outbox) {
        if !self.items_only {
            dialect.end_stream(&self.head, outcome, out);
        }
    }

    fn next(
        &mut self,
        cx: &mut TaskContext<'_>,
        writing: Writing,
        item: &mut Vec<u8>,
    ) -> Poll<Option<Result<(), Fault>>> {
        let polled = catch_unwind(AssertUnwindSafe(|| {
            self.running.as_mut().poll_next(cx, &mut Reply::new(item, writing.format, writing.max_reply))
        }));
        polled.unwrap_or_else(|panic| Poll::Ready(Some(Err(panicked(panic)))))
    }
}

/// What is said of a stream whose caller does not take its items in time.
fn lagged(kept: usize) -> Fault {
    Fault::new(
        FaultKind::Unavailable,
        format!(
            "items came faster than they were taken: {kept} were kept, as the procedure's lag policy has it"
        ),
    )
}
