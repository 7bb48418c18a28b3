//! [`Listening`]: how much of a stream may wait for who listens.

use std::{borrow::Cow, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use trunkline_core::{Fault, FaultKind, Payload, router::UNSUBSCRIBE};

/// How a stream is listened to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Listening {
    /// Items that may wait for who listens. A trunkline server waits for them to be
    /// taken; another does not know, and one more breaks the stream off. Default 65,536.
    pub max_waiting: usize,
    /// Bytes of items that may wait, as they were sent; the last item may go beyond.
    /// The same is true of them. Default 1 MiB.
    pub max_waiting_bytes: usize,
    /// The procedure by which the far side is told that nobody listens any more.
    /// Default `rpc.unsubscribe`, which every trunkline server has.
    pub unsubscribe: Cow<'static, str>,
    /// Room for the bytes of items that wait, which other streams may share: one item
    /// more than there is room for breaks the stream off.
    pub(crate) room: Option<Arc<Semaphore>>,
    /// What it takes up for as long as anything may be heard of it, of which there is
    /// only so much.
    #[expect(dead_code, reason = "it is there to be dropped")]
    pub(crate) takes: Option<Arc<OwnedSemaphorePermit>>,
}

impl Default for Listening {
    fn default() -> Self {
        Self {
            max_waiting: 65_536,
            max_waiting_bytes: 1 << 20,
            unsubscribe: UNSUBSCRIBE.into(),
            room: None,
            takes: None,
        }
    }
}

impl Listening {
    /// Room for an item; `None` if that is not counted.
    pub(super) fn room_for(&self, item: &Payload<'_>) -> Result<Option<OwnedSemaphorePermit>, Fault> {
        let Some(room) = &self.room else { return Ok(None) };
        let taken = u32::try_from(item.size()).ok().map(|bytes| room.clone().try_acquire_many_owned(bytes));
        match taken {
            Some(Ok(taken)) => Ok(Some(taken)),
            Some(Err(_)) | None => Err(Fault::new(
                FaultKind::Unavailable,
                "items came faster than they were taken: there is no room for more bytes, the limit `max_reply`",
            )),
        }
    }
}
