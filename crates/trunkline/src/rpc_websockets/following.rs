//! [`Following`]: a stream whose items reach one subscriber as events.

use crate::{Caller, Fault, OwnedPayload, Peer};
use futures_core::Stream;
use std::{future::poll_fn, pin::Pin};
use tokio::task::AbortHandle;

/// A stream that goes on for as long as this is kept.
pub(super) struct Following(AbortHandle);

impl Following {
    /// Opens the stream that the procedure `name` gives, on behalf of whoever calls, and
    /// sends its items to `peer` as events of that name.
    pub(super) async fn start(name: &str, caller: &Caller, peer: &Peer) -> Result<Self, Fault> {
        let mut items = caller.stream::<OwnedPayload>(name, ()).await?;
        let (name, peer) = (name.to_owned(), peer.clone());
        let task = tokio::spawn(async move {
            // an item is made when there is room for it
            while peer.until_room().await.is_ok()
                && let Some(item) = poll_fn(|cx| Pin::new(&mut items).poll_next(cx)).await
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
        Ok(Self(task.abort_handle()))
    }

    pub(super) fn has_ended(&self) -> bool {
        self.0.is_finished()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}
