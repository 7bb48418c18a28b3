//! [`Peer`]: the live far end of a connection: call it, notify it.
//!
//! A connection is one task, the `Driver`, which owns both
//! directions of the stream and all that runs on behalf of the far side. Peers
//! are handles to what other tasks share with it: the frames that they want
//! sent, and the calls that they wait for.

mod aside;
mod call;
mod drive;
mod gather;
mod ours;
mod output;
mod pending;
mod scratch;
mod sending;
mod slots;
mod spawned;
mod subscription;
mod times;

pub use self::{
    call::{Awaited, Begun, Calling},
    gather::Gathering,
    sending::{Feeder, Sent},
    subscription::{Listening, Opening, Subscription},
};
pub(crate) use self::{
    drive::Driver,
    slots::{Occupant, Slot, Slots, drop_running},
    spawned::{placed, placed_within},
};

use self::{
    pending::{Answered, Pending},
    sending::{Sending, begun, parting},
    subscription::Listener,
};
use crate::clock::{after, now};
use futures_util::{Stream, task::AtomicWaker};
use std::{
    collections::HashMap,
    fmt,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context as TaskContext, Poll, Waker},
    time::Duration,
};
use tokio::sync::Notify;
use trunkline_core::{
    Call, Connection, Extract, Fault, FaultKind, IntoReply, Outbox, OwnedPayload, Session, Speaker,
    framing::Goodbye,
};

/// The far end of a connection. Cheap to clone; outlives its connection, after
/// which every call fails with [`FaultKind::Disconnected`].
///
/// As an extractor it lets a handler call its caller back:
///
/// ```
/// # use trunkline_core::{Fault, Router};
/// # use trunkline_net::Peer;
/// async fn greet(peer: Peer) -> Result<String, Fault> {
///     let name: String = peer.call("your.name", ()).await?;
///     Ok(format!("hello {name}"))
/// }
/// let router = Router::new().procedure("greet", greet);
/// ```
#[derive(Clone)]
pub struct Peer(pub(crate) Arc<Shared>);

/// What the task of a connection shares with those who hold its peer.
pub(crate) struct Shared {
    state: Mutex<State>,
    /// The connection's task.
    task: AtomicWaker,
    /// Whether there is something in the state for the task to look at.
    dirty: AtomicBool,
    connection: Arc<Connection>,
    closed: Notify,
    pub(crate) max_unsent: usize,
    pub(crate) default_timeout: Duration,
    pub(crate) unmatched: AtomicU64,
}

pub(crate) struct State {
    pub(crate) out: Outbox,
    pub(crate) speaker: Box<dyn Speaker>,
    pub(crate) pending: Pending,
    /// Streams that somebody here listens to, as the far side spells them.
    pub(crate) streams: HashMap<Box<str>, Arc<dyn Listener>>,
    /// Streams that somebody here sends, by the calls that take them.
    sending: HashMap<u64, Arc<Sending>>,
    /// Callers that wait for room in the outbox.
    waiting: HashMap<(usize, usize), Waker>,
    pub(crate) phase: Phase,
    /// Whether the far side has said all it has to say, so that no call of ours
    /// would be answered.
    pub(crate) unheard: bool,
    /// Whether it has been told anything that wants no answer.
    told: bool,
}

/// Why a call cannot be made now.
pub(crate) enum NotNow {
    /// There is no room for it; the task is woken when there may be.
    Crowded,
    /// There will be no answer any more.
    Ended,
}

/// How far the life of a connection has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    Open,
    /// Somebody here asked for the end, when calls under way are done.
    Draining(Goodbye),
    /// Somebody here asked for the end at once.
    Closing,
    Closed,
}

impl Phase {
    /// Whether there is still talk: a drain lets calls under way have their say.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Draining(_))
    }
}

impl State {
    /// Whether a call can be made now.
    pub(crate) fn admit(&mut self, max_unsent: usize, cx: &TaskContext<'_>) -> Result<(), NotNow> {
        if !self.phase.is_open() || self.unheard {
            return Err(NotNow::Ended);
        }
        if self.out.len() > max_unsent {
            // a task that is polled again and again meanwhile waits once
            self.waiting.entry(Self::key(cx.waker())).or_insert_with(|| cx.waker().clone());
            return Err(NotNow::Crowded);
        }
        Ok(())
    }

