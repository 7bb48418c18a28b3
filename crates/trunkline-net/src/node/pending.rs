//! [`Pending`]: our calls that wait for their answers.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use tokio::sync::oneshot;
use trunkline_core::{Fault, RandomId, envelope::Remark};

/// Our calls that wait for their answers, by ids that nobody can guess.
#[derive(Default)]
pub(super) struct Pending {
    /// By how their ids begin.
    calls: Mutex<HashMap<Prefix, Expected>>,
    strays: AtomicU64,
}

/// How an id begins: 96 bits, by which those answer who do not say all of it.
type Prefix = [u8; 24];

struct Expected {
    id: Id,
    outcome: oneshot::Sender<Outcome>,
}

/// The id of one call.
pub(super) type Id = RandomId;

/// How it begins.
fn prefix(id: Id) -> Prefix {
    // it is longer
    id.as_str().as_bytes().first_chunk().copied().unwrap_or_default()
}

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

impl Pending {
    /// Expects an outcome, until it is told that [none](Self::forget) is wanted any more.
    pub(super) fn expect(&self, id: Id) -> oneshot::Receiver<Outcome> {
        let (outcome, receiver) = oneshot::channel();
        self.calls().insert(prefix(id), Expected { id, outcome });
        receiver
    }

    /// Expects nothing any more.
    pub(super) fn forget(&self, id: Id) {
        self.calls().remove(&prefix(id));
    }

    /// An outcome has come, or what claims to be one.
    pub(super) fn settle(&self, id: &str, outcome: Outcome) {
        match self.take(id.as_bytes()) {
            // whoever gives up at this very moment needs it no more
            Some(expected) => drop(expected.outcome.send(outcome)),
            None => drop(self.strays.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// The call of this id, or whose id begins so.
    fn take(&self, id: &[u8]) -> Option<Expected> {
        let (prefix, rest) = id.split_first_chunk()?;
        let mut calls = self.calls();
        let is_it = rest.is_empty() || calls.get(prefix)?.id.as_str().as_bytes() == id;
        is_it.then(|| calls.remove(prefix))?
    }

    /// Nothing will come any more of what is expected.
    pub(super) fn lose(&self) {
        let lost = std::mem::take(&mut *self.calls());
        for (_, expected) in lost {
            drop(expected.outcome.send(Outcome::Lost));
        }
    }

    pub(super) fn strays(&self) -> u64 {
        self.strays.load(Ordering::Relaxed)
    }

    pub(super) fn len(&self) -> usize {
        self.calls().len()
    }

    /// No code of others runs under this lock, so that it cannot be poisoned half-way.
    fn calls(&self) -> MutexGuard<'_, HashMap<Prefix, Expected>> {
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
        pending.settle(id.as_str(), Outcome::Unroutable);
        assert!(matches!(awaited.try_recv(), Ok(Outcome::Unroutable)));
        pending.settle(id.as_str(), Outcome::Unroutable);
        assert_eq!(
            (pending.strays(), pending.len()),
            (made_up.len() as u64 + 1, 0),
            "nothing is awaited twice"
        );
    }
}
