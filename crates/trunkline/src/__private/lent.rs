//! [`Lent`]: a stream that borrows from what is kept beside it.
//!
//! The stream that a method returns may borrow from the service. So a future
//! owns the service and drives the stream, and hands over one item at a time.

use crate::Fault;
use futures_core::Stream;
use std::{
    fmt,
    future::poll_fn,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

/// A stream that borrows from what is kept beside it.
pub struct Lent<I> {
    /// Gone once it has come to its end.
    driving: Option<Driving>,
    hand: Hand<I>,
}

type Driving = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

/// Hands over the items of a stream.
pub struct Lender<I>(Hand<I>);

/// What is handed over.
struct Hand<I>(Arc<Mutex<Holds<I>>>);

enum Holds<I> {
    /// The stream is not open yet.
    Unopened,
    Nothing,
    Item(I),
}

impl<I> Hand<I> {
    /// Nothing that runs under this lock can panic.
    fn holds(&self) -> MutexGuard<'_, Holds<I>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<I> {
        let mut holds = self.holds();
        match std::mem::replace(&mut *holds, Holds::Nothing) {
            Holds::Item(item) => Some(item),
            before => {
                *holds = before;
                None
            }
        }
    }
}

impl<I: Send + 'static> Lent<I> {
    /// Opens the stream that `drive` lends.
    ///
    /// # Errors
    ///
    /// Fails as the future of `drive` does before it lends anything.
    pub async fn open<F>(drive: impl FnOnce(Lender<I>) -> F) -> Result<Self, Fault>
    where
        F: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        let hand = Hand(Arc::new(Mutex::new(Holds::Unopened)));
        let mut driving: Driving = Box::pin(drive(Lender(Hand(hand.0.clone()))));
        let ended = poll_fn(|cx| match driving.as_mut().poll(cx) {
            Poll::Pending if matches!(*hand.holds(), Holds::Unopened) => Poll::Pending,
            polled => Poll::Ready(polled),
        });
        let driving = match ended.await {
            Poll::Ready(done) => done.map(|()| None)?,
            Poll::Pending => Some(driving),
        };
        Ok(Self { driving, hand })
    }
}

impl<I> Lender<I> {
    /// Hands over what `stream` gives, item by item.
    ///
    /// # Errors
    ///
    /// Does not fail; a future that may fail before ends with this.
    pub async fn lend<S: Stream>(self, stream: S, reply: impl Fn(S::Item) -> I) -> Result<(), Fault> {
        let mut stream = pin!(stream);
        // open, before anything is asked for
        *self.0.holds() = Holds::Nothing;
        let mut asked = false;
        poll_fn(|cx| {
            if !std::mem::replace(&mut asked, true) {
                return Poll::Pending;
            }
            match stream.as_mut().poll_next(cx) {
                Poll::Ready(Some(item)) => {
                    *self.0.holds() = Holds::Item(reply(item));
                    Poll::Pending
                }
                Poll::Ready(None) => Poll::Ready(()),
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
        Ok(())
    }
}

impl<I> Stream for Lent<I> {
    type Item = I;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<I>> {
        let this = self.get_mut();
        let Some(driving) = &mut this.driving else { return Poll::Ready(None) };
        let ended = driving.as_mut().poll(cx).is_ready();
        if let Some(item) = this.hand.take() {
            return Poll::Ready(Some(item));
        }
        if ended {
            this.driving = None;
            return Poll::Ready(None);
        }
        Poll::Pending
    }
}

impl<I> Unpin for Lent<I> {}

impl<I> fmt::Debug for Lent<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lent").field("ended", &self.driving.is_none()).finish()
    }
}

impl<I> fmt::Debug for Lender<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a lender")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{StreamExt, stream};

    #[tokio::test]
    async fn items_come_as_the_stream_gives_them() {
        let kept = [1, 2, 3];
        let lent = Lent::open(move |lender| async move {
            let numbers = stream::iter(kept.iter()).then(async |number| {
                tokio::task::yield_now().await;
                number * 2
            });
            lender.lend(numbers, |number| number).await
        });
        assert_eq!(lent.await.unwrap().collect::<Vec<_>>().await, [2, 4, 6]);
    }

    #[tokio::test]
    async fn what_does_not_open_fails() {
        let lent = Lent::<u8>::open(|_| async { Err("closed".into()) }).await;
        assert_eq!(lent.unwrap_err().message(), "closed");
    }

    #[tokio::test]
    async fn nothing_is_asked_for_before_it_is_wanted() {
        let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let open = Lent::open(|lender| async move {
            let numbers =
                stream::iter(0..).inspect(|number: &u8| told.send(*number).expect("the test hears"));
            lender.lend(numbers, |number| number).await
        });
        let mut lent = open.await.unwrap();
        assert!(heard.try_recv().is_err());
        assert_eq!(lent.next().await, Some(0));
        assert_eq!((heard.try_recv().ok(), heard.try_recv().ok()), (Some(0), None));
        drop(lent);
        assert_eq!(heard.recv().await, None, "the stream is dropped with what lent it");
    }
}
