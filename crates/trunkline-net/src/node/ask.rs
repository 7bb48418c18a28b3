//! [`Ask`]: one call of ours, from being sent to being answered, however often it is sent.

use super::{
    cancel,
    desk::{Desk, left, unreachable},
    pending::{Id, Outcome},
};
use crate::{
    broker::{Line, Request, Unsent},
    clock::{after, earliest, now},
};
use bytes::Bytes;
use rand::random;
use std::{
    ops::Range,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::{sync::oneshot, time::timeout_at};
use trunkline_core::{
    Context, Fault, FaultKind, Key, Payload,
    envelope::{Asked, Remark},
    router::{Unknown, Why},
};

/// How many requests are sent for one call at most.
const ATTEMPTS: u32 = 3;

/// How long a call waits before its second attempt, give or take half of it; before the
/// third it is twice as long.
const BACKOFF: Duration = Duration::from_millis(50);

/// How long a call waits, give or take half of it, before it asks again for what nobody
/// serves in a network that comes together.
const COMING: Duration = Duration::from_millis(200);

/// One call of ours.
pub(super) struct Ask {
    pub(super) desk: Arc<Desk>,
    pub(super) id: Id,
    pub(super) procedure: Box<str>,
    pub(super) context: Context,
    /// Whether this server has found out who its caller is.
    pub(super) identified: bool,
    /// When its caller will have lost interest.
    pub(super) until: Option<Instant>,
}

/// A request as it is spelled.
pub(super) struct Spelled {
    body: Bytes,
    /// Where its arguments stand in it.
    args: Option<Range<usize>>,
    /// For how long it is said to be waited for.
    timeout: Duration,
}

impl Ask {
    /// Spells its request, for the time that is left.
    pub(super) fn spell(&self, key: &Key<'_>, args: Option<Payload<'_>>, repeated: bool) -> Spelled {
        let timeout = self.left();
        let mut body = Vec::new();
        let asked = Asked { args, repeated, ..self.asked(key, timeout) };
        let args = self.desk.envelope.request(&asked, &mut body);
        Spelled { body: body.into(), args, timeout }
    }

    /// What it asks, but for its arguments.
    fn asked<'a>(&'a self, key: &'a Key<'a>, timeout: Duration) -> Asked<'a> {
        let Self { id, context, identified, .. } = self;
        let (id, identified) = (id.as_str(), *identified);
        Asked { id, key, args: None, context, identified, timeout, repeated: false }
    }

    /// Sends a request on `line`, now.
    fn send(&self, key: &Key<'_>, line: &dyn Line, spelled: &Spelled) -> Result<(), Unsent> {
        let Spelled { body, timeout, .. } = spelled;
        let (id, body) = (self.id.as_str(), body.clone());
        let correlation = || self.desk.envelope.correlation(&self.asked(key, *timeout));
        line.request(key, Request { id, correlation: &correlation, expires: *timeout, body })
    }

    /// Sends it, as soon as the broker is there, and waits for the answer, a value of JSON;
    /// sends it again if it was [not started](Remark::NotStarted), or is lost and may run
    /// twice. Dropping the future tells whoever runs the call.
    pub(super) fn answer(self, spelled: Spelled) -> impl Future<Output = Result<Bytes, Fault>> + Send {
        let idempotent = self.desk.repeatable.contains(&self.procedure);
        // an `async fn` would hold its arguments twice
        async move {
            let Self { desk, procedure, .. } = &self;
            desk.budget.call();
            desk.asked.fetch_add(1, Ordering::Relaxed);
            let mut course = Course::new(&self, spelled, idempotent);
            course.send().await?;
            // what is said if it comes to nothing
            let mut failed = None;
            loop {
                match course.hear().await {
                    Heard::Answered { outcome, idempotent: is_so } => {
                        if is_so != idempotent {
                            desk.repeatable.learn(procedure, is_so);
                        }
                        return outcome;
                    }
                    Heard::Over => return Err(too_late()),
                    Heard::Lost if course.open == 0 => {}
                    Heard::Lost if !idempotent => return Err(lost()),
                    Heard::Lost => {
                        (course.open, course.may_have_run, failed) = (0, true, Some(lost()));
                        course.try_later();
                    }
                    Heard::NotStarted(fault) => {
                        course.open = course.open.saturating_sub(1);
                        failed = failed.or(Some(fault));
                        course.try_later();
                    }
                    Heard::Unroutable => {
                        course.open = course.open.saturating_sub(1);
                        if desk.is_coming_together() {
                            course.wait_for_others();
                        } else if course.sent == 1 {
                            return Err(Unknown::new(procedure, Why::Nowhere).into());
                        } else {
                            failed = failed.or_else(|| Some(gone(course.may_have_run)));
                            course.try_later();
                        }
                    }
                    Heard::Due if course.free || desk.budget.spend() => {
                        course.may_have_run |= course.open > 0;
                        course.send().await?;
                    }
                    Heard::Due => course.sent = ATTEMPTS,
                }
                if course.open == 0 && course.again.is_none() {
                    return Err(failed.unwrap_or_else(lost));
                }
            }
        }
    }

    /// How much time is left.
    fn left(&self) -> Duration {
        self.until.map_or(Duration::MAX, |until| until.saturating_duration_since(now()))
    }

    /// Until when it waits for the broker: then there is time still to say so.
    fn patience(&self) -> Option<Instant> {
        self.until.and_then(|_| after(now(), self.left() / 10 * 9))
    }
}

