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
#[cfg(test)]
mod model;
mod ours;
mod output;
mod pending;
mod scratch;
mod sending;
mod shared;
mod slots;
mod spawned;
mod subscription;
mod times;

#[cfg(feature = "http-client")]
pub(crate) use self::subscription::spelled;
pub(crate) use self::{
    call::begun,
    drive::Driver,
    shared::{NotNow, Phase, Shared, State},
    slots::{Occupant, Slot, Slots, drop_caught},
    spawned::{placed, placed_within},
};
pub use self::{
    call::{Awaited, Begun, Calling},
    gather::Gathering,
    sending::{Feeder, Sent},
    subscription::{Listening, Opening, Subscription},
};

use self::sending::{Sending, parting};
use crate::{
    clock::{after, now},
    telling::{self, Far, told},
};
use futures_util::Stream;
use std::{
    borrow::Cow,
    fmt,
    future::poll_fn,
    sync::{Arc, atomic::Ordering},
    task::{Context as TaskContext, Poll},
    time::{Duration, Instant},
};
use tracing::Span;
use trunkline_core::{
    About, Call, Connection, EncodeError, Extract, Fault, FaultKind, IntoReply, Outbox, OwnedPayload,
    Session, Speaker, Trace, framing::Goodbye,
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
pub struct Peer(
    pub(crate) Arc<Shared>,
    /// Where in a distributed trace its calls stand.
    Option<Trace>,
);

impl Peer {
    /// The same peer for calls, streams, notifications and batches that stand there in a
    /// distributed trace, such as where the call stands that a handler
    /// [answers](trunkline_core::Context::trace).
    ///
    /// ```
    /// # use trunkline_core::{Context, Fault};
    /// # use trunkline_net::Peer;
    /// async fn greet(peer: Peer, context: Context) -> Result<String, Fault> {
    ///     peer.in_trace(context.trace()).call("your.name", ()).await
    /// }
    /// ```
    #[must_use]
    pub fn in_trace(&self, trace: impl Into<Option<Trace>>) -> Self {
        Self(self.0.clone(), trace.into())
    }

    /// The same, unless nothing is said of a trace.
    #[doc(hidden)]
    #[must_use]
    pub fn traced(&self, trace: Option<&Trace>) -> Cow<'_, Self> {
        match trace {
            None => Cow::Borrowed(self),
            Some(trace) => Cow::Owned(self.in_trace(trace.clone())),
        }
    }

    /// The same peer for what stands where the span of the call does, and that span, if
    /// anybody may listen to such things.
    #[inline]
    fn outgoing(&self, procedure: Option<&str>, said: Option<&Trace>) -> (Cow<'_, Self>, Option<Span>) {
        if !telling::is_heard() {
            return (self.traced(said), None);
        }
        let mut trace = said.or(self.1.as_ref()).cloned();
        let span = telling::outgoing(procedure, || Far::of(self.connection()), &mut trace);
        (Cow::Owned(self.in_trace(trace)), span)
    }

    /// Says what there is to say besides of what is spelled next, whose answer is waited
    /// for until `deadline`.
    #[inline]
    fn tell_about(&self, speaker: &mut dyn Speaker, deadline: Option<Instant>) {
        let deadline = deadline.filter(|_| self.0.tells_timeouts);
        let left = deadline.map(|at| at.saturating_duration_since(now()));
        tell_about(speaker, self.1.as_ref(), left);
    }

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
        self.stream_within(procedure, args, None).await
    }

    /// Calls a procedure of the far side that gives a stream, as
    /// [`stream`](Self::stream) does; `timeout` is how long that may take to open, in
    /// place of 30 s.
    ///
    /// # Errors
    ///
    /// Fails as [`stream`](Self::stream) does.
    pub async fn stream_within<T: serde::de::DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl serde::Serialize,
        timeout: Option<Duration>,
    ) -> Result<Subscription<T>, Fault> {
        let timeout = timeout.unwrap_or(self.0.default_timeout);
        let listening = Listening::default();
        let deadline = after(now(), timeout);
        let (peer, span) = self.outgoing(Some(procedure), None);
        let open = async {
            let begin = |cx: &mut TaskContext<'_>| peer.open(procedure, &args, &listening, deadline, cx);
            begun(deadline, begin).await?.await
        };
        Ok(told(span.clone(), open).await?.in_span(span))
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
        let (peer, span) = self.outgoing(Some(procedure), None);
        let open = async {
            let begin =
                |cx: &mut TaskContext<'_>| peer.open_sending(procedure, &args, &listening, deadline, cx);
            let (opening, feeder) = begun(deadline, begin).await?;
            let sent = feeder.send(items, None);
            Ok(opening.await?.sending(sent))
        };
        Ok(told(span.clone(), open).await?.in_span(span))
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
        self.say(|speaker, out| speaker.notify(procedure, &args, out))
    }

    /// Waits until there is room for what else is to be said: no more than `max_unsent`
    /// bytes wait for the far side to read them.
    ///
    /// # Errors
    ///
    /// Fails if the connection has ended.
    pub async fn until_room(&self) -> Result<(), Fault> {
        let room = poll_fn(|cx| match self.0.state().admit(self.0.max_unsent, cx) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(NotNow::Crowded) => Poll::Pending,
            Err(NotNow::Ended) => Poll::Ready(Err(disconnected())),
        });
        room.await
    }

    /// Publishes an event that the far side has subscribed to; a notification, in
    /// dialects that know no events.
    ///
    /// # Errors
    ///
    /// Fails as [`notify`](Self::notify) does.
    pub fn event(&self, name: &str, args: impl serde::Serialize) -> Result<(), Fault> {
        self.say(|speaker, out| speaker.event(name, &args, out))
    }

    /// Tells the far side the same as others have been told, encoded once.
    pub(crate) fn notify_encoded(&self, procedure: &str, args: &OwnedPayload) -> Result<(), Fault> {
        self.say(|speaker, out| speaker.notify(procedure, args, out))
    }

    /// Ends the connection: what is on its way out is sent, calls under way are
    /// finished, then it is closed.
    pub fn close(&self) {
        self.advance(Phase::Draining(Goodbye::Done));
    }

    /// Ends the connection as [`close`](Self::close) does, because the whole
    /// program is about to end.
    pub(crate) fn leave(&self) {
        self.advance(Phase::Draining(Goodbye::Drained));
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
        self.0.connection()
    }

    /// What is remembered of the connection, and who is known to be at its far end.
    #[must_use]
    pub fn session(&self) -> Session {
        Session::of(self.0.connection())
    }

    /// Answers that belonged to no call of ours, or came too late.
    #[must_use]
    pub fn unmatched_replies(&self) -> u64 {
        self.0.unmatched.load(Ordering::Relaxed)
    }

    fn advance(&self, to: Phase) {
        let sending: Vec<Arc<Sending>> = {
            let mut state = self.0.state();
            if matches!(
                (state.phase, to),
                (Phase::Open, _) | (Phase::Draining(_) | Phase::Parted, Phase::Closing)
            ) {
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
        write: impl FnOnce(&mut dyn Speaker, &mut Outbox) -> Result<(), EncodeError>,
    ) -> Result<(), Fault> {
        // it has no span of its own
        let place = telling::place(self.1.as_ref());
        {
            let mut state = self.0.state();
            if !state.phase.is_open() {
                return Err(disconnected());
            }
            if state.out.len() > self.0.max_unsent {
                return Err(unread(self.0.max_unsent));
            }
            let written = state.tell(|speaker, out| {
                tell_about(speaker, place.as_ref(), None);
                write(speaker, out)
            });
            written.map_err(Fault::internal)?;
        }
        self.0.wake();
        Ok(())
    }
}

/// Says what there is to say besides of what is spelled next.
#[inline]
fn tell_about(speaker: &mut dyn Speaker, trace: Option<&Trace>, timeout: Option<Duration>) {
    if trace.is_some() || timeout.is_some() {
        speaker.about(&About::default().with_trace(trace.cloned()).with_timeout(timeout));
    }
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
        f.debug_struct("Peer").field("connection", &self.0.connection().id()).finish_non_exhaustive()
    }
}
