//! [`Times`]: what a connection asks the clock, all of it at leisure.
//!
//! There is one alarm a connection. It is set to the earliest time that may
//! matter and never put off: what has moved further away since is found out
//! when it goes off.

use crate::clock::{after, earliest, now};
use std::{
    pin::Pin,
    task::Context as TaskContext,
    time::{Duration, Instant},
};
use tokio::time::{Sleep, sleep_until};
use trunkline_core::Limits;

/// When things last happened on a connection, and its alarm.
pub(super) struct Times {
    sleep: Option<Pin<Box<Sleep>>>,
    armed: Option<Instant>,
    /// When something was read.
    last_heard: Instant,
    /// When something was read, or taken by the far side.
    last_sign: Instant,
    ping: Ping,
    /// Since when the far side takes nothing of what is sent to it.
    stalled: Option<Instant>,
    /// Since when part of a message is here.
    partial: Option<Instant>,
}

/// How far a ping of ours has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Ping {
    /// There is none, or it was answered.
    None,
    /// It stands behind what has not been taken yet.
    Queued,
    /// The far side owes us an answer since then.
    Sent(Instant),
}

impl Times {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            sleep: None,
            armed: None,
            last_heard: now,
            last_sign: now,
            ping: Ping::None,
            stalled: None,
            partial: None,
        }
    }

    /// Something was read.
    pub(super) fn heard(&mut self, now: Instant) {
        (self.last_heard, self.last_sign, self.ping) = (now, now, Ping::None);
    }

    /// The far side has taken something.
    pub(super) fn taken(&mut self, now: Instant) {
        (self.last_sign, self.stalled) = (now, None);
    }

    /// The far side has taken all.
    pub(super) fn taken_all(&mut self) {
        self.stalled = None;
        if self.ping == Ping::Queued {
            self.ping = Ping::Sent(now());
        }
    }

    /// The far side takes nothing.
    pub(super) fn blocked(&mut self, now: Instant) {
        self.stalled.get_or_insert(now);
    }

    /// Part of a message is here.
    pub(super) fn inside(&mut self, now: Instant) {
        self.partial.get_or_insert(now);
    }

    /// No part of a message is here.
    pub(super) fn between(&mut self) {
        self.partial = None;
    }

    /// The far side has been sent a ping.
    pub(super) fn pinged(&mut self) {
        self.ping = Ping::Queued;
    }

    /// Whether the alarm has gone off, so that it is worth asking the rest.
    #[inline]
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.armed.is_some_and(|armed| armed <= now)
    }

    pub(super) fn is_stalled(&self, limits: &Limits, now: Instant) -> bool {
        self.stalled.is_some_and(|since| passed(since, limits.stall_timeout, now))
    }

    pub(super) fn is_slow(&self, limits: &Limits, now: Instant) -> bool {
        self.partial.is_some_and(|since| passed(since, limits.message_timeout, now))
    }

    /// Whether there has been no sign of life for too long; who owes an answer to
    /// a ping is gone, however busy we are with what it asked.
    pub(super) fn is_gone(&self, busy: bool, limits: &Limits, now: Instant) -> bool {
        let idle = !busy && passed(self.last_sign, limits.idle_timeout, now);
        idle || self.no_answer(limits).is_some_and(|at| at <= now)
    }

    /// When an answer to a ping is overdue.
    fn no_answer(&self, limits: &Limits) -> Option<Instant> {
        let Ping::Sent(sent) = self.ping else { return None };
        Some(after(sent, limits.idle_timeout / 2)?.max(after(self.last_heard, limits.idle_timeout)?))
    }

    /// Whether to ask for a sign of life.
    pub(super) fn wants_ping(&self, limits: &Limits, now: Instant) -> bool {
        self.ping == Ping::None && passed(self.last_heard, limits.idle_timeout / 2, now)
    }

    /// When to look again, as far as it is known here.
    fn next(&self, limits: &Limits, now: Instant) -> Option<Instant> {
        let still_to_come = |at: &Instant| *at > now;
        let ping = match self.ping {
            Ping::None => after(self.last_heard, limits.idle_timeout / 2),
            Ping::Queued => None,
            Ping::Sent(_) => self.no_answer(limits),
        };
        let idle = earliest([
            ping.filter(still_to_come),
            after(self.last_sign, limits.idle_timeout).filter(still_to_come),
        ]);
        earliest([
            self.stalled.and_then(|since| after(since, limits.stall_timeout)),
            self.partial.and_then(|since| after(since, limits.message_timeout)),
            idle.or(after(now, limits.idle_timeout)),
        ])
    }

    /// Sets the alarm to the earliest of what is known here and of `others`.
    pub(super) fn arm(
        &mut self,
        others: [Option<Instant>; 5],
        limits: &Limits,
        now: Instant,
        cx: &mut TaskContext<'_>,
    ) {
        let Some(next) = earliest(others.into_iter().chain([self.next(limits, now)])) else { return };
        if self.armed.is_some_and(|armed| armed <= next && armed > now) {
            return;
        }
        self.armed = Some(next);
        let at = tokio::time::Instant::from_std(next);
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(at)));
        sleep.as_mut().reset(at);
        if sleep.as_mut().poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
    }
}

fn passed(since: Instant, span: Duration, now: Instant) -> bool {
    after(since, span).is_some_and(|at| at <= now)
}
