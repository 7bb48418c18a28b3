//! [`Incoming`]: the stream that a caller sends with its call, and [`Feed`], the same
//! on its way to the handler.
//!
//! A procedure takes one stream at most, so nothing has to be said of which it is:
//! its items belong to the call.

use crate::{
    call::Call,
    extract::Extract,
    fault::{Fault, FaultKind},
    payload::{Format, OwnedPayload},
    reply::IntoReply,
    schema::Schemas,
};
use futures_core::Stream;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use std::{
    fmt,
    future::poll_fn,
    marker::PhantomData,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context as TaskContext, Poll, ready},
};

/// Items that a caller may send before it has been told of more room, so that a
/// stream begins without a round trip.
pub const WINDOW: u64 = 64;
/// Bytes at which a caller sends no more items before it has been told that some of
/// them were taken. It is told of half as many.
pub const WINDOW_BYTES: usize = 256 << 10;

/// The stream that a caller sends with its call: a handler takes it as one of its
/// extractors, or in the place of its arguments if there are no others.
///
/// It is a `futures::Stream`. Each item is an `Ok`; an `Err` is the last, and says why
/// the stream broke off, or which item is not a `T`. Only so many items wait for a
/// handler; it is as they are taken that the caller sends more. Dropping it tells the
/// caller that no more are wanted.
///
/// ```
/// use trunkline_core::{Fault, Incoming, Router};
///
/// async fn sum(mut numbers: Incoming<i64>) -> Result<i64, Fault> {
///     let mut sum = 0;
///     while let Some(number) = numbers.next().await {
///         sum += number?;
///     }
///     Ok(sum)
/// }
///
/// async fn scaled_sum(numbers: Incoming<i64>, (factor,): (i64,)) -> Result<i64, Fault> {
///     Ok(sum(numbers).await? * factor)
/// }
///
/// let router = Router::new().procedure("sum", sum).procedure("scaled_sum", scaled_sum);
/// ```
///
/// A procedure takes one of them at most, which is checked when it is compiled:
///
/// ```compile_fail
/// # use trunkline_core::{Incoming, Router};
/// let router = Router::new().procedure("zip", async |_: Incoming<i64>, _: Incoming<i64>| 0);
/// ```
#[must_use = "dropping it tells the caller that no more items are wanted"]
pub struct Incoming<T> {
    /// Gone once it has come to its end.
    items: Option<Payloads>,
    /// How many items have come.
    count: u64,
    item: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Incoming<T> {
    /// The next item; `None` once there are no more.
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<T, Fault>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<T: DeserializeOwned> Stream for Incoming<T> {
    type Item = Result<T, Fault>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let Some(items) = &mut self.items else { return Poll::Ready(None) };
        let next = ready!(items.as_mut().poll_next(cx));
        self.count += 1;
        let next = next.map(|item| {
            item.and_then(|item| item.decode().map_err(|error| unfit(self.count, &error.to_string())))
        });
        if !matches!(next, Some(Ok(_))) {
            self.items = None;
        }
        Poll::Ready(next)
    }
}

impl<T: JsonSchema> Extract for Incoming<T> {
    const TAKES_STREAM: bool = true;

    fn extract(call: &Call<'_>) -> Result<Self, Fault> {
        let items = call.feed.and_then(Feed::take).ok_or_else(none_came)?;
        Ok(Self { items: Some(items), count: 0, item: PhantomData })
    }

    fn stream(schemas: &mut Schemas) -> Option<Schema> {
        Some(schemas.of_args::<T>())
    }
}

impl<T> fmt::Debug for Incoming<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, items, .. } = self;
        f.debug_struct("Incoming").field("count", count).field("ended", &items.is_none()).finish()
    }
}

#[cold]
fn unfit(position: u64, why: &str) -> Fault {
    Fault::new(FaultKind::InvalidArgs, "Invalid params")
        .with_data(format!("item {position} of the stream: {why}"))
}

#[cold]
fn none_came() -> Fault {
    Fault::new(FaultKind::InvalidArgs, "Invalid params")
        .with_data("the procedure takes a stream of its caller, and none came with the call")
}

/// Items that are still encoded; a fault is the last.
type Payloads = Pin<Box<dyn Stream<Item = Result<OwnedPayload, Fault>> + Send>>;