    /// Says something that wants no answer.
    pub(crate) fn tell<R>(&mut self, write: impl FnOnce(&mut dyn Speaker, &mut Outbox) -> R) -> R {
        self.told = true;
        self.speak(write)
    }

    /// The far side refuses a whole message without saying which: takes the calls
    /// of a batch, if it can be nothing else.
    pub(crate) fn refused(&mut self) -> Vec<Arc<dyn Answered>> {
        match self.told {
            true => Vec::new(),
            false => self.pending.remove_only_batch(),
        }
    }

    /// What tells wakers of different tasks apart, for as long as they live.
    fn key(waker: &Waker) -> (usize, usize) {
        (waker.data().addr(), std::ptr::from_ref(waker.vtable()).addr())
    }

    /// The streams that somebody here listens to, from now on none.
    pub(crate) fn take_streams(&mut self) -> Vec<Arc<dyn Listener>> {
        std::mem::take(&mut self.streams).into_values().collect()
    }

    /// The listener at this address hears no more of a stream. Another may go by the
    /// same name by now.
    pub(crate) fn forget(&mut self, stream: &str, address: usize) {
        if self.streams.get(stream).is_some_and(|it| Arc::as_ptr(it).addr() == address) {
            self.streams.remove(stream);
        }
    }

    /// The callers that wait for room, from now on no more.
    pub(crate) fn take_waiting(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.waiting).into_values().collect()
    }

    /// Says something; what fails, or panics while it is being encoded, leaves
    /// nothing behind in the outbox.
    pub(crate) fn speak<R>(&mut self, write: impl FnOnce(&mut dyn Speaker, &mut Outbox) -> R) -> R {
        let before = self.out.len();
        let written = catch_unwind(AssertUnwindSafe(|| write(&mut *self.speaker, &mut self.out)));
        written.unwrap_or_else(|panic| {
            self.out.truncate(before);
            resume_unwind(panic)
        })
    }
}

impl Shared {
    pub(crate) fn new(
        connection: Connection,
        out: Outbox,
        speaker: Box<dyn Speaker>,
        max_unsent: usize,
        default_timeout: Duration,
    ) -> Arc<Self> {
        let state = State {
            out,
            speaker,
            pending: Pending::default(),
            streams: HashMap::new(),
            sending: HashMap::new(),
            waiting: HashMap::new(),
            phase: Phase::Open,
            unheard: false,
            told: false,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            task: AtomicWaker::new(),
            dirty: AtomicBool::new(false),
            connection: Arc::new(connection),
            closed: Notify::new(),
            max_unsent,
            default_timeout,
            unmatched: AtomicU64::new(0),
        })
    }

    /// The state. Nothing that runs under this lock can panic half-way through
    /// a change, so a poisoned lock is as good as another.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the connection's task to look at the state.
    pub(crate) fn wake(&self) {
        if !self.dirty.swap(true, Ordering::AcqRel) {
            self.task.wake();
        }
    }

    pub(crate) fn register(&self, task: &Waker) {
        self.task.register(task);
    }

    pub(crate) fn take_dirty(&self) -> bool {
        self.dirty.load(Ordering::Acquire) && self.dirty.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn is_dirty(&self) -> bool {
        self.dirty.load(Ordering::Acquire)
    }

    /// The connection has ended: fails all that waits for it.
    pub(crate) fn close(&self, fault: &Fault) {
        let (pending, streams, sending, waiting) = {
            let mut state = self.state();
            state.phase = Phase::Closed;
            state.out.clear(0);
            (state.pending.drain(), state.take_streams(), state.take_sending(), state.take_waiting())
        };
        for sending in sending {
            sending.cut(Err(broken_off()));
        }
        for answered in pending {
            answered.answer(Err(fault.clone()));
        }
        for listener in streams {
            listener.hear(Err(broken_off()));
        }
        waiting.into_iter().for_each(Waker::wake);
        self.closed.notify_waiters();
    }

    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }
}

impl Peer {
    /// Calls a procedure of the far side.
    ///
    /// The answer is decoded straight from what was read. Nothing happens before
    /// the first poll. Dropping the future gives the call up and tells the far
    /// side so. The deadline is 30 s unless [said otherwise](Calling::timeout).
    ///
    /// # Errors
    ///
    /// The future fails with the fault the far side answered; with
    /// [`FaultKind::Disconnected`] if the connection ends first, in which case it
    /// is not known whether the procedure ran; with
    /// [`FaultKind::DeadlineExceeded`] if the deadline passes; with
    /// [`FaultKind::InvalidReply`] if the answer does not fit `T`; and with
    /// [`FaultKind::ReplyTooLarge`] if it is over the limit `max_message`, as far as
    /// its beginning shows whose answer it is.
    pub fn call<'a, T: serde::de::DeserializeOwned + Send + 'static>(
        &'a self,
        procedure: &'a str,
        args: impl serde::Serialize + 'a,
    ) -> Calling<'a, T, impl serde::Serialize + 'a> {
        Calling::new(self, procedure, args)
    }

