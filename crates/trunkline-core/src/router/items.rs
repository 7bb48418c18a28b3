//! [`Items`]: what a procedure streams, taken without a connection.

use super::{Gives, Router, own_deadline};
use crate::{
    context::Context,
    fault::Fault,
    feed::Feed,
    payload::{Format, OwnedPayload, Payload},
    procedure::{Contained, caught, encoded},
    reply::Reply,
};
use futures_core::Stream;
use std::{
    fmt,
    pin::Pin,
    task::{Context as TaskContext, Poll, ready},
};

/// What a procedure streams, still encoded. Dropping it ends the stream.
#[must_use = "dropping it ends the stream"]
pub struct Items {
    running: Contained,
}

impl Router {
    /// Opens the stream of a procedure from within this program, without a
    /// connection; what [`call`](Self::call) is for one value. An item is made
    /// when it is asked for.
    ///
    /// ```
    /// # use trunkline_core::{Context, Fault, Payload, Router};
    /// # use futures_util::{StreamExt, stream};
    /// # async fn example() -> Result<(), Fault> {
    /// let router = Router::new().procedure("up", async |to: u8| stream::iter(0..to));
    /// let mut up = router.stream("up", Some(Payload::Json("[2]")), &Context::local()).await?;
    /// while let Some(number) = up.next().await {
    ///     println!("{:?}", number?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails with the fault a caller would see, and with
    /// [`InvalidReply`](crate::FaultKind::InvalidReply) if the procedure gives no stream.
    pub async fn stream(
        &self,
        name: &str,
        args: Option<Payload<'_>>,
        context: &Context,
    ) -> Result<Items, Fault> {
        self.stream_with(name, args, None, context).await
    }

    /// The same with a stream that the caller sends, for procedures that
    /// [take one](crate::Incoming): it is asked for an item when the handler wants one.
    ///
    /// # Errors
    ///
    /// Fails as [`stream`](Self::stream) does.
    pub async fn stream_sending(
        &self,
        name: &str,
        args: Option<Payload<'_>>,
        feed: Feed,
        context: &Context,
    ) -> Result<Items, Fault> {
        self.stream_with(name, args, Some(&feed), context).await
    }

    async fn stream_with(
        &self,
        name: &str,
        args: Option<Payload<'_>>,
        feed: Option<&Feed>,
        context: &Context,
    ) -> Result<Items, Fault> {
        let route = self.find_within(name)?;
        let opened = route.start_within(name, args, feed, context, Gives::Stream, own_deadline)?;
        opened.items().await
    }
}

impl Items {
    /// Those of a call that has come to a stream, which is open.
    pub(super) fn of(running: Contained) -> Self {
        Self { running }
    }
}

impl Stream for Items {
    type Item = Result<OwnedPayload, Fault>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let mut buffer = Vec::new();
        let Some(running) = self.running.under_way() else { return Poll::Ready(None) };
        let mut reply = Reply::new(&mut buffer, Format::Json, usize::MAX);
        let next =
            caught(|| running.as_mut().poll_next(cx, &mut reply), |fault| Poll::Ready(Some(Err(fault))));
        let item = ready!(next).map(|written| written.and_then(|()| encoded(buffer)));
        if !matches!(item, Some(Ok(_))) {
            self.running.end();
        }
        Poll::Ready(item)
    }
}

impl fmt::Debug for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::FaultKind;
    use futures_util::{FutureExt, StreamExt, stream};

    fn up() -> Router {
        let up = async |to: u8| match to {
            0 => Err(Fault::from("up to where?")),
            _ => Ok(stream::iter(0..to).map(|number| if number < 3 { Ok(number) } else { Err("too far") })),
        };
        Router::new().procedure("up", up).procedure("one", async || 1)
    }

    fn items(name: &str, args: &str) -> Result<Vec<String>, Fault> {
        let (router, here) = (up(), Context::local());
        let opened = router.stream(name, Some(Payload::Json(args)), &here);
        let items = opened.now_or_never().expect("nothing waits")?;
        let spelled = |item: Result<OwnedPayload, Fault>| match item {
            Ok(OwnedPayload::Json(text)) => text.into(),
            Err(fault) => fault.to_string(),
        };
        Ok(items.map(spelled).collect().now_or_never().expect("nothing waits"))
    }

    #[test]
    fn a_stream_is_taken_without_a_connection() {
        assert_eq!(items("up", "[2]").unwrap(), ["0", "1"]);
        assert_eq!(items("up", "[9]").unwrap(), ["0", "1", "2", "too far"]);
        assert_eq!(items("up", "[0]").unwrap_err().message(), "up to where?");
    }

    #[test]
    fn what_is_no_stream_says_so() {
        assert_eq!(items("one", "[]").unwrap_err().kind(), FaultKind::InvalidReply);
        assert_eq!(items("two", "[]").unwrap_err().kind(), FaultKind::NotFound);
        let (router, here) = (up(), Context::local());
        let refused = router.call("up", Some(Payload::Json("[1]")), &here).now_or_never();
        let fault = refused.unwrap().unwrap_err();
        assert_eq!(fault.kind(), FaultKind::InvalidReply);
        assert_eq!(fault.message(), "`up` gives a stream: open it with `stream`");
    }

    #[test]
    fn a_panic_stays_with_whom_it_befell() {
        #[derive(schemars::JsonSchema)]
        struct Fuse;
        impl<'de> serde::Deserialize<'de> for Fuse {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let [_]: [u8; 1] = serde::Deserialize::deserialize(from)?;
                panic!("lit at once")
            }
        }
        let router = Router::new()
            .procedure("value", async |at: u8| if at == 0 { panic!("value at {at}") } else { at })
            .procedure("opening", async |at: u8| match at {
                0 => panic!("opening at {at}"),
                _ => stream::iter([1]),
            })
            .procedure("item", async |to: u8| {
                stream::iter(0..).map(move |at: u8| if at == to { panic!("item at {at}") } else { at })
            })
            .procedure("fuse", async |Fuse: Fuse| 1)
            .procedure("fuses", async |Fuse: Fuse| stream::iter([1]));
        let (args, here) = (Some(Payload::Json("[0]")), Context::local());
        let source = |fault: Fault| {
            assert_eq!((fault.kind(), fault.message()), (FaultKind::Internal, "Internal error"));
            std::error::Error::source(&fault).unwrap().to_string()
        };
        let called = |name| source(router.call(name, args, &here).now_or_never().unwrap().unwrap_err());
        assert_eq!(called("value"), "the handler panicked: value at 0");
        assert_eq!(called("fuse"), "the handler panicked: lit at once");
        let opened = |name, args| router.stream(name, args, &here).now_or_never().unwrap();
        assert_eq!(source(opened("opening", args).unwrap_err()), "the handler panicked: opening at 0");
        assert_eq!(source(opened("fuses", args).unwrap_err()), "the handler panicked: lit at once");
        let mut items = opened("item", Some(Payload::Json("[1]"))).unwrap();
        assert!(items.next().now_or_never().unwrap().unwrap().is_ok());
        let broken = items.next().now_or_never().unwrap().unwrap().unwrap_err();
        assert_eq!(source(broken), "the handler panicked: item at 1");
        assert!(items.next().now_or_never().unwrap().is_none());
    }
}
