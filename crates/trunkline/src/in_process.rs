//! [`InProcess`]: calls a router of this very program, without a connection.

use crate::{Calls, Context, Fault, FaultKind, Feed, Format, IntoReply, OwnedPayload, Payload, Router};
use futures_core::Stream;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
    time::Duration,
};
use trunkline_core::router::Items;
use trunkline_net::batch::not_encodable;

/// Calls a router of this very program, without a connection. Cheap to clone.
///
/// Procedures run on the task that calls, with all that is around them: guards,
/// middleware, states. Those that are internal can be called too; those that take
/// a [`Peer`](crate::Peer) fail, since nobody can be called back.
///
/// ```
/// use trunkline::{Calls, Fault, InProcess, Router};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Fault> {
/// let here = InProcess::new(Router::new().procedure("shout", async |text: String| text.to_uppercase()));
/// assert_eq!(here.call::<String>("shout", ("hello",), None).await?, "HELLO");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct InProcess {
    router: Arc<Router>,
    context: Context,
}

impl InProcess {
    /// Calls the procedures of `router`, [sealed](Router::seal) for it.
    ///
    /// # Panics
    ///
    /// Panics if a handler takes a [`State`](crate::State) that there is none of.
    #[must_use]
    pub fn new(router: Router) -> Self {
        Self { router: Arc::new(router.seal()), context: Context::local() }
    }

    /// Calls in the name of another, in place of this program: of the caller of a
    /// handler, for one.
    #[must_use]
    pub fn context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }
}

/// Arguments as a dialect would hear them: `()` stands for none.
fn encode(args: &impl Serialize) -> Result<Option<OwnedPayload>, Fault> {
    let args = OwnedPayload::encode(args, Format::Json).map_err(not_encodable)?;
    Ok(Some(args).filter(|args| args.borrow() != Payload::Json("null")))
}

impl Calls for InProcess {
    type Stream<T: DeserializeOwned + Send + 'static> = Decoded<T>;

    /// Without a `timeout`, a call may take as long as it likes.
    async fn call<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
        timeout: Option<Duration>,
    ) -> Result<T, Fault> {
        let args = encode(&args)?;
        let args = args.as_ref().map(OwnedPayload::borrow);
        in_time(timeout, self.router.call(procedure, args, &self.context)).await
    }

    /// Runs the procedure to its end; how that was is known to the procedure alone.
    async fn notify(&self, procedure: &str, args: impl Serialize + Send + Sync) -> Result<(), Fault> {
        let args = encode(&args)?;
        // nobody hears how a notification ends
        let _ = self.router.call(procedure, args.as_ref().map(OwnedPayload::borrow), &self.context).await;
        Ok(())
    }

    async fn stream<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
    ) -> Result<Decoded<T>, Fault> {
        let args = encode(&args)?;
        let items =
            self.router.stream(procedure, args.as_ref().map(OwnedPayload::borrow), &self.context).await?;
        Ok(Decoded { items, item: PhantomData })
    }

    /// The procedure is what asks the stream for items. A `timeout` is for the whole call.
    async fn call_sending<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
        items: impl Stream<Item: IntoReply> + Send + 'static,
        timeout: Option<Duration>,
    ) -> Result<T, Fault> {
        let args = encode(&args)?;
        let args = args.as_ref().map(OwnedPayload::borrow);
        in_time(timeout, self.router.call_sending(procedure, args, Feed::of(items), &self.context)).await
    }

    async fn stream_sending<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
        items: impl Stream<Item: IntoReply> + Send + 'static,
    ) -> Result<Decoded<T>, Fault> {
        let args = encode(&args)?;
        let args = args.as_ref().map(OwnedPayload::borrow);
        let items = self.router.stream_sending(procedure, args, Feed::of(items), &self.context).await?;
        Ok(Decoded { items, item: PhantomData })
    }
}

/// A stream of a procedure in this process. Dropping it ends the stream.
#[must_use = "dropping it ends the stream"]
pub struct Decoded<T> {
    items: Items,
    item: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Stream for Decoded<T> {
    type Item = Result<T, Fault>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.items).poll_next(cx).map(|item| Some(item?.and_then(|item| decode(&item))))
    }
}

/// The result of a call, if it comes in time.
async fn in_time<T: DeserializeOwned>(
    timeout: Option<Duration>,
    called: impl Future<Output = Result<OwnedPayload, Fault>>,
) -> Result<T, Fault> {
    let reply = match timeout {
        Some(timeout) => tokio::time::timeout(timeout, called).await.map_err(|_| too_late())??,
        None => called.await?,
    };
    decode(&reply)
}

fn decode<T: DeserializeOwned>(reply: &OwnedPayload) -> Result<T, Fault> {
    reply.decode().map_err(|error| {
        Fault::new(FaultKind::InvalidReply, format!("the reply is not of the expected type: {error}"))
    })
}

fn too_late() -> Fault {
    Fault::new(FaultKind::DeadlineExceeded, "the deadline of the call has passed")
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").field("router", &self.router).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Decoded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoded").field("items", &self.items).finish()
    }
}
