//! [`Pending`]: our calls that wait for their answers.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use foldhash::fast::RandomState;
use tokio::sync::oneshot;
use trunkline_core::{Fault, RandomId, envelope::Remark};

/// Our calls that wait for their answers, by ids that nobody can guess.
#[derive(Default)]
pub(super) struct Pending {
    calls: Mutex<Calls>,
    strays: AtomicU64,
}

/// By how their ids begin. Those are made up here, so that nobody can choose ones that fall
/// into one place, and need no hash that is safe against that.
type Calls = HashMap<Prefix, Expected, RandomState>;

/// How an id begins: 96 bits, by which those answer who do not say all of it.
type Prefix = [u8; 24];

struct Expected {
    id: Id,
    /// `None` while nobody listens, as an outcome is being looked at that may not be the last.
    outcome: Option<oneshot::Sender<Outcome>>,
    /// What has come meanwhile.
    early: VecDeque<Outcome>,
}

/// The id of one call.
pub(super) type Id = RandomId;

/// How it begins.
fn prefix(id: Id) -> Prefix {
    // it is longer
    id.as_bytes().first_chunk().copied().unwrap_or_default()
}

/// How much may come of one call while nobody listens: one outcome of each attempt, and
/// that the broker is lost.
const MOST_EARLY: usize = 4;

/// What came of a call.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Its answer: a value of JSON, which may have a code, or a fault; and what is said of it.
    Answered(Result<Bytes, Fault>, Option<Remark>),
    /// Nobody serves its procedure.
    Unroutable,
    /// The broker was lost meanwhile.
    Lost,
}

impl Expected {
    /// Keeps an outcome for who listens next, if it may be of interest.
    fn keep(&mut self, outcome: Outcome) -> bool {
        let may = self.early.len() < MOST_EARLY && !self.early.back().is_some_and(Outcome::is_last);
        if may {
            self.early.push_back(outcome);
        }
        may
    }
}

/// The call of this id, or whose id begins so.
fn find<'a>(calls: &'a mut Calls, id: &[u8]) -> Option<(Prefix, &'a mut Expected)> {
    let (prefix, rest) = id.split_first_chunk()?;
    let expected = calls.get_mut(prefix)?;
    (rest.is_empty() || expected.id.as_bytes() == id).then_some((*prefix, expected))
}

impl Outcome {
    /// Whether nothing else is of interest after it: else another attempt may be answered.
    fn is_last(&self) -> bool {
        matches!(self, Self::Lost | Self::Answered(_, None | Some(Remark::Idempotent)))
    }
}

impl Pending {
    /// Expects an outcome, the first or the next, until it is told that [none](Self::forget)
    /// is wanted any more.
    pub(super) fn expect(&self, id: Id) -> oneshot::Receiver<Outcome> {
        let (outcome, receiver) = oneshot::channel();
        let mut calls = self.calls();
        let expected =
            calls.entry(prefix(id)).or_insert(Expected { id, outcome: None, early: VecDeque::new() });
        match expected.early.pop_front() {
            Some(early) => drop(outcome.send(early)),
            None => expected.outcome = Some(outcome),
        }
        receiver
    }

    /// Expects nothing any more.
    pub(super) fn forget(&self, id: Id) {
        self.calls().remove(&prefix(id));
    }

    /// An outcome has come, or what claims to be one.
    pub(super) fn settle(&self, id: &str, outcome: Outcome) {
        let mut calls = self.calls();
        let Some((prefix, expected)) = find(&mut calls, id.as_bytes()) else { return self.stray() };
        let Some(listener) = expected.outcome.take() else {
            if !expected.keep(outcome) {
                self.stray();
            }
            return;
        };
        if outcome.is_last() {
            calls.remove(&prefix);
        }
        drop(calls);
        // whoever gives up at this very moment needs it no more
        drop(listener.send(outcome));
    }

    fn stray(&self) {
        self.strays.fetch_add(1, Ordering::Relaxed);
    }

