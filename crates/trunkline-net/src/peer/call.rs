//! [`Calling`]: a call of ours, from the first poll to its answer.

use super::{Peer, disconnected, items, keep, pending::Answered};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};
use trunkline_core::{Fault, FaultKind, OwnedPayload, Payload};

/// A call that is about to be made, or under way. A future.
#[must_use = "a call is made when it is awaited"]
pub struct Calling<'a, T: 'static, A> {
    peer: &'a Peer,
    procedure: &'a str,
    args: A,
    timeout: Option<Duration>,
    made: Option<(u64, Arc<Cell<T>>)>,
    answer: PhantomData<T>,
}

impl<'a, T, A> Calling<'a, T, A> {
    pub(super) fn new(peer: &'a Peer, procedure: &'a str, args: A) -> Self {
        Self { peer, procedure, args, timeout: None, made: None, answer: PhantomData }
    }

    /// How long to wait for the answer, in place of 30 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    fn deadline(&self) -> Option<Instant> {
        Instant::now().checked_add(self.timeout.unwrap_or(self.peer.0.default_timeout))
    }
}

impl<T, A> Unpin for Calling<'_, T, A> {}

impl<T: DeserializeOwned + Send + 'static, A: Serialize> Future for Calling<'_, T, A> {
    type Output = Result<T, Fault>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some((_, cell)) = &self.made {
            return match cell.poll(cx) {
                Poll::Ready(answer) => {
                    self.made = None;
                    Poll::Ready(answer)
                }
                Poll::Pending => Poll::Pending,
            };
        }
        let shared = &self.peer.0;
        let mut state = shared.state();
        if !state.phase.is_open() {
            return Poll::Ready(Err(disconnected()));
        }
        if state.out.len() > shared.max_unsent {
            state.waiting.push(cx.waker().clone());
            return Poll::Pending;
        }
        let cell = Cell::new(cx.waker().clone());
        let id = state.pending.insert(cell.clone(), self.deadline());
        if let Err(error) = state.speak(|speaker, out| speaker.call(id, self.procedure, &self.args, out)) {
            state.pending.remove(id);
            return Poll::Ready(Err(not_encodable(error)));
        }
        drop(state);
        shared.wake();
        self.made = Some((id, cell));
        Poll::Pending
    }
}

/// Gives up a call that has no answer yet.
impl<T, A> Drop for Calling<'_, T, A> {
    fn drop(&mut self) {
        if let Some((id, _)) = self.made.take() {
            give_up(self.peer, &[id]);
        }
    }
}

impl<T, A> fmt::Debug for Calling<'_, T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calling").field("procedure", &self.procedure).finish_non_exhaustive()
    }
}

fn give_up(peer: &Peer, ids: &[u64]) {
    let mut said = false;
    {
        let mut state = peer.0.state();
        for &id in ids {
            if state.pending.remove(id).is_some() && state.phase.is_open() {
                state.speak(|speaker, out| speaker.cancel(id, out));
                said = true;
            }
        }
    }
    if said {
        peer.0.wake();
    }
}

fn not_encodable(error: trunkline_core::EncodeError) -> Fault {
    Fault::new(FaultKind::InvalidArgs, format!("the arguments cannot be encoded: {error}")).with_source(error)
}

/// Where the answer to one call is put, decoded by the connection's task.
pub(super) struct Cell<T>(Mutex<Answer<T>>);

enum Answer<T> {
    Awaited(Waker),
    Here(Result<T, Fault>),
    Taken,
}

impl<T> Cell<T> {
    fn new(waker: Waker) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Answer::Awaited(waker))))
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<T, Fault>> {
        let mut answer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *answer {
            Answer::Awaited(waker) => {
                waker.clone_from(cx.waker());
                Poll::Pending
            }
            Answer::Here(_) | Answer::Taken => match std::mem::replace(&mut *answer, Answer::Taken) {
                Answer::Here(answer) => Poll::Ready(answer),
                _ => Poll::Ready(Err(Fault::internal("a call was polled after its answer"))),
            },
        }
    }
}

impl<T: DeserializeOwned + Send> Answered for Cell<T> {
    fn answer(&self, outcome: Result<Payload<'_>, Fault>) {
        let outcome = outcome.and_then(|payload| {
            payload.decode().map_err(|error| {
                let message = format!("the answer is not of the expected type: {error}");
                Fault::new(FaultKind::InvalidReply, message).with_source(error)
            })
        });
        let before = std::mem::replace(
            &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner),
            Answer::Here(outcome),
        );
        if let Answer::Awaited(waker) = before {
            waker.wake();
        }
    }
}

/// An answer that is kept encoded, among others of the same batch.
struct Item {
    answer: tokio::sync::oneshot::Sender<Result<OwnedPayload, Fault>>,
}

struct ItemCell(Mutex<Option<Item>>);

impl Answered for ItemCell {
    fn answer(&self, outcome: Result<Payload<'_>, Fault>) {
        if let Some(item) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // nobody waits any more: the batch was given up
            let _ = item.answer.send(outcome.map(keep));
        }
    }
}

/// Gives up what is left of a batch.
struct GiveUp<'a>(&'a Peer, Vec<u64>);

impl Drop for GiveUp<'_> {
    fn drop(&mut self) {
        if !self.1.is_empty() {
            give_up(self.0, &self.1);
        }
    }
}

pub(super) async fn batch(
    peer: &Peer,
    calls: Vec<(String, OwnedPayload)>,
) -> Result<Vec<Result<OwnedPayload, Fault>>, Fault> {
    let deadline = Instant::now().checked_add(peer.0.default_timeout);
    let mut answers = Vec::with_capacity(calls.len());
    let mut left = GiveUp(peer, Vec::with_capacity(calls.len()));
    {
        let mut state = peer.0.state();
        if !state.phase.is_open() {
            return Err(disconnected());
        }
        for _ in &calls {
            let (answer, awaited) = tokio::sync::oneshot::channel();
            let cell = ItemCell(Mutex::new(Some(Item { answer })));
            left.1.push(state.pending.insert(Arc::new(cell), deadline));
            answers.push(awaited);
        }
        state.speak(|speaker, out| speaker.batch(&items(&calls, &left.1), out)).map_err(not_encodable)?;
    }
    peer.0.wake();
    let mut outcomes = Vec::with_capacity(answers.len());
    for awaited in answers {
        outcomes.push(awaited.await.unwrap_or_else(|_| Err(disconnected())));
    }
    left.1.clear();
    Ok(outcomes)
}
