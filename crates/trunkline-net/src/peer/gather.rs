//! [`Gathering`]: a batch of ours, from being sent to its last answer.

use super::{
    Peer,
    call::{Begun, begun, give_up},
    pending::{Answered, Unanswered},
};
use crate::{
    batch::{Answers, Batch, not_encodable},
    clock::{after, now},
    telling::told,
};
use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Instant,
};
use trunkline_core::{Answer, Fault, Outbox, Payload, Speaker};

impl Peer {
    /// Sends several calls and notifications in one message. Each call succeeds
    /// or fails for itself. The deadline is that of the calls of this peer, 30 s
    /// unless said otherwise. Dropping the future gives up what has no answer yet.
    ///
    /// A far side that refuses the batch as a whole does not say what it refuses.
    /// If that can only be this batch, all its calls fail at once: nothing else is
    /// under way, none of its calls has been answered, and neither notifications nor
    /// answers have been sent on this connection, nor has a call been given up.
    /// Else each of them waits for its deadline, as it may still be answered.
    ///
    /// # Errors
    ///
    /// Fails as a whole only if nothing was sent, because the connection has
    /// ended or the deadline passed before.
    pub async fn batch(&self, batch: &Batch) -> Result<Answers, Fault> {
        let deadline = after(now(), self.0.default_timeout);
        let (peer, span) = self.outgoing(None, None);
        let sent = async { Ok(begun(deadline, |cx| peer.begin_batch(batch, deadline, cx)).await?.await) };
        told(span, sent).await
    }

    /// Sends a batch now, if it can be sent now, as [`begin`](Self::begin) does a call.
    pub fn begin_batch(
        &self,
        batch: &Batch,
        deadline: Option<Instant>,
        cx: &mut Context<'_>,
    ) -> Begun<Gathering> {
        let answers = Arc::new(Mutex::new(Gathered {
            answers: vec![None; batch.calls()],
            missing: batch.calls(),
            waker: cx.waker().clone(),
        }));
        let mut ids = Vec::with_capacity(batch.calls());
        if !batch.is_empty() {
            let mut state = self.0.state();
            if let Err(not_now) = state.admit(self.0.max_unsent, cx) {
                return not_now.into();
            }
            for at in 0..batch.calls() {
                let place = Arc::new(Place { answers: answers.clone(), at });
                ids.push(state.pending.insert(place, deadline));
            }
            let items = batch.items(&ids);
            let write = |speaker: &mut dyn Speaker, out: &mut Outbox| {
                self.tell_about(speaker, deadline);
                speaker.batch(&items, out)
            };
            let written = if ids.is_empty() { state.tell(write) } else { state.speak(write) };
            if let Err(error) = written {
                for id in ids {
                    state.pending.remove(id);
                }
                return Begun::Refused(not_encodable(error));
            }
            drop(state);
            self.0.wake();
        }
        Begun::Made(Gathering { peer: self.clone(), ids, answers })
    }
}

/// A batch that has been sent. A future; dropping it gives up what has no answer yet.
#[must_use = "dropping it gives the batch up"]
pub struct Gathering {
    peer: Peer,
    ids: Vec<u64>,
    answers: Arc<Mutex<Gathered>>,
}

struct Gathered {
    answers: Vec<Option<Answer>>,
    missing: usize,
    waker: Waker,
}

impl Future for Gathering {
    type Output = Answers;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answers> {
        let answers = {
            let mut gathered = lock(&self.answers);
            if gathered.missing > 0 {
                gathered.waker.clone_from(cx.waker());
                return Poll::Pending;
            }
            std::mem::take(&mut gathered.answers)
        };
        self.ids.clear();
        Poll::Ready(Answers::new(answers.into_iter().flatten().collect()))
    }
}

impl Drop for Gathering {
    fn drop(&mut self) {
        if !self.ids.is_empty() {
            give_up(&self.peer, &self.ids);
        }
    }
}

impl fmt::Debug for Gathering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gathering").field("ids", &self.ids).finish_non_exhaustive()
    }
}

/// Where the answer to one call of a batch is put.
struct Place {
    answers: Arc<Mutex<Gathered>>,
    at: usize,
}

impl Answered for Place {
    fn answer(&self, outcome: Result<Payload<'_>, Fault>) {
        let mut gathered = lock(&self.answers);
        // an answer that nobody waits for any more has no place
        let Some(place) = gathered.answers.get_mut(self.at) else { return };
        *place = Some(outcome.map(|payload| payload.to_owned()));
        gathered.missing -= 1;
        if gathered.missing == 0 {
            gathered.waker.wake_by_ref();
        }
    }

    fn batch(&self) -> Option<Unanswered> {
        let gathered = lock(&self.answers);
        let calls = gathered.answers.len();
        (gathered.missing == calls).then(|| Unanswered { address: Arc::as_ptr(&self.answers).addr(), calls })
    }
}

fn lock(gathered: &Mutex<Gathered>) -> MutexGuard<'_, Gathered> {
    gathered.lock().unwrap_or_else(PoisonError::into_inner)
}