    /// Calls a procedure of the far side that gives a stream.
    ///
    /// Returns once the stream is open, for which it has 30 s. Dropping the
    /// [`Subscription`] tells the far side that nobody listens any more.
    ///
    /// ```
    /// use futures_util::StreamExt;
    /// # use trunkline_core::Fault;
    /// # use trunkline_net::Peer;
    ///
    /// # async fn example(peer: &Peer) -> Result<(), Fault> {
    /// let mut ticks = peer.stream::<u64>("ticks", ()).await?;
    /// while let Some(tick) = ticks.next().await {
    ///     println!("{}", tick?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails as [`call`](Self::call) does, and with [`FaultKind::InvalidReply`] if
    /// the procedure gives no stream.
    pub async fn stream<T: serde::de::DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl serde::Serialize,
    ) -> Result<Subscription<T>, Fault> {
        self.stream_within(procedure, args, self.0.default_timeout).await
    }

    /// Calls a procedure of the far side that gives a stream, as
    /// [`stream`](Self::stream) does, which has `timeout` to open.
    ///
    /// # Errors
    ///
    /// Fails as [`stream`](Self::stream) does.
    pub async fn stream_within<T: serde::de::DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl serde::Serialize,
        timeout: Duration,
    ) -> Result<Subscription<T>, Fault> {
        let listening = Listening::default();
        let deadline = after(now(), timeout);
        let open = async {
            let begun = poll_fn(|cx| match self.open(procedure, &args, &listening, deadline, cx) {
                Begun::Crowded => Poll::Pending,
                begun => Poll::Ready(begun),
            });
            match begun.await {
                Begun::Made(opening) => opening.await,
                Begun::Refused(fault) => Err(fault),
                Begun::Crowded | Begun::Ended => Err(disconnected()),
            }
        };
        tokio::time::timeout(timeout, open).await.unwrap_or_else(|_| Err(not_opened()))
    }

    /// Calls a procedure of the far side that gives a stream, and
    /// [takes one](trunkline_core::Incoming): what [`stream`](Self::stream) and
    /// [`Calling::sending`] are together. The stream that is sent ends with the one that
    /// is heard. `timeout` is how long that may take to open, in place of 30 s.
    ///
    /// # Errors
    ///
    /// Fails as [`stream`](Self::stream) does.
    pub async fn stream_sending<T, S>(
        &self,
        procedure: &str,
        args: impl serde::Serialize,
        items: S,
        timeout: Option<Duration>,
    ) -> Result<Subscription<T>, Fault>
    where
        T: serde::de::DeserializeOwned + Send + 'static,
        S: Stream<Item: IntoReply> + Send + 'static,
    {
        let listening = Listening::default();
        let timeout = timeout.unwrap_or(self.0.default_timeout);
        let deadline = after(now(), timeout);
        let open = async {
            let begin =
                |cx: &mut TaskContext<'_>| self.open_sending(procedure, &args, &listening, deadline, cx);
            let (opening, feeder) = begun(deadline, begin).await?;
            let sent = feeder.send(items, None);
            Ok(opening.await?.sending(sent))
        };
        tokio::time::timeout(timeout, open).await.unwrap_or_else(|_| Err(not_opened()))
    }

    /// Tells the far side something that needs no answer.
    ///
    /// Returns once it is on its way out: there is no telling whether it arrives.
    ///
    /// # Errors
    ///
    /// Fails if the arguments cannot be encoded, if the connection has ended, or
    /// with [`FaultKind::Unavailable`] if more than `max_unsent` bytes wait for a
    /// far side that does not read them.
    pub fn notify(&self, procedure: &str, args: impl serde::Serialize) -> Result<(), Fault> {
        self.say(|speaker, out| speaker.notify(procedure, &args, out).map_err(Fault::internal))
    }

    /// Publishes an event that the far side has subscribed to; a notification, in
    /// dialects that know no events.
    ///
    /// # Errors
    ///
    /// Fails as [`notify`](Self::notify) does.
    pub fn event(&self, name: &str, args: impl serde::Serialize) -> Result<(), Fault> {
        self.say(|speaker, out| speaker.event(name, &args, out).map_err(Fault::internal))
    }

    /// Tells the far side the same as others have been told, encoded once.
    pub(crate) fn notify_encoded(&self, procedure: &str, args: &OwnedPayload) -> Result<(), Fault> {
        self.say(|speaker, out| speaker.notify(procedure, args, out).map_err(Fault::internal))
    }

    /// Ends the connection: what is on its way out is sent, calls under way are
    /// finished, then it is closed.
    pub fn close(&self) {
        self.advance(Phase::Draining(Goodbye::Done));
    }

    /// Ends the connection as [`close`](Self::close) does, because the whole
    /// program is about to end.
    pub(crate) fn leave(&self) {
        self.advance(Phase::Draining(Goodbye::GoingAway));
    }

    /// Ends the connection at once: calls under way are cancelled. What was said
    /// before still leaves, if it does within a second.
    pub fn abort(&self) {
        self.advance(Phase::Closing);
    }

    /// Waits for the end of the connection.
    pub async fn closed(&self) {
        let closed = self.0.closed.notified();
        tokio::pin!(closed);
        closed.as_mut().enable();
        if !self.is_closed() {
            closed.await;
        }
    }

    /// Whether calls can still be made: the far side may have said all it has to
    /// say, and answer no more.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let state = self.0.state();
        state.phase.is_open() && !state.unheard
    }

    /// Whether the connection has ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.state().phase == Phase::Closed
    }

    /// What is known of the connection.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.0.connection
    }

    /// What is remembered of the connection, and who is known to be at its far end.
    #[must_use]
    pub fn session(&self) -> Session {
        Session::of(&self.0.connection)
    }

    /// Answers that belonged to no call of ours, or came too late.
    #[must_use]
    pub fn unmatched_replies(&self) -> u64 {
        self.0.unmatched.load(Ordering::Relaxed)
    }

    fn advance(&self, to: Phase) {
        let sending: Vec<Arc<Sending>> = {
            let mut state = self.0.state();
            if matches!((state.phase, to), (Phase::Open, _) | (Phase::Draining(_), Phase::Closing)) {
                state.phase = to;
            }
            state.sending.values().cloned().collect()
        };
        // calls under way are waited for, and a stream may go on for ever
        for sending in sending {
            sending.cut(Err(parting()));
        }
        self.0.wake();
    }

    fn say(
        &self,
        write: impl FnOnce(&mut dyn Speaker, &mut Outbox) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        {
            let mut state = self.0.state();
            if !state.phase.is_open() {
                return Err(disconnected());
            }
            if state.out.len() > self.0.max_unsent {
                return Err(unread(self.0.max_unsent));
            }
            state.tell(write)?;
        }
        self.0.wake();
        Ok(())
    }
}

