//! [`Driver`]: the task of one connection.
//!
//! It owns the read half, the write half, the calls under way and what waits to
//! be sent, so a call costs no lock, no channel and no task: it is heard in
//! place, started inline, and answered straight into the buffer that is written
//! when all that has been read is handled. `docs/performance.md` has the figures.

mod listening;

use super::{Peer, Phase, Shared, aside::Aside, ours::expire_due, output::Output, times::Times, unanswered};
use crate::{
    clock::{after, now},
    conversation::{Conversation, ROUNDS, Room, Turn},
    link::{ByteStream, Ended, Link},
    service::Service,
};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, Waker},
    time::{Duration, Instant},
};
use tokio::io::AsyncWrite;
use trunkline_core::{
    Context, Input, Outbox,
    framing::{Framing, Goodbye},
};

/// Frames handled in one poll before other tasks get their turn.
const BUDGET: usize = 1024;
/// Output below which it is worth waiting for other tasks to add theirs.
const SMALL: usize = 32 << 10;
/// How long a connection that was cut short is read on, so that the last words
/// are not lost in a reset.
const LINGER: Duration = Duration::from_secs(1);

/// The task of one connection; ends with the reason why the connection did.
pub(crate) struct Driver {
    stream: Box<dyn ByteStream>,
    framing: Box<dyn Framing>,
    conversation: Conversation,
    service: Service,
    shared: Arc<Shared>,
    input: Input,
    output: Output,
    reading: Reading,
    ending: Option<Ended>,
    /// Whether the framing has said goodbye.
    parted: bool,
    /// What to say in parting once a drain is done.
    goodbye: Goodbye,
    /// Whether other tasks' frames wait until there is room for them.
    uncollected: bool,
    /// When a connection that is being broken off ends, whatever still waits to be sent.
    broken_off: Option<Instant>,
    aside: Aside,
    /// Bytes by which refusals have grown what waits to be sent, since there was room for replies.
    refusals: usize,
    times: Times,
}

/// What may still come in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reading {
    Open,
    /// The stream has ended; what it left is being cut.
    Ended,
    /// Nothing more is listened to.
    Done,
    /// All is written; waiting for the far side to hang up.
    Lingering(Instant),
}

/// How a step went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    /// As far as there was anything to do.
    Done,
    /// Stopped at a limit, with more to do.
    Stopped,
}

impl Driver {
    /// Prepares a link for being driven, and gives the peer at its far end.
    pub(crate) fn new(link: Link, service: &Service, default_timeout: Duration) -> (Self, Peer) {
        let (dialect, speaker) = service.language.converse(&service.limits);
        let out = Outbox::new(link.framing.marking());
        let mut shared_out = out.another();
        if dialect.pace().is_some() {
            shared_out.keep_frames_apart();
        }
        let max_unsent = service.limits.max_unsent;
        let tells_timeouts = service.tells_timeouts;
        let shared =
            Shared::new(link.connection, shared_out, speaker, max_unsent, default_timeout, tells_timeouts);
        let peer = Peer(shared.clone(), None);
        let mut extensions = http::Extensions::new();
        extensions.insert(peer.clone());
        let context = Context::new(shared.connection().clone(), extensions);
        let mut input = Input::default();
        if !link.arrived.is_empty() {
            input.extend(&link.arrived);
        }
        let driver = Self {
            stream: link.stream,
            framing: link.framing,
            conversation: Conversation::new(dialect, service.clone(), context).among(shared.clone()),
            service: service.clone(),
            shared,
            input,
            output: Output::new(out),
            reading: Reading::Open,
            ending: None,
            parted: false,
            goodbye: Goodbye::Done,
            uncollected: false,
            broken_off: None,
            aside: Aside::default(),
            refusals: 0,
            times: Times::new(now()),
        };
        (driver, peer)
    }

    /// Whether more may be said of our own accord before what was said has left.
    #[inline]
    fn may_speak(&self) -> bool {
        self.output.unsent() + self.conversation.dialect.held() < self.service.limits.max_unsent
    }

    /// Bytes by which replies may grow before what was said has left. What we say
    /// of our own accord does not count: a far side that does the same would
    /// otherwise wait for us to read as we wait for it.
    #[inline]
    fn room(&self) -> usize {
        let unsent = self.output.unsent_replies() + self.conversation.dialect.held();
        self.service.limits.max_unsent.saturating_sub(unsent)
    }

