//! [`Pending`]: our calls that wait for their answers.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use rand::random;
use tokio::sync::oneshot;
use trunkline_core::{Fault, envelope::Remark};

/// Our calls that wait for their answers, by ids that nobody can guess.
#[derive(Default)]
pub(super) struct Pending {
    calls: Mutex<HashMap<Id, oneshot::Sender<Outcome>>>,
    strays: AtomicU64,
}

/// The id of one call: 128 random bits, never used again.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Id([u8; 32]);

/// What came of a call.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Its answer: a value of JSON, or a fault; and what is said of it.
    Answered(Result<Bytes, Fault>, Option<Remark>),
    /// Nobody serves its procedure.
    Unroutable,
    /// The broker was lost meanwhile.
    Lost,
}

impl Id {
    pub(super) fn new() -> Self {
        const DIGITS: [u8; 16] = *b"0123456789abcdef";
        let bits = random::<u128>();
        Self(std::array::from_fn(|at| DIGITS[(bits >> (4 * at)) as usize & 15]))
    }

    pub(super) fn as_str(&self) -> &str {
        // digits of ASCII
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Pending {
    /// Expects an outcome, until it is told that [none](Self::forget) is wanted any more.
    pub(super) fn expect(&self, id: Id) -> oneshot::Receiver<Outcome> {
        let (sender, receiver) = oneshot::channel();
        self.calls().insert(id, sender);
        receiver
    }

    /// Expects nothing any more.
    pub(super) fn forget(&self, id: Id) {
        self.calls().remove(&id);
    }

    /// An outcome has come, or what claims to be one.
    pub(super) fn settle(&self, id: &str, outcome: Outcome) {
        let expected = id.as_bytes().try_into().ok().and_then(|id| self.calls().remove(&Id(id)));
        match expected {
            // whoever gives up at this very moment needs it no more
            Some(expected) => drop(expected.send(outcome)),
            None => drop(self.strays.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// Nothing will come any more of what is expected.
    pub(super) fn lose(&self) {
        let lost = std::mem::take(&mut *self.calls());
        for (_, expected) in lost {
            drop(expected.send(Outcome::Lost));
        }
    }

    pub(super) fn strays(&self) -> u64 {
        self.strays.load(Ordering::Relaxed)
    }

    pub(super) fn len(&self) -> usize {
        self.calls().len()
    }

    /// No code of others runs under this lock, so that it cannot be poisoned half-way.
    fn calls(&self) -> MutexGuard<'_, HashMap<Id, oneshot::Sender<Outcome>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
