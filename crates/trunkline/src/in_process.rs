//! [`InProcess`]: calls a router of this very program, without a connection.

use crate::{Calls, Context, Fault, FaultKind, OwnedPayload, Router};
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
        let called = self.router.call(procedure, args.as_ref().map(OwnedPayload::borrow), &self.context);
        let reply = match timeout {
            Some(timeout) => tokio::time::timeout(timeout, called).await.map_err(|_| too_late())??,
            None => called.await?,
        };
        decode_reply(&reply)
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
        let opened = self.router.stream(procedure, args.as_ref().map(OwnedPayload::borrow), &self.context);
        let items = match timeout {
            Some(timeout) => tokio::time::timeout(timeout, opened).await.map_err(|_| too_late())??,
            None => opened.await?,
        };
        Ok(Decoded::new(items))
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
