//! [`OpenStream`]: a stream that is open, and how it goes on.

use super::{Plan, Writing, kept::Kept, room::Room, sending::Most};
use crate::{
    clock::now,
    conversation::panicked,
    peer::{Occupant, drop_caught},
    telling::failed,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context as TaskContext, Poll, Waker},
    time::{Duration, Instant},
};
use tracing::Span;
use trunkline_core::{
    BoxRunning, Dialect, Fault, FaultKind, Identity, Lag, Outbox, Reply, StreamHead, Trace,
};

/// Bytes that one stream may add to what waits to be sent before others have their
/// turn. What leaves in one write is then less than what the outbox keeps of its
/// memory.
const BYTES: usize = 60 << 10;
/// Items of one stream before others have their turn, however small they are.
const ITEMS: usize = 1024;
/// How often as many follow in the same turn, where all of that takes but a moment:
/// the more there are in one write, the less each has to pay for it.
const AGAIN: usize = 7;
const MOMENT: Duration = Duration::from_micros(100);

/// A stream that is open.
pub(crate) struct OpenStream {
    pub(super) running: BoxRunning,
    pub(super) number: u64,
    pub(super) head: StreamHead,
    pub(crate) procedure: Box<str>,
    /// Around all of it, from the call to its last item.
    pub(crate) span: Option<Span>,
    /// Where the call said that it stands in a trace.
    pub(crate) trace: Option<Trace>,
    /// What the caller has room for; `None` if it takes items as they come.
    pub(super) room: Option<Room>,
    lag: Lag,
    /// Whether the caller is told of items and of nothing else.
    items_only: bool,
    /// Items that wait because there is no room, where the stream is not what waits.
    pub(super) kept: Kept,
    /// What is left to say once the kept items have left.
    outcome: Option<Result<(), Fault>>,
    /// Whether it is in the list of those that wait for room.
    pub(super) blocked: bool,
    /// Who opened it. It ends when it is no longer known who that is.
    pub(crate) caller: Identity,
}

impl Occupant for OpenStream {
    fn deadline(&self) -> Option<Instant> {
        self.caller.expires()
    }

    fn dismiss(self) {
        drop_caught(self.running, Some(&self.procedure));
    }
}

/// What came of polling a stream.
pub(super) enum Went {
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
        let lag = running.lag().unwrap_or(lag);
        Self {
            running,
            number,
            head,
            procedure,
            span: None,
            trace: None,
            room: credit.map(Room::new),
            lag,
            items_only,
            kept: Kept::default(),
            outcome: None,
            blocked: false,
            caller,
        }
    }

    /// The same of a call that stands here.
    pub(crate) fn standing(self, span: Option<Span>, trace: Option<Trace>) -> Self {
        Self { span, trace, ..self }
    }

    pub(super) fn poll(
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
        let (mut turns, mut again, mut until) = (ITEMS, AGAIN, None);
        loop {
            if turns == 0 {
                let now = now();
                if again == 0 || now >= *until.get_or_insert(now + MOMENT) {
                    return Went::On;
                }
                (turns, again) = (ITEMS, again - 1);
            }
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
            let went = match has_room && !self.room.is_some_and(Room::is_taken) {
                true => {
                    let (items, bytes) = self.room.map_or((usize::MAX, usize::MAX), Room::left);
                    let most = Most { items: items.min(turns), bytes, filled: most_now };
                    let (sent, went) = self.send(&mut cx, dialect, writing, out, most);
                    if let Some(room) = &mut self.room {
                        room.take(sent.items, sent.bytes);
                    }
                    turns = turns.saturating_sub(sent.items);
                    went
                }
                false => {
                    turns -= 1;
                    self.keep(&mut cx, writing, has_room)
                }
            };
            if let Some(went) = went {
                return went;
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

    #[inline]
    pub(super) fn tell_missed(&mut self, dialect: &mut dyn Dialect, out: &mut Outbox) {
        if self.kept.has_missed() {
            self.tell_missed_now(dialect, out);
        }
    }

    #[cold]
    fn tell_missed_now(&mut self, dialect: &mut dyn Dialect, out: &mut Outbox) {
        let missed = self.kept.take_missed();
        tracing::debug!(procedure = &*self.procedure, missed, "items of a stream were left out");
        if !self.items_only {
            dialect.missed(&self.head, missed, out);
        }
    }

    pub(super) fn tell_end(&self, outcome: Result<(), &Fault>, dialect: &mut dyn Dialect, out: &mut Outbox) {
        if let (Some(span), Err(fault)) = (&self.span, outcome) {
            failed(span, fault, dialect.code(None, fault));
        }
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
pub(super) fn lagged(kept: usize) -> Fault {
    Fault::new(
        FaultKind::Unavailable,
        format!(
            "items came faster than they were taken: {kept} were kept, as the procedure's lag policy has it"
        ),
    )
}
