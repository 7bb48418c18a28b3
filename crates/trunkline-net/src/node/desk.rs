//! [`Desk`]: what both sides of a node have: its line, and who waits for answers.

use super::{
    budget::Budget,
    pending::{Outcome, Pending},
    repeatable::Repeatable,
};
use crate::{broker::Line, clock::now};
use bytes::Bytes;
use std::{
    sync::{Arc, PoisonError, RwLock, atomic::AtomicU64},
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::yield_now, time::timeout_at};
use trunkline_core::{Envelope, Fault, FaultKind, Limits};

/// How long nodes may take to come back when a broker does: what nobody serves meanwhile
/// may be there in a moment.
const COMING_TOGETHER: Duration = Duration::from_secs(5);

/// What both sides of a node have: its line, and who waits for answers.
pub(super) struct Desk {
    pub(super) envelope: Arc<dyn Envelope>,
    pub(super) pending: Pending,
    pub(super) budget: Budget,
    pub(super) repeatable: Repeatable,
    /// How many calls of others were made.
    pub(super) asked: AtomicU64,
    /// `None` before the node has joined.
    limits: RwLock<Option<Arc<Limits>>>,
    /// `None` before the node has joined, and once it has left: the line knows the inbox,
    /// and by way of it this desk.
    line: RwLock<Option<Arc<dyn Line>>>,
    reach: watch::Sender<Reach>,
}

/// Whether the broker can be reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reach {
    /// It cannot; `before` it could.
    Lost {
        before: bool,
    },
    /// It can; `back` since then, if it was lost.
    There {
        back: Option<Instant>,
    },
    Left,
}

impl Desk {
    pub(super) fn new(envelope: Arc<dyn Envelope>) -> Self {
        Self {
            envelope,
            pending: Pending::default(),
            budget: Budget::default(),
            repeatable: Repeatable::default(),
            asked: AtomicU64::new(0),
            limits: RwLock::default(),
            line: RwLock::default(),
            reach: watch::Sender::new(Reach::Lost { before: false }),
        }
    }

    pub(super) fn set(&self, line: Arc<dyn Line>, limits: Arc<Limits>) {
        self.set_limits(limits);
        *self.line.write().unwrap_or_else(PoisonError::into_inner) = Some(line);
    }

    pub(super) fn set_limits(&self, limits: Arc<Limits>) {
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = Some(limits);
    }

    /// The line, if the node has joined and not left.
    pub(super) fn line(&self) -> Option<Arc<dyn Line>> {
        self.line.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn limits(&self) -> Option<Arc<Limits>> {
        self.limits.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What claims to be an answer has come.
    pub(super) fn answered(&self, body: &Bytes) {
        match self.envelope.answer(body) {
            Some(answered) => {
                let outcome = answered.outcome.map(|value| part(body, value.borrow().as_bytes()));
                self.pending.settle(&answered.id, Outcome::Answered(outcome, answered.remark));
            }
            // it names nobody who waits
            None => {
                self.not_understood("answer", body);
                self.pending.settle("", Outcome::Unroutable);
            }
        }
    }

    /// What claims to be of this network is passed over: perhaps a node of another version
    /// spells calls in another way.
    #[cold]
    pub(super) fn not_understood(&self, what: &str, body: &[u8]) {
        let (spelling, bytes, first) = (self.envelope.name(), body.len(), body.first());
        tracing::debug!(
            spelling,
            bytes,
            first,
            "a message on the broker is no {what} in the spelling of this node"
        );
    }

    /// The broker is out of reach.
    pub(super) fn lose(&self) {
        self.reach.send_if_modified(|reach| match reach {
            Reach::There { .. } => {
                *reach = Reach::Lost { before: true };
                true
            }
            Reach::Lost { .. } | Reach::Left => false,
        });
        self.pending.lose();
    }

    /// The broker is there.
    pub(super) fn restored(&self) {
        self.reach.send_if_modified(|reach| match *reach {
            Reach::Lost { before } => {
                *reach = Reach::There { back: before.then(now) };
                true
            }
            Reach::There { .. } | Reach::Left => false,
        });
    }

    /// Whether the broker has come back just now, so that others may not be there yet.
    pub(super) fn is_coming_together(&self) -> bool {
        match *self.reach.borrow() {
            Reach::There { back: Some(back) } => now().saturating_duration_since(back) < COMING_TOGETHER,
            _ => false,
        }
    }

    /// The node is about to leave: nobody is to wait for the broker any more.
    pub(super) fn part(&self) {
        self.reach.send_replace(Reach::Left);
    }

    /// Whether the broker can be reached.
    pub(super) fn is_there(&self) -> bool {
        matches!(*self.reach.borrow(), Reach::There { .. })
    }

    /// The node leaves, for good.
    pub(super) fn leave(&self) {
        self.part();
        // dropped when the lock has been let go: it may speak to the inbox of this very node
        let line = self.line.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(line);
        self.pending.lose();
    }

    /// Waits for the broker to be there, until then; whether it is.
    ///
    /// # Errors
    ///
    /// Fails if the node has left.
    pub(super) async fn reached(&self, until: Option<Instant>) -> Result<bool, Fault> {
        let mut reach = self.reach.subscribe();
        if matches!(*reach.borrow_and_update(), Reach::There { .. }) {
            // it was out of reach a moment ago, and of that is to be heard
            yield_now().await;
            return Ok(true);
        }
        let found = reach.wait_for(|reach| !matches!(reach, Reach::Lost { .. }));
        let found = match until {
            Some(until) => timeout_at(until.into(), found).await.ok(),
            None => Some(found.await),
        };
        match found {
            Some(Ok(reach)) if matches!(*reach, Reach::There { .. }) => Ok(true),
            None => Ok(false),
            _ => Err(left()),
        }
    }
}

/// A part of `body`, not copied; what an envelope has taken from elsewhere is.
fn part(body: &Bytes, value: &[u8]) -> Bytes {
    let (within, part) = (body.as_ptr_range(), value.as_ptr_range());
    match within.start <= part.start && part.end <= within.end {
        true => body.slice_ref(value),
        false => Bytes::copy_from_slice(value),
    }
}

#[cold]
pub(super) fn unreachable() -> Fault {
    let why = "the call has waited for it for nine tenths of its time, and was not sent";
    Fault::new(FaultKind::Unavailable, "the broker of this network cannot be reached").with_data(why)
}

/// What is said where there is no network.
#[cold]
pub(super) fn left() -> Fault {
    Fault::new(FaultKind::Unavailable, "this node has left its network, or not joined it yet")
}
