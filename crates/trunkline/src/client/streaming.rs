//! [`Streaming`]: a call for a stream, from the first poll to its being open.

#[cfg(feature = "http-client")]
use super::Carrier;
use super::{Client, call};
use crate::{Fault, IntoReply, OwnedPayload, Trace};
use futures_core::Stream;
use serde::{Serialize, de::DeserializeOwned};
use std::{borrow::Cow, fmt, marker::PhantomData, pin::Pin, time::Duration};
use trunkline_core::Format;
use trunkline_net::{
    batch::not_encodable,
    peer::{Listening, Subscription},
    telling::told,
};

/// A call for a stream that is about to be made.
#[must_use = "a stream is opened when this is awaited"]
pub struct Streaming<'a, T, A> {
    client: &'a Client,
    procedure: &'a str,
    args: A,
    timeout: Duration,
    trace: Option<Trace>,
    listening: Listening,
    item: PhantomData<fn() -> T>,
}

impl<'a, T, A> Streaming<'a, T, A> {
    pub(super) fn new(client: &'a Client, procedure: &'a str, args: A) -> Self {
        let (timeout, trace, listening) = (client.0.call_timeout, client.1.clone(), Listening::default());
        Self { client, procedure, args, timeout, trace, listening, item: PhantomData }
    }

    /// How long the stream may take to open, a connection included. Default
    /// [`Builder::call_timeout`](super::Builder::call_timeout), which `None` leaves it at.
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.timeout = timeout.into().unwrap_or(self.timeout);
        self
    }

    /// Says where in a distributed trace the call stands, as
    /// [`Calling::trace`](super::Calling::trace) does.
    pub fn trace(mut self, trace: impl Into<Option<Trace>>) -> Self {
        self.trace = trace.into().or(self.trace);
        self
    }

    /// How many items may wait to be taken. A trunkline server sends no more than there
    /// is room for; of another, one more breaks the stream off. Default 65,536. Over
    /// HTTP items wait with the server.
    pub fn max_waiting(mut self, items: usize) -> Self {
        self.listening.max_waiting = items.max(1);
        self
    }

    /// How many bytes the items that wait may have, as they were sent, the last of them
    /// set aside: what is true of [`max_waiting`](Self::max_waiting) is true of this.
    /// Default 1 MiB.
    pub fn max_waiting_bytes(mut self, bytes: usize) -> Self {
        self.listening.max_waiting_bytes = bytes.max(1);
        self
    }

    /// The procedure by which the server is told that nobody listens any more, for
    /// servers that have one of their own. Default `rpc.unsubscribe`.
    pub fn unsubscribe(mut self, procedure: impl Into<Cow<'static, str>>) -> Self {
        self.listening.unsubscribe = procedure.into();
        self
    }
}

impl<'a, T: DeserializeOwned + Send + 'static, A: Serialize> Streaming<'a, T, A> {
    /// Sends a stream with the call, to a procedure that [takes one](crate::Incoming), as
    /// [`Calling::sending`](super::Calling::sending) does. It ends with the stream that
    /// the procedure gives.
    ///
    /// ```no_run
    /// # async fn example(client: &trunkline::Client) -> Result<(), trunkline::Fault> {
    /// use futures_util::{StreamExt, stream};
    ///
    /// let words = stream::iter(["a", "b"]);
    /// let mut echoes = client.stream::<String>("echo", ()).sending(words).await?;
    /// while let Some(echo) = echoes.next().await {
    ///     println!("{}", echo?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The future fails as that of [`Client::stream`] does.
    pub fn sending<S>(
        self,
        items: S,
    ) -> impl Future<Output = Result<Subscription<T>, Fault>> + Send + use<'a, T, A, S>
    where
        S: Stream<Item: IntoReply> + Send + 'static,
    {
        let Self { client, procedure, args, timeout, mut trace, listening, .. } = self;
        let args = OwnedPayload::encode(&args, Format::Json).map_err(not_encodable);
        async move {
            let (args, deadline) = (args?, call::deadline(timeout));
            let line = client.line()?;
            let span = client.outgoing(Some(procedure), &mut trace);
            let open = async {
                let begun = line.begin_when_ready(|peer, cx| {
                    peer.traced(trace.as_ref()).open_sending(procedure, &args, &listening, deadline, cx)
                });
                let (opening, feeder) = begun.await?;
                let sent = feeder.send(items, None);
                Ok(opening.await?.sending(sent))
            };
            let opened = async { line.in_time(deadline, open).await? };
            Ok(told(span.clone(), opened).await?.in_span(span))
        }
    }
}

impl<'a, T, A> IntoFuture for Streaming<'a, T, A>
where
    T: DeserializeOwned + Send + 'static,
    A: Serialize + 'a,
{
    type Output = Result<Subscription<T>, Fault>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { client, procedure, args, timeout, mut trace, listening, .. } = self;
        let args = OwnedPayload::encode(&args, Format::Json).map_err(not_encodable);
        Box::pin(async move {
            let (args, deadline) = (args?, call::deadline(timeout));
            let span = client.outgoing(Some(procedure), &mut trace);
            #[cfg(feature = "http-client")]
            if let Carrier::Http(posting) = &client.0.carrier {
                let about = posting.about(trace, Some(timeout));
                let opened = posting.in_time(deadline, posting.stream(procedure, &args, &about));
                return Ok(told(span.clone(), opened).await?.in_span(span));
            }
            let line = client.line()?;
            let open = async {
                let opening = line.begin_when_ready(|peer, cx| {
                    peer.traced(trace.as_ref()).open(procedure, &args, &listening, deadline, cx)
                });
                opening.await?.await
            };
            let opened = async { line.in_time(deadline, open).await? };
            Ok(told(span.clone(), opened).await?.in_span(span))
        })
    }
}

impl<T, A> fmt::Debug for Streaming<'_, T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streaming").field("procedure", &self.procedure).finish_non_exhaustive()
    }
}