/// What there is to be heard of a call.
enum Heard {
    Answered {
        outcome: Result<Bytes, Fault>,
        idempotent: bool,
    },
    /// A node refuses it that another might take.
    NotStarted(Fault),
    Unroutable,
    Lost,
    /// It is to be sent again.
    Due,
    /// Its time is up.
    Over,
}

/// How far a call has come. Nobody is left behind who waits, nor anybody who works for
/// nobody.
struct Course<'a> {
    ask: &'a Ask,
    key: Key<'a>,
    spelled: Spelled,
    expected: oneshot::Receiver<Outcome>,
    idempotent: bool,
    /// How many requests have been sent.
    sent: u32,
    /// How many of them may be answered still.
    open: u32,
    /// Whether one of them may have run.
    may_have_run: bool,
    /// When the next one is due, if one is.
    again: Option<Instant>,
    /// Whether that one takes nobody's room.
    free: bool,
}

impl<'a> Course<'a> {
    fn new(ask: &'a Ask, spelled: Spelled, idempotent: bool) -> Self {
        let expected = ask.desk.pending.expect(ask.id);
        let (sent, open, may_have_run, again, free) = (0, 0, false, None, false);
        let key = Key::of(&ask.procedure);
        Self { ask, key, spelled, expected, idempotent, sent, open, may_have_run, again, free }
    }

    /// Sends a request, as soon as the broker is there.
    async fn send(&mut self) -> Result<(), Fault> {
        let Ask { desk, id, .. } = self.ask;
        let mut patience = None;
        if self.sent > 0 || self.free {
            self.spell_again();
        }
        loop {
            let line = desk.line().ok_or_else(left)?;
            match self.ask.send(&self.key, &*line, &self.spelled) {
                Ok(()) => break,
                Err(Unsent::Lost) => {}
                Err(_) if self.open > 0 => {
                    // those that are under way are waited for
                    (self.sent, self.again) = (ATTEMPTS, None);
                    return Ok(());
                }
                Err(_) if self.may_have_run => return Err(lost()),
                Err(unsent) => return Err(unsent.into()),
            }
            drop(line);
            // what was under way is lost
            self.may_have_run |= self.open > 0;
            self.open = 0;
            let patience = *patience.get_or_insert_with(|| self.ask.patience());
            // seldom wanted, and large
            let reached = Box::pin(desk.reached(patience)).await;
            self.expected = desk.pending.expect(*id);
            match reached {
                Ok(true) => self.spell_again(),
                Ok(false) if self.may_have_run => return Err(lost()),
                Ok(false) => return Err(unreachable()),
                Err(left) => return Err(left),
            }
        }
        self.sent += 1;
        self.open += 1;
        self.free = false;
        self.again = None;
        if self.idempotent && self.may_send() {
            // each of the attempts to come has an equal share of the time
            self.again = after(now(), self.ask.left() / (ATTEMPTS + 1 - self.sent));
        }
        Ok(())
    }

