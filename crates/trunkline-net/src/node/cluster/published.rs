//! [`Published`]: what is published under a topic, as it comes.

use super::{Cluster, topics::Queue};
use futures_util::Stream;
use serde::de::DeserializeOwned;
use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use trunkline_core::{Fault, FaultKind};

/// What is published under a topic, as it comes: a stream, made by
/// [`Cluster::subscribe`], that has no end. Dropping it ends the subscription.
///
/// An event that is no `T` is an `Err`, after which the stream goes on. For who does not
/// take them in time 1,024 events are kept, or 1 MiB of them; then the oldest are left
/// out, and [counted](Self::missed).
#[must_use = "dropping it ends the subscription"]
pub struct Published<T> {
    cluster: Cluster,
    topic: Box<str>,
    queue: Arc<Queue>,
    event: PhantomData<fn() -> T>,
}

impl<T> Published<T> {
    pub(super) fn new(cluster: Cluster, topic: String) -> Result<Self, Fault> {
        let queue = Arc::<Queue>::default();
        cluster.0.topics.add(&topic, queue.clone(), || cluster.line())?;
        Ok(Self { cluster, topic: topic.into(), queue, event: PhantomData })
    }

    /// How many events have been left out so far, because they were not taken in time.
    /// What was lost on its way is not among them: nobody knows of it.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.queue.missed()
    }
}

impl<T: DeserializeOwned> Stream for Published<T> {
    type Item = Result<T, Fault>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.queue.poll(cx).map(|event| {
            Some(event.decode().map_err(|error| {
                let message = format!("what was published is not of the expected type: {error}");
                Fault::new(FaultKind::InvalidReply, message)
            }))
        })
    }
}

impl<T> Drop for Published<T> {
    fn drop(&mut self) {
        self.cluster.0.topics.remove(&self.topic, &self.queue, || self.cluster.line());
    }
}

impl<T> fmt::Debug for Published<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Published").field("topic", &self.topic).field("missed", &self.missed()).finish()
    }
}
