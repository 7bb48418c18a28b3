//! [`plain`]: a stream of plain values, as one of replies.

use crate::Plain;
use futures_core::Stream;
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// A stream of plain values, as one of replies.
pub fn plain<S: Stream>(items: S) -> impl Stream<Item = Plain<S::Item>> {
    PlainItems(Box::pin(items))
}

struct PlainItems<S>(Pin<Box<S>>);

impl<S: Stream> Stream for PlainItems<S> {
    type Item = Plain<S::Item>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx).map(|item| item.map(Plain))
    }
}