    /// Up to where what waits to be sent may grow.
    fn room_left(&self) -> Room {
        let (waiting, room) = (self.output.outbox.len(), self.room());
        let streams = room.saturating_sub(self.service.limits.max_unsent / 2);
        Room { calls: waiting + room, streams: waiting + streams }
    }

    /// Whether calls may be started as they come.
    #[inline]
    fn may_start(&self) -> bool {
        self.room() > 0 && !self.conversation.is_full()
    }

    /// Whether more may be heard. While we wait for answers, they may stand behind
    /// more calls: those are put off, and refused when there are too many of them,
    /// until the refusals are too many as well. While it is being found out who the
    /// far side is, it may give that up, or hang up.
    #[inline]
    fn may_hear(&self) -> bool {
        self.may_start()
            || (self.refusals < self.service.limits.max_unsent
                && (self.conversation.may_put_off() || self.shared.state().pending.len() > 0))
    }

    /// Takes over what other tasks want sent, as far as there is room for it;
    /// whether there was any.
    fn collect(&mut self, now: Instant) -> bool {
        let left_over = self.uncollected && self.may_speak();
        if !self.shared.take_dirty() && !left_over {
            return false;
        }
        self.uncollected = !self.may_speak();
        let mut waiting = Vec::new();
        let before = self.output.outbox.len();
        let phase = {
            let mut state = self.shared.state();
            if self.parted {
                // nothing is said after a goodbye
                state.out.clear(0);
            }
            // the last words leave before it, whether there is room or not
            if self.parted || state.phase == Phase::Closing {
                self.uncollected = false;
            }
            if !self.uncollected {
                self.output.outbox.append(&mut state.out);
                waiting = state.take_waiting();
            }
            state.phase
        };
        waiting.into_iter().for_each(Waker::wake);
        let collected = self.output.outbox.len() - before;
        self.output.are_own(collected);
        match phase {
            Phase::Draining(goodbye) => {
                self.conversation.drain(&mut self.output.outbox);
                self.goodbye = goodbye;
            }
            Phase::Closing => {
                self.broken_off = self.broken_off.or_else(|| after(now, LINGER));
                self.end(Ended::Here, Goodbye::GoingAway);
            }
            Phase::Open | Phase::Parted | Phase::Closed => {}
        }
        collected > 0
    }

    /// Whether other tasks have left something that can be taken over now.
    fn is_called(&self) -> bool {
        self.shared.is_dirty() || (self.uncollected && self.may_speak())
    }

    /// Stops listening, and parts in the far side's own way.
    fn end(&mut self, ended: Ended, goodbye: Goodbye) {
        if std::mem::replace(&mut self.parted, true) {
            return;
        }
        let unframed = matches!(ended, Ended::Unframed(_));
        self.shared.part_at_once();
        self.conversation.clear();
        self.ending.get_or_insert(ended);
        self.reading = Reading::Done;
        self.times.between();
        let before = self.output.outbox.len();
        self.framing.goodbye(goodbye, &mut self.output.outbox);
        if unframed && self.output.outbox.len() == before {
            self.conversation.dialect.unframed(&mut self.output.outbox);
        }
    }

    /// Whether all that is to be said before the end of a drain is said: what has come
    /// by now was heard, and is answered.
    fn is_drained(&self) -> bool {
        self.conversation.draining
            && self.reading == Reading::Open
            && self.conversation.is_idle()
            && !self.uncollected
            && self.shared.part()
    }

    /// What the clock has to say.
    fn check_times(&mut self, now: Instant) -> Result<(), Ended> {
        if !self.times.is_due(now) {
            return Ok(());
        }
        if self.broken_off.is_some_and(|at| at <= now) {
            return Err(self.ended());
        }
        let limits = self.service.limits.clone();
        if self.times.is_stalled(&limits, now) {
            return Err(Ended::Stalled);
        }
        if self.times.is_slow(&limits, now) {
            self.end(Ended::SlowMessage, Goodbye::Refused);
        }
        let busy = !self.conversation.is_idle() || self.shared.state().pending.len() > 0;
        if self.times.is_gone(busy, &limits, now) {
            self.end(Ended::Idle, Goodbye::GoingAway);
        } else if self.times.wants_ping(&limits, now) && self.framing.ping(&mut self.output.outbox) {
            self.times.pinged();
        }
        self.conversation.expire_due(&mut self.output.outbox, now);
        self.uncollected |= expire_due(&self.shared, now);
        Ok(())
    }

