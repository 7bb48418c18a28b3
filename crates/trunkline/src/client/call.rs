//! [`Calling`]: a call, from the first poll to its answer, over whatever carries it.

use super::{Carrier, Client, line::Line};
use crate::{Fault, IntoReply, OwnedPayload, Trace};
use futures_core::Stream;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};
use trunkline_core::Format;
use trunkline_net::{
    batch::not_encodable,
    clock::now,
    peer::{Awaited, Begun},
    telling::told,
};

/// A call that is about to be made, or under way. A future.
#[must_use = "a call is made when it is awaited"]
pub struct Calling<'a, T, A> {
    client: &'a Client,
    procedure: &'a str,
    args: A,
    timeout: Duration,
    trace: Option<Trace>,
    stage: Stage<T>,
}

enum Stage<T> {
    New,
    /// On its way over the connection of the moment.
    Made(Awaited<T>),
    /// Waiting for a connection, or for room on it, or for an HTTP response.
    Waiting(Pin<Box<dyn Future<Output = Result<T, Fault>> + Send>>),
}

impl<'a, T, A> Calling<'a, T, A> {
    pub(super) fn new(client: &'a Client, procedure: &'a str, args: A) -> Self {
        let (timeout, trace) = (client.0.call_timeout, client.1.clone());
        Self { client, procedure, args, timeout, trace, stage: Stage::New }
    }

    /// How long to wait for the answer, a connection included; `None` leaves it at
    /// what the client is set to.
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.timeout = timeout.into().unwrap_or(self.timeout);
        self
    }

    /// Says where in a distributed trace the call stands, such as where the call stands
    /// that a handler [answers](crate::Context::trace): over HTTP in headers, else in
    /// members of the message.
    ///
    /// ```
    /// # use trunkline::{Client, Context, Fault};
    /// async fn relay(context: Context, client: &Client) -> Result<i64, Fault> {
    ///     client.call("add", (2, 3)).trace(context.trace()).await
    /// }
    /// ```
    pub fn trace(mut self, trace: impl Into<Option<Trace>>) -> Self {
        self.trace = trace.into().or(self.trace);
        self
    }
}

impl<'a, T: DeserializeOwned + Send + 'static, A: Serialize> Calling<'a, T, A> {
    /// Sends a stream with the call, to a procedure that [takes one](crate::Incoming).
    /// The time for the answer, that of the client or what was [said](Self::timeout)
    /// before this, begins anew with each item, and as the server says that it takes them.
    ///
    /// An item is whatever [can be a reply](crate::IntoReply); one that is an error is
    /// the last. The stream is asked for items on a task of its own, as the server has
    /// room for them, and is dropped when it wants no more of them, or the call is over.
    ///
    /// ```no_run
    /// # async fn example(client: &trunkline::Client) -> Result<(), trunkline::Fault> {
    /// use futures_util::stream;
    ///
    /// let sum: u64 = client.call("sum", ()).sending(stream::iter([1, 2, 3])).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The future fails as the [call](Client::call) does, and over HTTP.
    pub fn sending<S>(self, items: S) -> impl Future<Output = Result<T, Fault>> + Send + use<'a, T, A, S>
    where
        S: Stream<Item: IntoReply> + Send + 'static,
    {
        let Self { client, procedure, args, timeout, mut trace, .. } = self;
        let args = OwnedPayload::encode(&args, Format::Json).map_err(not_encodable);
        async move {
            let (args, deadline) = (args?, deadline(timeout));
            let line = client.line()?;
            let span = client.outgoing(Some(procedure), &mut trace);
            let called = async {
                let made = line.begin_when_ready(|peer, cx| {
                    peer.traced(trace.as_ref()).begin_sending(procedure, &args, deadline, cx)
                });
                let (awaited, feeder) = line.in_time(deadline, made).await??;
                let _sent = feeder.send(items, Some(timeout));
                awaited.await
            };
            told(span, called).await
        }
    }
}

impl<T, A> Unpin for Calling<'_, T, A> {}

impl<T: DeserializeOwned + Send + 'static, A: Serialize> Future for Calling<'_, T, A> {
    type Output = Result<T, Fault>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        match &mut this.stage {
            Stage::Made(awaited) => return Pin::new(awaited).poll(cx),
            Stage::Waiting(answer) => return answer.as_mut().poll(cx),
            Stage::New => {}
        }
        let deadline = deadline(this.timeout);
        let span = this.client.outgoing(Some(this.procedure), &mut this.trace);
        let trace = this.trace.as_ref();
        let begun = match &this.client.0.carrier {
            _ if span.is_some() => None,
            Carrier::Connection(line) => {
                line.begin(|peer| peer.traced(trace).begin(this.procedure, &this.args, deadline, cx))
            }
            #[cfg(feature = "http-client")]
            Carrier::Http(_) => None,
        };
        match begun {
            Some(Begun::Made(awaited)) => {
                this.stage = Stage::Made(awaited);
                return Poll::Pending;
            }
            Some(Begun::Refused(fault)) => return Poll::Ready(Err(fault)),
            _ => {}
        }
        match this.wait(deadline) {
            Ok(answer) if span.is_some() => this.stage = Stage::Waiting(Box::pin(told(span, answer))),
            Ok(answer) => this.stage = Stage::Waiting(answer),
            Err(fault) => return Poll::Ready(Err(fault)),
        }
        self.poll(cx)
    }
}

impl<T: DeserializeOwned + Send + 'static, A: Serialize> Calling<'_, T, A> {
    /// What to do where a call cannot be made at once.
    #[cold]
    #[expect(clippy::type_complexity, reason = "it is said once more, in `Stage`")]
    fn wait(
        &self,
        deadline: Option<Instant>,
    ) -> Result<Pin<Box<dyn Future<Output = Result<T, Fault>> + Send>>, Fault> {
        Ok(match &self.client.0.carrier {
            Carrier::Connection(line) => {
                let args = OwnedPayload::encode(&self.args, Format::Json).map_err(not_encodable)?;
                let trace = self.trace.clone();
                Box::pin(over_line(line.clone(), self.procedure.to_owned(), args, trace, deadline))
            }
            #[cfg(feature = "http-client")]
            Carrier::Http(posting) => {
                let about = posting.about(self.trace.clone(), Some(self.timeout));
                let called = posting.call(self.procedure, &self.args, &about);
                let posting = posting.clone();
                Box::pin(async move { posting.in_time(deadline, called).await })
            }
        })
    }
}

/// Makes a call as soon as there is a connection with room for it.
async fn over_line<T: DeserializeOwned + Send + 'static>(
    line: Arc<Line>,
    procedure: String,
    args: OwnedPayload,
    trace: Option<Trace>,
    deadline: Option<Instant>,
) -> Result<T, Fault> {
    let trace = trace.as_ref();
    let made = line.begin_when_ready(|peer, cx| peer.traced(trace).begin(&procedure, &args, deadline, cx));
    line.in_time(deadline, made).await??.await
}

/// When a call that is made now will have taken too long; `None` if clocks do
/// not go that far.
#[inline]
pub(super) fn deadline(timeout: Duration) -> Option<Instant> {
    now().checked_add(timeout)
}

impl<T, A> fmt::Debug for Calling<'_, T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calling").field("procedure", &self.procedure).finish_non_exhaustive()
    }
}
