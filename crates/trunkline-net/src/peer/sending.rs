//! [`Feeder`]: the stream that this side sends with a call, from the call to its end.
//!
//! Items are taken from the stream on a task of their own, one when there is room for
//! it on the connection and with the callee, and go the way of all that other tasks
//! say. However the call ends, the task ends with it.

mod room;

pub(crate) use self::room::Sending;

use super::{Awaited, Begun, Listening, NotNow, Opening, Peer, Phase, Shared, State, drop_caught};
use crate::{
    clock::{after, now},
    conversation::panicked_in,
};
use futures_util::Stream;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    any::Any,
    fmt,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Weak},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};
use tokio::task::AbortHandle;
use trunkline_core::{Fault, FaultKind, IntoReply};

impl State {
    /// The streams that are sent with calls, from now on none.
    pub(super) fn take_sending(&mut self) -> Vec<Arc<Sending>> {
        std::mem::take(&mut self.sending).into_values().collect()
    }
}

/// What is said of a stream that ends because its connection is about to.
pub(super) fn parting() -> Fault {
    Fault::new(FaultKind::Unavailable, "the caller is about to end the connection, and with it its stream")
}

/// A call that takes a stream and waits for it.
#[must_use = "the call waits for its stream"]
pub struct Feeder {
    peer: Peer,
    id: u64,
    sending: Arc<Sending>,
}

impl Feeder {
    /// Sends `items` with the call. The time in which the call has to be answered begins
    /// anew with each of them, and as they are taken, if `timeout` says what it is.
    pub fn send<S>(self, items: S, timeout: Option<Duration>) -> Sent
    where
        S: Stream<Item: IntoReply> + Send + 'static,
    {
        let Self { peer, id, sending } = self;
        let sent = (Arc::downgrade(&peer.0), id);
        sending.within(timeout);
        let task = tokio::spawn(async move {
            let outcome = send(&peer.0, id, items, &sending, timeout).await;
            end(&peer.0, id, outcome);
        });
        Sent { shared: sent.0, id: sent.1, task: task.abort_handle() }
    }
}

impl fmt::Debug for Feeder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feeder").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A stream that is being sent with a call. Dropping it drops the stream, without a
/// word: the call is over then.
#[must_use = "dropping it drops the stream"]
pub struct Sent {
    shared: Weak<Shared>,
    id: u64,
    task: AbortHandle,
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.task.abort();
        if let Some(shared) = self.shared.upgrade() {
            shared.state().sending.remove(&self.id);
        }
    }
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sent").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Sends items until there are no more; how the stream ends, if anybody hears it.
async fn send<S>(
    shared: &Shared,
    id: u64,
    items: S,
    sending: &Sending,
    timeout: Option<Duration>,
) -> Option<Result<(), Fault>>
where
    S: Stream<Item: IntoReply>,
{
    let mut items = Box::pin(items);
    let outcome = poll_fn(|cx| {
        loop {
            if let Err(cut) = ready!(sending.poll(cx)) {
                return Poll::Ready(Some(cut));
            }
            // less than others may, or streams would leave no room for what is no stream
            let admitted = shared.state().admit(shared.max_unsent / 2, cx);
            match admitted {
                Ok(()) => {}
                Err(NotNow::Crowded) => return Poll::Pending,
                Err(NotNow::Ended) => return Poll::Ready(None),
            }
            // the stream is user code, and so is what writes its items
            let sent = catch_unwind(AssertUnwindSafe(|| {
                let Some(item) = ready!(items.as_mut().poll_next(cx)) else {
                    return Poll::Ready(Err(Ok(())));
                };
                let said = item.into_reply().and_then(|item| say(shared, id, &item, timeout));
                Poll::Ready(said.map_err(Err))
            }));
            match ready!(sent.unwrap_or_else(|panic| Poll::Ready(Err(Err(broken(panic)))))) {
                Ok(bytes) => sending.sent(bytes),
                Err(ended) => return Poll::Ready(Some(ended)),
            }
        }
    })
    .await;
    drop_caught(items, None);
    outcome
}

/// What is said of a stream that panicked.
#[cold]
fn broken(panic: Box<dyn Any + Send>) -> Fault {
    panicked_in("the stream that is sent with a call", panic)
}

/// Sends an item; how many bytes that takes.
fn say(shared: &Shared, id: u64, item: &impl Serialize, timeout: Option<Duration>) -> Result<usize, Fault> {
    let bytes = {
        let mut state = shared.state();
        let before = state.out.len();
        state.tell(|speaker, out| speaker.feed(id, Ok(Some(item)), out)).map_err(Fault::internal)?;
        if let Some(timeout) = timeout {
            state.pending.extend(id, after(now(), timeout));
        }
        state.out.len() - before
    };
    shared.wake();
    Ok(bytes)
}

/// Says how a stream has ended.
fn end(shared: &Shared, id: u64, outcome: Option<Result<(), Fault>>) {
    let Some(outcome) = outcome else { return };
    {
        let mut state = shared.state();
        // it is gone where the call is over; until then it hears what is taken
        if !state.sending.contains_key(&id) || !state.phase.is_open() {
            return;
        }
        let outcome = outcome.as_ref().map(|()| None);
        // only items can fail to be written
        let _ = state.tell(|speaker, out| speaker.feed(id, outcome, out));
    }
    shared.wake();
}

impl Peer {
    /// Makes a call with a stream now, if one can be made now: what
    /// [`begin`](Self::begin) is for others.
    pub fn begin_sending<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: &impl Serialize,
        deadline: Option<Instant>,
        cx: &mut Context<'_>,
    ) -> Begun<(Awaited<T>, Feeder)> {
        let shared = &self.0;
        let mut state = shared.state();
        if let Err(refused) = state.admit_feed() {
            return Begun::Refused(refused);
        }
        let made = self.begin_under(&mut state, procedure, args, deadline, cx);
        made.map(|awaited| {
            // items follow it, which want no answer
            state.told = true;
            let feeder = self.feeder(awaited.id(), &mut state);
            drop(state);
            shared.wake();
            (awaited, feeder)
        })
    }

    /// Makes a call with a stream for a stream now, if one can be made now: what
    /// [`open`](Self::open) is for others.
    pub fn open_sending<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: &impl Serialize,
        listening: &Listening,
        deadline: Option<Instant>,
        cx: &mut Context<'_>,
    ) -> Begun<(Opening<T>, Feeder)> {
        let shared = &self.0;
        let mut state = shared.state();
        if let Err(refused) = state.admit_feed() {
            return Begun::Refused(refused);
        }
        let made = self.open_under(&mut state, procedure, args, listening, deadline, cx);
        made.map(|opening| {
            let feeder = self.feeder(opening.id(), &mut state);
            drop(state);
            shared.wake();
            (opening, feeder)
        })
    }

    fn feeder(&self, id: u64, state: &mut State) -> Feeder {
        let sending = Sending::new();
        if state.phase != Phase::Open {
            sending.cut(Err(parting()));
        }
        state.sending.insert(id, sending.clone());
        Feeder { peer: self.clone(), id, sending }
    }
}

impl State {
    fn admit_feed(&self) -> Result<(), Fault> {
        match self.speaker.feeds() {
            true => Ok(()),
            false => {
                Err(Fault::from("the dialect of this connection has no way to send a stream with a call"))
            }
        }
    }
}
