//! [`Calling`]: a call of ours, from the first poll to its answer.

use super::{NotNow, Peer, State, disconnected, pending::Answered};
use crate::{
    batch::{decode, not_encodable},
    clock::{after, now},
    telling::{is_heard, told},
};
use futures_util::Stream;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker, ready},
    time::{Duration, Instant},
};
use tokio::time::{Sleep, sleep_until};
use trunkline_core::{Fault, FaultKind, Format, IntoReply, OwnedPayload, Payload, Trace};

/// A call that is about to be made, or under way. A future.
#[must_use = "a call is made when it is awaited"]
pub struct Calling<'a, T: 'static, A> {
    peer: &'a Peer,
    procedure: &'a str,
    args: A,
    timeout: Option<Duration>,
    trace: Option<Trace>,
    stage: Stage<T>,
}

enum Stage<T> {
    New,
    Crowded(Crowded),
    Made(Awaited<T>),
    /// In a span of its own.
    Told(Pin<Box<dyn Future<Output = Result<T, Fault>> + Send>>),
}

impl<'a, T, A> Calling<'a, T, A> {
    pub(super) fn new(peer: &'a Peer, procedure: &'a str, args: A) -> Self {
        Self { peer, procedure, args, timeout: None, trace: None, stage: Stage::New }
    }

    /// How long to wait for the answer, in place of 30 s; `None` leaves it at that.
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.timeout = timeout.into();
        self
    }

    /// Says where in a distributed trace the call stands, such as where the call stands
    /// that a handler [answers](trunkline_core::Context::trace).
    pub fn trace(mut self, trace: impl Into<Option<Trace>>) -> Self {
        self.trace = trace.into();
        self
    }
}

impl<'a, T: DeserializeOwned + Send + 'static, A: Serialize> Calling<'a, T, A> {
    /// Sends a stream with the call, to a procedure that
    /// [takes one](trunkline_core::Incoming). The time for the answer, 30 s or what was
    /// [said](Self::timeout) before this, begins anew with each item, and as the far side
    /// says that it takes them.
    ///
    /// An item is whatever can be a reply; one that is an error is the last. The stream
    /// is asked for items on a task of its own, as the far side has room for them, and
    /// is dropped when it wants no more of them, or the call is over.
    ///
    /// ```
    /// # use futures_util::stream;
    /// # use trunkline_core::Fault;
    /// # use trunkline_net::Peer;
    /// # async fn example(peer: &Peer) -> Result<(), Fault> {
    /// let sum: u64 = peer.call("sum", ()).sending(stream::iter([1, 2, 3])).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The future fails as the [call](Peer::call) does.
    pub fn sending<S>(self, items: S) -> impl Future<Output = Result<T, Fault>> + Send + use<'a, T, A, S>
    where
        S: Stream<Item: IntoReply> + Send + 'static,
    {
        let Self { peer, procedure, args, timeout, trace, .. } = self;
        let args = OwnedPayload::encode(&args, Format::Json).map_err(not_encodable);
        let timeout = timeout.unwrap_or(peer.0.default_timeout);
        async move {
            let (args, deadline) = (args?, after(now(), timeout));
            let (peer, span) = peer.outgoing(Some(procedure), trace.as_ref());
            let called = async {
                let begin = |cx: &mut Context<'_>| peer.begin_sending(procedure, &args, deadline, cx);
                let (awaited, feeder) = begun(deadline, begin).await?;
                let _sent = feeder.send(items, Some(timeout));
                awaited.await
            };
            told(span, called).await
        }
    }
}

