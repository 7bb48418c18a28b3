//! [`Decoded`]: a stream of a procedure in this process, as values.

use futures_util::Stream;
use serde::de::DeserializeOwned;
use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};
use trunkline_core::{Fault, FaultKind, OwnedPayload, router::Items};

/// A stream of a procedure in this process. Dropping it ends the stream.
#[must_use = "dropping it ends the stream"]
pub struct Decoded<T> {
    items: Items,
    item: PhantomData<fn() -> T>,
}

impl<T> Decoded<T> {
    /// Decodes items as they come.
    pub fn new(items: Items) -> Self {
        Self { items, item: PhantomData }
    }
}

impl<T: DeserializeOwned> Stream for Decoded<T> {
    type Item = Result<T, Fault>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.items).poll_next(cx).map(|item| Some(item?.and_then(|item| decode_reply(&item))))
    }
}

impl<T> fmt::Debug for Decoded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoded").field("items", &self.items).finish()
    }
}

/// Decodes what a procedure has answered.
///
/// # Errors
///
/// Fails with [`FaultKind::InvalidReply`] if it does not fit `T`.
pub fn decode_reply<T: DeserializeOwned>(reply: &OwnedPayload) -> Result<T, Fault> {
    reply.decode().map_err(|error| {
        Fault::new(FaultKind::InvalidReply, format!("the reply is not of the expected type: {error}"))
    })
}