/// The stream that a caller sends with its call, on its way to the handler: it can be
/// taken once. Cheap to clone.
#[derive(Clone)]
pub struct Feed(Arc<Mutex<Option<Payloads>>>);

impl Feed {
    /// Of items that are encoded already.
    pub fn encoded(items: impl Stream<Item = Result<OwnedPayload, Fault>> + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::pin(items)))))
    }

    /// Of items that are encoded as they are taken.
    ///
    /// ```
    /// # use trunkline_core::{Context, Fault, Feed, Incoming, Router};
    /// # use futures_util::stream;
    /// # async fn example() -> Result<(), Fault> {
    /// let router = Router::new().procedure("first", async |mut numbers: Incoming<u8>| {
    ///     numbers.next().await.transpose()
    /// });
    /// let feed = Feed::of(stream::iter([7, 8, 9]));
    /// let first = router.call_sending("first", None, feed, &Context::local()).await?;
    /// assert_eq!(first.decode::<u8>().unwrap(), 7);
    /// # Ok(())
    /// # }
    /// ```
    pub fn of<S>(items: S) -> Self
    where
        S: Stream<Item: IntoReply> + Send + 'static,
    {
        Self::encoded(Encoded { items })
    }

    fn take(&self) -> Option<Payloads> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stream of the caller")
    }
}

pin_project_lite::pin_project! {
    /// Encodes items as they are taken.
    struct Encoded<S> {
        #[pin]
        items: S,
    }
}

impl<S: Stream<Item: IntoReply>> Stream for Encoded<S> {
    type Item = Result<OwnedPayload, Fault>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let encode =
            |item: S::Item| OwnedPayload::encode(&item.into_reply()?, Format::Json).map_err(Fault::internal);
        self.project().items.poll_next(cx).map(|item| item.map(encode))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, Next, OwnedCall, Payload, Router};
    use futures_util::{FutureExt, StreamExt, stream};

    fn router() -> Router {
        let sum = async |mut numbers: Incoming<u8>, (start,): (u8,)| -> Result<u8, Fault> {
            let mut sum = start;
            while let Some(number) = numbers.next().await {
                sum += number?;
            }
            Ok(sum)
        };
        let twice = async |numbers: Incoming<u8>| numbers.map(|number| number.map(|it| it * 2));
        Router::new().procedure("sum", sum).procedure("twice", twice)
    }

    fn sum(router: &Router, items: &'static [&str]) -> Result<u8, Fault> {
        let feed = Feed::encoded(stream::iter(items).map(|item| Ok(OwnedPayload::Json((*item).into()))));
        let here = Context::local();
        let called = router.call_sending("sum", Some(Payload::Json("[1]")), feed, &here);
        Ok(called.now_or_never().expect("nothing waits")?.decode().unwrap())
    }

    #[test]
    fn a_stream_is_an_argument() {
        assert_eq!(sum(&router(), &["2", "3"]).unwrap(), 6);
        assert_eq!(sum(&router(), &[]).unwrap(), 1);
    }

    #[test]
    fn a_stream_comes_by_middleware() {
        let router = router().layer(async |call: OwnedCall, next: Next| next.run(call).await).seal();
        assert_eq!(sum(&router, &["2", "3"]).unwrap(), 6);
    }

    #[test]
    fn an_item_that_does_not_fit_is_named_and_the_last() {
        let fault = sum(&router(), &["2", "\"x\"", "4"]).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::InvalidArgs);
        assert!(fault.data::<String>().unwrap().starts_with("item 2 of the stream: "), "{fault:?}");
    }

    #[test]
    fn streams_go_both_ways() {
        let (router, here) = (router(), Context::local());
        let items = stream::iter([Ok(1), Err(Fault::from("enough")), Ok(3)]);
        let opened = router.stream_sending("twice", None, Feed::of(items), &here).now_or_never();
        let given = opened.unwrap().unwrap().collect::<Vec<_>>().now_or_never().unwrap();
        assert_eq!(given[0].as_ref().unwrap().decode::<u8>().unwrap(), 2);
        assert_eq!(given[1].as_ref().unwrap_err().message(), "enough");
        assert_eq!(given.len(), 2);
    }

    #[test]
    fn who_sends_none_is_told() {
        let called = router().call("sum", None, &Context::local()).now_or_never();
        let fault = called.unwrap().unwrap_err();
        assert!(fault.data::<String>().unwrap().contains("none came with the call"), "{fault:?}");
    }
}