impl<T: DeserializeOwned + Send + 'static, A: Serialize> Calling<'_, T, A> {
    /// Has the call made in a span of its own, if somebody collects spans.
    #[cold]
    fn tell(&mut self) -> Result<(), Fault> {
        let (peer, span) = self.peer.outgoing(Some(self.procedure), self.trace.as_ref());
        let peer = peer.into_owned();
        self.trace = peer.1.clone();
        if span.is_some() {
            let args = OwnedPayload::encode(&self.args, Format::Json).map_err(not_encodable)?;
            let procedure = self.procedure.to_owned();
            let deadline = after(now(), self.timeout.unwrap_or(peer.0.default_timeout));
            let called = async move {
                let begin = |cx: &mut Context<'_>| peer.begin(&procedure, &args, deadline, cx);
                begun(deadline, begin).await?.await
            };
            self.stage = Stage::Told(Box::pin(told(span, called)));
        }
        Ok(())
    }
}

impl<T, A> Unpin for Calling<'_, T, A> {}

impl<T: DeserializeOwned + Send + 'static, A: Serialize> Future for Calling<'_, T, A> {
    type Output = Result<T, Fault>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if matches!(this.stage, Stage::New)
            && is_heard()
            && let Err(fault) = this.tell()
        {
            return Poll::Ready(Err(fault));
        }
        let deadline = match &mut this.stage {
            Stage::Made(awaited) => return Pin::new(awaited).poll(cx),
            Stage::Told(called) => return called.as_mut().poll(cx),
            Stage::Crowded(crowded) => crowded.deadline,
            Stage::New => after(now(), this.timeout.unwrap_or(this.peer.0.default_timeout)),
        };
        match this.peer.traced(this.trace.as_ref()).begin(this.procedure, &this.args, deadline, cx) {
            Begun::Made(awaited) => {
                this.stage = Stage::Made(awaited);
                Poll::Pending
            }
            Begun::Crowded => {
                if !matches!(this.stage, Stage::Crowded(_)) {
                    this.stage = Stage::Crowded(Crowded::new(deadline));
                }
                let Stage::Crowded(crowded) = &mut this.stage else { return Poll::Pending };
                crowded.poll(cx).map(Err)
            }
            Begun::Ended => Poll::Ready(Err(disconnected())),
            Begun::Refused(fault) => Poll::Ready(Err(fault)),
        }
    }
}

impl<T, A> fmt::Debug for Calling<'_, T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calling").field("procedure", &self.procedure).finish_non_exhaustive()
    }
}

/// What came of the attempt to make a call now.
#[derive(Debug)]
#[non_exhaustive]
pub enum Begun<C> {
    /// It is on its way out, and waits for its answer.
    Made(C),
    /// Too much waits to be sent already. The task is woken when there may be room.
    Crowded,
    /// The connection takes no more calls. Nothing was sent.
    Ended,
    /// The arguments cannot be encoded.
    Refused(Fault),
}

impl<C> Begun<C> {
    /// Goes on with what was made.
    pub(super) fn map<D>(self, then: impl FnOnce(C) -> D) -> Begun<D> {
        match self {
            Self::Made(made) => Begun::Made(then(made)),
            Self::Crowded => Begun::Crowded,
            Self::Ended => Begun::Ended,
            Self::Refused(fault) => Begun::Refused(fault),
        }
    }
}

impl<C> From<NotNow> for Begun<C> {
    fn from(not_now: NotNow) -> Self {
        match not_now {
            NotNow::Crowded => Self::Crowded,
            NotNow::Ended => Self::Ended,
        }
    }
}

impl Peer {
    /// Makes a call now, if one can be made now: what [`call`](Self::call) does
    /// on its first poll, for callers that know what else to do if it cannot.
    pub fn begin<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: &impl Serialize,
        deadline: Option<Instant>,
        cx: &mut Context<'_>,
    ) -> Begun<Awaited<T>> {
        let mut state = self.0.state();
        let made = self.begin_under(&mut state, procedure, args, deadline, cx);
        drop(state);
        if matches!(made, Begun::Made(_)) {
            self.0.wake();
        }
        made
    }

    /// The same under the lock; the task of the connection is to be woken after that.
    pub(super) fn begin_under<T: DeserializeOwned + Send + 'static>(
        &self,
        state: &mut State,
        procedure: &str,
        args: &impl Serialize,
        deadline: Option<Instant>,
        cx: &mut Context<'_>,
    ) -> Begun<Awaited<T>> {
        if let Err(not_now) = state.admit(self.0.max_unsent, cx) {
            return not_now.into();
        }
        let cell = Cell::new(cx.waker().clone());
        let id = state.pending.insert(cell.clone(), deadline);
        let written = state.speak(|speaker, out| {
            self.tell_about(speaker, deadline);
            speaker.call(id, procedure, args, out)
        });
        if let Err(error) = written {
            state.pending.remove(id);
            return Begun::Refused(not_encodable(error));
        }
        Begun::Made(Awaited::new(self, id, cell))
    }
}

