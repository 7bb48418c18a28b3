//! [`Following`]: a stream whose items reach one subscriber as events.

use crate::{Caller, Decoded, Identity, OwnedPayload, Peer, Session};
use futures_core::Stream;
use std::{future::poll_fn, pin::Pin};
use tokio::task::AbortHandle;

/// A stream that goes on for as long as this is kept, and its subscriber is who is known
/// on the connection.
pub(super) struct Following {
    task: AbortHandle,
    subscriber: Subscriber,
}

/// Whoever has opened a stream, and where it is known who they are now.
#[derive(Clone)]
struct Subscriber(Identity, Session);

impl Subscriber {
    fn has_left(&self) -> bool {
        self.0.is_left_for(&self.1.identity())
    }
}

impl Following {
    /// Sends the items of a stream that the caller has opened to `peer`, as events of
    /// this name.
    pub(super) fn start(name: &str, mut items: Decoded<OwnedPayload>, caller: &Caller, peer: &Peer) -> Self {
        let (name, peer) = (name.to_owned(), peer.clone());
        let subscriber = Subscriber(caller.context().identity().clone(), peer.session());
        let known = subscriber.clone();
        let task = tokio::spawn(async move {
            // an item is made when there is room for it
            while peer.until_room().await.is_ok()
                && let Some(item) = poll_fn(|cx| Pin::new(&mut items).poll_next(cx)).await
                && !known.has_left()
            {
                let sent = item.and_then(|item| peer.event(&name, [item]));
                if let Err(fault) = sent {
                    tracing::debug!(event = name, %fault, "a stream broke off");
                    break;
                }
                // a stream that is always ready shares the task of others
                tokio::task::consume_budget().await;
            }
        });
        Self { task: task.abort_handle(), subscriber }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.task.is_finished() || self.subscriber.has_left()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.task.abort();
    }
}
