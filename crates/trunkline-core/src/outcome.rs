//! [`Outcome`]: what a handler may come to: a value, or a stream of values.

use crate::{
    fault::Fault,
    procedure::Running,
    reply::{IntoReply, Reply},
    schema::Schemas,
};
use futures_core::Stream;
use schemars::Schema;
use std::{
    pin::Pin,
    task::{Context as TaskContext, Poll, ready},
};

/// What a handler may come to.
///
/// - Anything that [can be a reply](IntoReply).
/// - A [`Stream`] of that, or a `Result` of one: what it opens with is said once,
///   and then every item is sent when it comes. An item that is an error ends the
///   stream. Dropping it is how a stream learns that nobody listens any more.
///
/// `R` tells these apart and is always inferred.
///
/// ```
/// use trunkline_core::{Fault, Router, router::Gives};
/// use futures_util::{Stream, stream};
///
/// async fn countdown(from: u64) -> Result<impl Stream<Item = u64>, Fault> {
///     match from {
///         0..=1_000 => Ok(stream::iter((0..from).rev())),
///         _ => Err("nobody waits that long".into()),
///     }
/// }
///
/// let router = Router::new().procedure("countdown", countdown);
/// assert_eq!(router.find("countdown").unwrap().gives(), Gives::Stream);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the reply of a procedure",
    label = "not a reply",
    note = "return `Result<T, E>` with `T: serde::Serialize + schemars::JsonSchema` and `E: Into<trunkline::Fault>`,",
    note = "a plain number, string, collection or `serde_json::Value`, `Plain(value)`, or a `Stream` of such items"
)]
pub trait Outcome<R>: Sized {
    /// Whether it is a stream.
    const STREAMS: bool;

    /// A handler's future as a call under way.
    type Running<F: Future<Output = Self> + Send + 'static>: Running + 'static;

    /// Takes the handler's future.
    fn running<F: Future<Output = Self> + Send + 'static>(future: F) -> Self::Running<F>;

    /// The schema of the value, or of each item.
    fn schema(schemas: &mut Schemas) -> Schema;
}

/// Marks what comes to one value.
#[derive(Debug)]
pub struct One;

/// Marks what comes to a stream.
#[derive(Debug)]
pub struct Many;

/// Marks what comes to a stream, unless it fails to open.
#[derive(Debug)]
pub struct TryMany;

impl<T: IntoReply> Outcome<One> for T {
    const STREAMS: bool = false;

    type Running<F: Future<Output = Self> + Send + 'static> = ToValue<F>;

    #[inline]
    fn running<F: Future<Output = Self> + Send + 'static>(future: F) -> ToValue<F> {
        ToValue { future }
    }

    fn schema(schemas: &mut Schemas) -> Schema {
        schemas.of_result::<T::Value>()
    }
}

impl<S> Outcome<Many> for S
where
    S: Stream<Item: IntoReply> + Send + 'static,
{
    const STREAMS: bool = true;

    type Running<F: Future<Output = Self> + Send + 'static> = ToStream<Opens<F>, S>;

    fn running<F: Future<Output = Self> + Send + 'static>(future: F) -> Self::Running<F> {
        ToStream::opened_by(Opens { future })
    }

    fn schema(schemas: &mut Schemas) -> Schema {
        schemas.of_result::<<S::Item as IntoReply>::Value>()
    }
}

impl<S, E> Outcome<TryMany> for Result<S, E>
where
    S: Stream<Item: IntoReply> + Send + 'static,
    E: Into<Fault>,
{
    const STREAMS: bool = true;

    type Running<F: Future<Output = Self> + Send + 'static> = ToStream<TryOpens<F>, S>;

    fn running<F: Future<Output = Self> + Send + 'static>(future: F) -> Self::Running<F> {
        ToStream::opened_by(TryOpens { future })
    }

    fn schema(schemas: &mut Schemas) -> Schema {
        schemas.of_result::<<S::Item as IntoReply>::Value>()
    }
}

pin_project_lite::pin_project! {
    /// A call that comes to one value.
    pub struct ToValue<F> {
        #[pin]
        future: F,
    }
}

impl<F> Running for ToValue<F>
where
    F: Future<Output: IntoReply> + Send,
{
    #[inline]
    fn poll(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Poll<Result<(), Fault>> {
        let outcome = ready!(self.project().future.poll(cx));
        Poll::Ready(outcome.into_reply().and_then(|value| reply.write(&value)))
    }
}

pin_project_lite::pin_project! {
    /// A call that comes to a stream.
    pub struct ToStream<F, S> {
        #[pin]
        opening: Option<F>,
        #[pin]
        stream: Option<S>,
    }
}

impl<F, S> ToStream<F, S> {
    fn opened_by(future: F) -> Self {
        Self { opening: Some(future), stream: None }
    }
}

impl<F, S> Running for ToStream<F, S>
where
    F: Future<Output = Result<S, Fault>> + Send,
    S: Stream<Item: IntoReply> + Send,
{
    fn poll(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        _reply: &mut Reply<'_>,
    ) -> Poll<Result<(), Fault>> {
        let mut this = self.project();
        if let Some(opening) = this.opening.as_mut().as_pin_mut() {
            let stream = ready!(opening.poll(cx))?;
            this.opening.set(None);
            this.stream.set(Some(stream));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        item: &mut Reply<'_>,
    ) -> Poll<Option<Result<(), Fault>>> {
        let Some(stream) = self.project().stream.as_pin_mut() else { return Poll::Ready(None) };
        stream.poll_next(cx).map(|next| Some(next?.into_reply().and_then(|value| item.write(&value))))
    }
}

pin_project_lite::pin_project! {
    /// A stream that cannot fail to open.
    pub struct Opens<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Opens<F> {
    type Output = Result<F::Output, Fault>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        self.project().future.poll(cx).map(Ok)
    }
}

pin_project_lite::pin_project! {
    /// A stream that may fail to open.
    pub struct TryOpens<F> {
        #[pin]
        future: F,
    }
}

impl<S, E: Into<Fault>, F: Future<Output = Result<S, E>>> Future for TryOpens<F> {
    type Output = Result<S, Fault>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        self.project().future.poll(cx).map_err(Into::into)
    }
}