/// Makes a call as soon as there is room for it, but not later than the call may wait.
pub(crate) async fn begun<C>(
    deadline: Option<Instant>,
    mut begin: impl FnMut(&mut Context<'_>) -> Begun<C>,
) -> Result<C, Fault> {
    let mut crowded = Crowded::new(deadline);
    poll_fn(|cx| match begin(cx) {
        Begun::Made(made) => Poll::Ready(Ok(made)),
        Begun::Crowded => crowded.poll(cx).map(Err),
        Begun::Ended => Poll::Ready(Err(disconnected())),
        Begun::Refused(fault) => Poll::Ready(Err(fault)),
    })
    .await
}

/// A call that has been made. A future; dropping it gives the call up.
#[must_use = "dropping it gives the call up"]
pub struct Awaited<T> {
    peer: Peer,
    id: u64,
    cell: Arc<Cell<T>>,
    answered: bool,
}

impl<T> Awaited<T> {
    pub(super) fn new(peer: &Peer, id: u64, cell: Arc<Cell<T>>) -> Self {
        Self { peer: peer.clone(), id, cell, answered: false }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }
}

impl<T> Unpin for Awaited<T> {}

impl<T> Future for Awaited<T> {
    type Output = Result<T, Fault>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(self.cell.poll(cx));
        self.answered = true;
        Poll::Ready(answer)
    }
}

/// Gives up a call that has no answer yet.
impl<T> Drop for Awaited<T> {
    fn drop(&mut self) {
        if !self.answered {
            give_up(&self.peer, &[self.id]);
        }
    }
}

impl<T> fmt::Debug for Awaited<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Awaited").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Waits for room in the outbox, but not for longer than the call is given.
pub(super) struct Crowded {
    deadline: Option<Instant>,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Crowded {
    pub(super) fn new(deadline: Option<Instant>) -> Self {
        Self { deadline, alarm: deadline.map(|at| Box::pin(sleep_until(at.into()))) }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Fault> {
        let Some(alarm) = &mut self.alarm else { return Poll::Pending };
        alarm.as_mut().poll(cx).map(|()| {
            let message =
                "the deadline of the call passed while the far side did not read what is sent to it";
            Fault::new(FaultKind::DeadlineExceeded, message)
        })
    }
}

pub(super) fn give_up(peer: &Peer, ids: &[u64]) {
    let mut said = false;
    {
        let mut state = peer.0.state();
        for &id in ids {
            if state.pending.remove(id).is_some() && state.phase.is_open() {
                state.tell(|speaker, out| speaker.cancel(id, out));
                said = true;
            }
        }
    }
    if said {
        peer.0.wake();
    }
}

/// Where the answer to one call is put, decoded by the connection's task.
pub(super) struct Cell<T>(Mutex<Answer<T>>);

pub(super) enum Answer<T> {
    Awaited(Waker),
    Here(Result<T, Fault>),
    Taken,
}

impl<T> Cell<T> {
    pub(super) fn new(waker: Waker) -> Arc<Self> {
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
        let outcome = outcome.and_then(decode);
        let before = std::mem::replace(
            &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner),
            Answer::Here(outcome),
        );
        if let Answer::Awaited(waker) = before {
            waker.wake();
        }
    }
}
