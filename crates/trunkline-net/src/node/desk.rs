//! [`Desk`]: what both sides of a node have: its line, and who waits for answers.

use super::pending::{Outcome, Pending};
use crate::broker::Line;
use bytes::Bytes;
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Instant,
};
use tokio::{sync::watch, task::yield_now, time::timeout_at};
use trunkline_core::{Envelope, Fault, FaultKind, Limits};

/// What both sides of a node have: its line, and who waits for answers.
pub(super) struct Desk {
    pub(super) envelope: Arc<dyn Envelope>,
    pub(super) pending: Pending,
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
    Lost,
    There,
    Left,
}

impl Desk {
    pub(super) fn new(envelope: Arc<dyn Envelope>) -> Self {
        Self {
            envelope,
            pending: Pending::default(),
            limits: RwLock::default(),
            line: RwLock::default(),
            reach: watch::Sender::new(Reach::Lost),
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
                let outcome = answered.outcome.map(|value| part(body, value.as_bytes()));
                self.pending.settle(&answered.id, Outcome::Answered(outcome));
            }
            // it names nobody who waits
            None => self.pending.settle("", Outcome::Unroutable),
        }
    }

    /// The broker is out of reach.
    pub(super) fn lose(&self) {
        self.reach.send_if_modified(|reach| {
            *reach == Reach::There && {
                *reach = Reach::Lost;
                true
            }
        });
        self.pending.lose();
    }

    /// The broker is there.
    pub(super) fn restored(&self) {
        self.reach.send_if_modified(|reach| {
            *reach == Reach::Lost && {
                *reach = Reach::There;
                true
            }
        });
    }

    /// The node leaves, for good.
    pub(super) fn leave(&self) {
        self.reach.send_replace(Reach::Left);
        // dropped when the lock has been let go: it may speak to the inbox of this very node
        let line = self.line.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(line);
        self.pending.lose();
    }

    /// Waits for the broker to be there, until then.
    ///
    /// # Errors
    ///
    /// Fails if it is not, and if the node has left.
    pub(super) async fn reached(&self, until: Option<Instant>) -> Result<(), Fault> {
        let mut reach = self.reach.subscribe();
        if *reach.borrow_and_update() == Reach::There {
            // it was out of reach a moment ago, and of that is to be heard
            yield_now().await;
            return Ok(());
        }
        let found = reach.wait_for(|reach| *reach != Reach::Lost);
        let found = match until {
            Some(until) => timeout_at(until.into(), found).await.ok(),
            None => Some(found.await),
        };
        match found {
            Some(Ok(reach)) if *reach == Reach::There => Ok(()),
            None => Err(unreachable()),
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
fn unreachable() -> Fault {
    let why = "the call has waited for it for nine tenths of its time, and was not sent";
    Fault::new(FaultKind::Unavailable, "the broker of this network cannot be reached").with_data(why)
}

/// What is said where there is no network.
#[cold]
pub(super) fn left() -> Fault {
    Fault::new(FaultKind::Unavailable, "this node has left its network, or not joined it yet")
}