    /// Nothing will come any more of what is expected.
    pub(super) fn lose(&self) {
        let mut lost = Vec::new();
        self.calls().retain(|_, expected| match expected.outcome.take() {
            Some(listener) => {
                lost.push(listener);
                false
            }
            None => {
                expected.keep(Outcome::Lost);
                true
            }
        });
        for listener in lost {
            drop(listener.send(Outcome::Lost));
        }
    }

    pub(super) fn strays(&self) -> u64 {
        self.strays.load(Ordering::Relaxed)
    }

    pub(super) fn len(&self) -> usize {
        self.calls().len()
    }

    /// No code of others runs under this lock, so that it cannot be poisoned half-way.
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T07: who answers knows all of an id, or all of its beginning.
    #[test]
    fn ids_that_are_not_awaited_are_dropped_and_counted() {
        let pending = Pending::default();
        let id = Id::new();
        let mut awaited = pending.expect(id);
        let other_end = [&id.as_str()[..24], "........"].concat();
        let longer = [id.as_str(), "0"].concat();
        let upper = id.as_str().to_uppercase();
        let foreign = Id::new();
        let mut made_up = vec!["", "x", "é", &id.as_str()[1..], &other_end, &longer, foreign.as_str()];
        made_up.extend((0..32).filter(|length| *length != 24).map(|length| &id.as_str()[..length]));
        made_up.extend((upper != id.as_str()).then_some(&*upper));
        for id in &made_up {
            pending.settle(id, Outcome::Lost);
        }
        assert!(awaited.try_recv().is_err() && pending.len() == 1);
        assert_eq!(pending.strays(), made_up.len() as u64);
        pending.settle(&id.as_str()[..24], Outcome::Unroutable);
        assert!(matches!(awaited.try_recv(), Ok(Outcome::Unroutable)));
        let mut awaited = pending.expect(id);
        pending.settle(id.as_str(), Outcome::Lost);
        assert!(matches!(awaited.try_recv(), Ok(Outcome::Lost)));
        pending.settle(id.as_str(), Outcome::Unroutable);
        assert_eq!(
            (pending.strays(), pending.len()),
            (made_up.len() as u64 + 1, 0),
            "nothing is awaited twice"
        );
    }

    #[test]
    fn an_answer_right_behind_a_refusal_is_that_of_the_call() {
        let refused = || {
            let fault = Fault::new(trunkline_core::FaultKind::Unavailable, "full");
            Outcome::Answered(Err(fault), Some(Remark::NotStarted))
        };
        let (pending, id) = (Pending::default(), Id::new());
        let mut awaited = pending.expect(id);
        pending.settle(id.as_str(), refused());
        pending.settle(id.as_str(), Outcome::Unroutable);
        pending.settle(id.as_str(), Outcome::Answered(Ok(Bytes::from_static(b"1")), None));
        assert_eq!(pending.strays(), 0);
        pending.settle(id.as_str(), Outcome::Answered(Ok(Bytes::from_static(b"2")), None));
        assert_eq!(pending.strays(), 1, "of two answers, one is");
        assert!(matches!(awaited.try_recv(), Ok(Outcome::Answered(Err(_), _))));
        assert!(matches!(pending.expect(id).try_recv(), Ok(Outcome::Unroutable)));
        awaited = pending.expect(id);
        assert!(matches!(awaited.try_recv(), Ok(Outcome::Answered(Ok(body), None)) if body == "1"));
        pending.forget(id);

        // nor is it missed that the broker is lost
        awaited = pending.expect(id);
        pending.settle(id.as_str(), refused());
        pending.lose();
        pending.lose();
        assert!(awaited.try_recv().is_ok());
        assert!(matches!(pending.expect(id).try_recv(), Ok(Outcome::Lost)));
        pending.forget(id);
        assert_eq!((pending.len(), pending.strays()), (0, 1));
    }
}