    /// The same request, for the time that is left.
    fn spell_again(&mut self) {
        let Spelled { body, args, .. } = &self.spelled;
        let args = args.clone().and_then(|place| std::str::from_utf8(&body[place]).ok());
        self.spelled = self.ask.spell(&self.key, args.map(Payload::Json), self.may_have_run);
    }

    fn may_send(&self) -> bool {
        self.sent < ATTEMPTS
    }

    /// Sends another one after a while, if another one may be sent.
    fn try_later(&mut self) {
        let pause = BACKOFF * (1 << self.sent.saturating_sub(1).min(8));
        self.again = self.may_send().then(|| after(now(), about(pause))).flatten();
    }

    /// Asks again soon, which is as if it had not asked.
    fn wait_for_others(&mut self) {
        (self.sent, self.free) = (self.sent.saturating_sub(1), true);
        self.again = after(now(), about(COMING));
    }

    /// Waits until there is something to be heard.
    async fn hear(&mut self) -> Heard {
        let until = self.ask.until;
        let outcome = match earliest([self.again, until]) {
            Some(at) => timeout_at(at.into(), &mut self.expected).await,
            None => Ok((&mut self.expected).await),
        };
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(_) if until.is_some_and(|until| until <= now()) => return Heard::Over,
            Err(_) => {
                self.again = None;
                return Heard::Due;
            }
        };
        let heard = match outcome {
            Ok(Outcome::Answered(Err(fault), Some(Remark::NotStarted))) => Heard::NotStarted(fault),
            Ok(Outcome::Answered(outcome, remark)) => {
                self.open = self.open.saturating_sub(1);
                return Heard::Answered { outcome, idempotent: remark == Some(Remark::Idempotent) };
            }
            Ok(Outcome::Unroutable) => Heard::Unroutable,
            Ok(Outcome::Lost) | Err(_) => Heard::Lost,
        };
        self.expected = self.ask.desk.pending.expect(self.ask.id);
        heard
    }
}

impl Drop for Course<'_> {
    fn drop(&mut self) {
        let Ask { desk, id, .. } = self.ask;
        desk.pending.forget(*id);
        if self.open > 0
            && let Some(line) = desk.line()
        {
            // where it is not heard, the deadline does the same
            let topic = cancel::topic(&self.key);
            let _ = line.publish(&topic, cancel::write(id.as_str(), self.ask.left()));
        }
    }
}

/// So much time, give or take half of it: not all are to come at the same time.
fn about(time: Duration) -> Duration {
    time.mul_f64(0.5 + random::<f64>())
}

#[cold]
fn too_late() -> Fault {
    Fault::new(FaultKind::DeadlineExceeded, "Deadline exceeded")
        .with_data("no node of the network has answered in time: whether the procedure ran is not known")
}

#[cold]
fn lost() -> Fault {
    let message = "the broker was lost before the answer came: whether the procedure ran is not known";
    Fault::new(FaultKind::Disconnected, message)
}

/// What is said where nobody is left who has a procedure that somebody had.
#[cold]
fn gone(may_have_run: bool) -> Fault {
    match may_have_run {
        true => Fault::new(
            FaultKind::Disconnected,
            "the nodes that have this procedure are gone: whether it ran is not known",
        ),
        false => {
            Fault::new(FaultKind::Unavailable, "the nodes that have this procedure are gone, it has not run")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_call_of_ours_is_carried_in_is_small() {
        fn size<F>(_: fn(Ask, Spelled) -> F) -> usize {
            size_of::<F>()
        }
        // what is larger than a kilobyte, allocators do not have at hand
        let size = size(Ask::answer);
        assert!(size <= 768, "{size} bytes are allocated for each call");
    }
}