    /// Sets the alarm to when the clock is to be asked next.
    fn arm(&mut self, cx: &mut TaskContext<'_>, now: Instant) {
        let lingering = match self.reading {
            Reading::Lingering(until) => Some(until),
            _ => None,
        };
        let others = [
            self.conversation.earliest(),
            self.shared.state().pending.earliest(),
            self.output.waits_until(),
            lingering,
            self.broken_off,
        ];
        self.times.arm(others, &self.service.limits, now, cx);
    }

    fn step(&mut self, cx: &mut TaskContext<'_>) -> Poll<Ended> {
        let now = now();
        let task = cx.waker();
        let turn = Turn { now, task };
        let (mut budget, mut rounds) = (BUDGET, ROUNDS);
        self.shared.register(task);
        self.conversation.register(task);
        if let Err(ended) = self.check_times(now) {
            return Poll::Ready(ended);
        }
        loop {
            let collected = self.collect(now);
            let room = self.room_left();
            self.conversation.poll(&mut self.output.outbox, room, turn);
            let listened = self.listen(&mut budget, turn);
            if self.reading == Reading::Done {
                self.conversation.end_streams(&mut self.output.outbox);
            }
            let more_is_likely = collected || !self.conversation.is_idle() || self.aside.has_begun();
            if more_is_likely && (1..SMALL).contains(&self.output.unsent()) && self.aside.is_waiting(task) {
                return Poll::Pending;
            }
            self.aside.reset();
            let Self { stream, conversation, shared, times, output, .. } = self;
            let all_written = match output.write(&mut **stream, &mut *conversation.dialect, shared, times, cx)
            {
                Ok(all_written) => all_written,
                Err(ended) => return Poll::Ready(ended),
            };
            if all_written && self.reading == Reading::Done && self.conversation.is_idle() {
                return self.finish(cx, now);
            }
            if let Reading::Lingering(until) = self.reading
                && now >= until
            {
                return Poll::Ready(self.ended());
            }
            if listened == Step::Stopped {
                if budget == 0 {
                    task.wake_by_ref();
                    return Poll::Pending;
                }
                if self.may_hear() {
                    continue;
                }
            } else if matches!(self.reading, Reading::Open | Reading::Lingering(_)) {
                match self.read(cx, now) {
                    Ok(true) => continue,
                    Ok(false) if self.is_drained() => {
                        self.end(Ended::Here, self.goodbye);
                        continue;
                    }
                    Ok(false) => {}
                    Err(Ended::ByPeer) => return Poll::Ready(self.ended()),
                    Err(_) if matches!(self.reading, Reading::Lingering(_)) => {
                        return Poll::Ready(self.ended());
                    }
                    Err(ended) => return Poll::Ready(ended),
                }
            }
            if !self.is_called() && !self.conversation.is_woken(self.output.outbox.len(), self.room_left()) {
                return Poll::Pending;
            }
            rounds -= 1;
            if rounds == 0 {
                task.wake_by_ref();
                return Poll::Pending;
            }
        }
    }

    /// All is said and written: closes this side's direction, and waits a moment
    /// for the far side to close its own.
    fn finish(&mut self, cx: &mut TaskContext<'_>, now: Instant) -> Poll<Ended> {
        match Pin::new(&mut self.stream).poll_shutdown(cx) {
            Poll::Pending => {
                self.times.blocked(now);
                return Poll::Pending;
            }
            Poll::Ready(Err(_)) => return Poll::Ready(self.ended()),
            Poll::Ready(Ok(())) => {}
        }
        match (&self.ending, after(now, LINGER)) {
            // the far side has ended its direction: there is nothing to wait for
            (Some(Ended::ByPeer) | None, _) | (_, None) => Poll::Ready(self.ended()),
            (Some(_), Some(until)) => {
                self.reading = Reading::Lingering(until);
                self.input = Input::default();
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    fn ended(&mut self) -> Ended {
        self.ending.take().unwrap_or(Ended::ByPeer)
    }
}

impl Future for Driver {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Ended> {
        let driver = &mut *self;
        let polled = driver.step(cx);
        driver.settle();
        if polled.is_pending() {
            driver.arm(cx, now());
        } else {
            driver.conversation.clear();
        }
        polled
    }
}

/// However the task ends, also by being dropped, nobody waits on for it.
impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.close(&unanswered());
    }
}
