//! [`Batching`]: a batch that is being put together.

use super::{Answers, Carrier, Client, call::deadline};
use crate::{Fault, FaultKind, Trace};
use serde::Serialize;
use std::time::Duration;
use trunkline_net::{batch::Batch, telling::told};

/// A batch that is being put together; [`Client::batch`] shows how.
#[derive(Debug)]
#[must_use = "a batch is sent by `send`"]
pub struct Batching<'a> {
    client: &'a Client,
    batch: Batch,
    timeout: Duration,
    trace: Option<Trace>,
}

impl<'a> Batching<'a> {
    pub(super) fn new(client: &'a Client, batch: Batch) -> Self {
        Self { client, batch, timeout: client.0.call_timeout, trace: client.1.clone() }
    }

    /// Adds a call.
    ///
    /// # Errors
    ///
    /// Fails if the arguments cannot be encoded.
    pub fn call(mut self, procedure: &str, args: impl Serialize) -> Result<Self, Fault> {
        self.batch = self.batch.call(procedure, args)?;
        Ok(self)
    }

    /// Adds a notification, which gets no answer.
    ///
    /// # Errors
    ///
    /// Fails if the arguments cannot be encoded.
    pub fn notify(mut self, procedure: &str, args: impl Serialize) -> Result<Self, Fault> {
        self.batch = self.batch.notify(procedure, args)?;
        Ok(self)
    }

    /// How long to wait for the answers, a connection included.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Says where in a distributed trace each of its items stands, as
    /// [`Calling::trace`](super::Calling::trace) does.
    pub fn trace(mut self, trace: impl Into<Option<Trace>>) -> Self {
        self.trace = trace.into().or(self.trace);
        self
    }

    /// Sends the batch, and waits for all the answers. Each call succeeds or
    /// fails for itself. Nothing is sent for a batch without items.
    ///
    /// If the server refuses the batch as a whole, such as one that has more items
    /// than it takes, each call fails with what it says. Over HTTP it is always known
    /// what was refused. On a connection the calls wait for their deadline, unless
    /// nothing else can be meant, as [`Peer::batch`](crate::Peer::batch) has it.
    ///
    /// # Errors
    ///
    /// Fails as a whole only if nothing was sent; over HTTP, if there was no
    /// response, or if the server refuses a batch that wants no answers; with [`FaultKind::RequestTooLarge`] if the batch has more items
    /// than the limit `max_batch`, which is that of a server's by default.
    pub async fn send(self) -> Result<Answers, Fault> {
        let Self { client, batch, timeout, mut trace } = self;
        let limit = client.0.max_batch;
        if batch.len() > limit {
            let message = format!("the batch has {} items: the limit `max_batch` is {limit}", batch.len());
            return Err(Fault::new(FaultKind::RequestTooLarge, message));
        }
        let deadline = deadline(timeout);
        let span = client.outgoing(None, &mut trace);
        let sent = async {
            match &client.0.carrier {
                Carrier::Connection(line) => {
                    let sent = line.begin_when_ready(|peer, cx| {
                        peer.traced(trace.as_ref()).begin_batch(&batch, deadline, cx)
                    });
                    Ok(line.in_time(deadline, sent).await??.await)
                }
                #[cfg(feature = "http-client")]
                Carrier::Http(posting) => {
                    let about = posting.about(trace, Some(timeout));
                    posting.in_time(deadline, posting.batch(&batch, &about)).await
                }
            }
        };
        told(span, sent).await
    }
}