/// What is said of a stream that is not open in time.
fn not_opened() -> Fault {
    Fault::new(FaultKind::DeadlineExceeded, "the stream was not opened within the deadline of the call")
}

/// What is said of a call that could not be made because the connection is gone.
pub(crate) fn disconnected() -> Fault {
    Fault::new(FaultKind::Disconnected, "the connection is closed")
}

/// What is said of a stream whose items can no longer come.
pub(crate) fn broken_off() -> Fault {
    Fault::new(FaultKind::Disconnected, "the connection ended before the stream did")
}

/// What is said of a call that was made, and whose answer can no longer come.
pub(crate) fn unanswered() -> Fault {
    let message = "the connection ended before the answer came: whether the procedure ran is not known";
    Fault::new(FaultKind::Disconnected, message)
}

#[cold]
fn unread(limit: usize) -> Fault {
    Fault::new(
        FaultKind::Unavailable,
        format!("the far side does not read: {limit} bytes wait for it, the limit `max_unsent`"),
    )
}

impl Extract for Peer {
    fn extract(call: &Call<'_>) -> Result<Self, Fault> {
        call.context.extensions().get::<Self>().cloned().ok_or_else(|| {
            let transport = call.context.connection().transport();
            Fault::from(format!(
                "there is no way back to a caller over {transport}; use a WebSocket or a stream"
            ))
        })
    }
}

impl PartialEq for Peer {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Peer {}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("connection", &self.0.connection.id()).finish_non_exhaustive()
    }
}
