//! [`Ask`]: one call of ours, from being sent to being answered.

use super::{
    CANCEL,
    desk::{Desk, left},
    pending::{Id, Outcome},
};
use crate::{
    broker::{Request, Unsent},
    clock::{after, now},
};
use bytes::Bytes;
use std::{sync::Arc, time::Instant};
use tokio::time::timeout_at;
use trunkline_core::{
    Fault, FaultKind, Key,
    router::{Unknown, Why},
};

/// One call of ours.
pub(super) struct Ask {
    pub(super) desk: Arc<Desk>,
    pub(super) id: Id,
    pub(super) procedure: Box<str>,
    pub(super) body: Bytes,
    /// When its caller will have lost interest.
    pub(super) until: Option<Instant>,
}

impl Ask {
    /// Sends it, as soon as the broker is there, and waits for the answer, a value of JSON.
    /// Dropping the future tells whoever runs the call.
    pub(super) async fn answer(self) -> Result<Bytes, Fault> {
        let patience = self.until.and_then(|until| after(now(), self.left(until) / 10 * 9));
        loop {
            let expected = self.desk.pending.expect(self.id);
            let mut waiting = Waiting { ask: &self, sent: false };
            match self.send() {
                Ok(()) => waiting.sent = true,
                Err(Some(fault)) => return Err(fault),
                Err(None) => {
                    drop(waiting);
                    self.desk.reached(patience).await?;
                    continue;
                }
            }
            let outcome = match self.until {
                Some(until) => timeout_at(until.into(), expected).await.map_err(|_| too_late())?,
                None => expected.await,
            };
            return match outcome {
                Ok(Outcome::Answered(outcome)) => outcome,
                Ok(Outcome::Unroutable) => Err(Unknown::new(&self.procedure, Why::Nowhere).into()),
                Ok(Outcome::Lost) | Err(_) => Err(lost()),
            };
        }
    }

    /// Sends it; fails with no fault if the broker is lost.
    fn send(&self) -> Result<(), Option<Fault>> {
        let line = self.desk.line().ok_or_else(|| Some(left()))?;
        let expires = self.until.map_or(std::time::Duration::MAX, |until| self.left(until));
        let request = Request { id: self.id.as_str(), expires, body: self.body.clone() };
        line.request(&Key::of(&self.procedure), request).map_err(|unsent| match unsent {
            Unsent::Lost => None,
            unsent => Some(unsent.into()),
        })
    }

    fn left(&self, until: Instant) -> std::time::Duration {
        until.saturating_duration_since(now())
    }
}

/// Nobody is left behind who waits, nor anybody who works for nobody.
struct Waiting<'a> {
    ask: &'a Ask,
    sent: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Ask { desk, id, .. } = self.ask;
        if desk.pending.forget(*id)
            && self.sent
            && let Some(line) = desk.line()
        {
            // where it is not heard, the deadline does the same
            let _ = line.publish(CANCEL, Bytes::copy_from_slice(id.as_str().as_bytes()));
        }
    }
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
