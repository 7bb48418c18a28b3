//! [`InProcess`]: calls a router of this very program, without a connection.

use crate::{Calls, Context, Fault, FaultKind, Feed, IntoReply, OwnedPayload, Router};
use futures_core::Stream;
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt, sync::Arc, time::Duration};
pub use trunkline_net::Decoded;
use trunkline_net::{caller::encode, decoded::decode_reply};

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
        trunkline_net::clock::lead();
        Self { router: router.seal().shared(), context: Context::local() }
    }

    /// Calls in the name of another, in place of this program: of the caller of a
    /// handler, for one.
    #[must_use]
    pub fn context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }
}

impl Calls for InProcess {
    type Stream<T: DeserializeOwned + Send + 'static> = Decoded<T>;

    /// Without a `timeout`, a call may take as long as it likes; one takes a runtime of
    /// tokio with its clock enabled.
    async fn call<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
        timeout: Option<Duration>,
    ) -> Result<T, Fault> {
        let args = encode(&args)?;
        let args = args.as_ref().map(OwnedPayload::borrow);
        decode_reply(&in_time(timeout, self.router.call(procedure, args, &self.context)).await?)
    }

    /// Waits until the procedure has run to its end, unlike a notification over a
    /// connection; how that was is known to the procedure alone.
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
        timeout: Option<Duration>,
    ) -> Result<Decoded<T>, Fault> {
        let args = encode(&args)?;
        let args = args.as_ref().map(OwnedPayload::borrow);
        let opened = self.router.stream(procedure, args, &self.context);
        Ok(Decoded::new(in_time(timeout, opened).await?))
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
        let called = self.router.call_sending(procedure, args, Feed::of(items), &self.context);
        decode_reply(&in_time(timeout, called).await?)
    }

    async fn stream_sending<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
        items: impl Stream<Item: IntoReply> + Send + 'static,
        timeout: Option<Duration>,
    ) -> Result<Decoded<T>, Fault> {
        let args = encode(&args)?;
        let args = args.as_ref().map(OwnedPayload::borrow);
        let opened = self.router.stream_sending(procedure, args, Feed::of(items), &self.context);
        Ok(Decoded::new(in_time(timeout, opened).await?))
    }
}

/// What comes of a call, if it comes in time.
async fn in_time<T>(
    timeout: Option<Duration>,
    called: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    match timeout {
        Some(timeout) => tokio::time::timeout(timeout, called).await.unwrap_or_else(|_| Err(too_late())),
        None => called.await,
    }
}

fn too_late() -> Fault {
    Fault::new(FaultKind::DeadlineExceeded, "the deadline of the call has passed")
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").field("router", &self.router).finish_non_exhaustive()
    }
}
