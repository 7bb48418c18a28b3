//! [`Calls`]: anything that can call, for typed clients to be generic over.

use crate::{Caller, Client, Fault, IntoReply, Peer, Subscription, in_process::Decoded};
use futures_core::Stream;
use serde::{Serialize, de::DeserializeOwned};
use std::{sync::Arc, time::Duration};

/// Anything that can call: a [`Client`], the [`Peer`] at the other end of a
/// connection, a router [in this process](crate::InProcess), or the one that a
/// handler is [in](Caller).
///
/// The typed client that `#[trunkline::service]` makes takes any of them.
///
/// ```
/// use trunkline::{Calls, Fault, InProcess, Router};
///
/// async fn three(calls: &impl Calls) -> Result<i64, Fault> {
///     calls.call("add", (1, 2), None).await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Fault> {
/// let router = Router::new().procedure("add", |(a, b): (i64, i64)| async move { a + b });
/// assert_eq!(three(&InProcess::new(router)).await?, 3);
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot call",
    label = "cannot call",
    note = "a typed client is made from a `Client`, a `Peer`, a `Caller`, an `InProcess`, or a reference to one"
)]
pub trait Calls: Send + Sync {
    /// What a stream is to who takes it.
    type Stream<T: DeserializeOwned + Send + 'static>: Stream<Item = Result<T, Fault>>
        + Send
        + Unpin
        + 'static;

    /// Calls a procedure; `timeout` is how long that may take, in place of what
    /// the caller is set to.
    ///
    /// # Errors
    ///
    /// Fails with the fault that the procedure answers, or with what keeps it
    /// from answering.
    fn call<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
        timeout: Option<Duration>,
    ) -> impl Future<Output = Result<T, Fault>> + Send;

    /// Tells something that needs no answer.
    ///
    /// # Errors
    ///
    /// Fails if it is not on its way out.
    fn notify(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Opens the stream of a procedure; `timeout` is how long it may take to open, in
    /// place of what the caller is set to.
    ///
    /// # Errors
    ///
    /// Fails as [`call`](Self::call) does, and if the procedure gives no stream.
    fn stream<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
        timeout: Option<Duration>,
    ) -> impl Future<Output = Result<Self::Stream<T>, Fault>> + Send;

    /// Calls a procedure with a stream, which it [takes](crate::Incoming).
    ///
    /// # Errors
    ///
    /// Fails as [`call`](Self::call) does, and where there is no way to send one, which
    /// is so unless this says otherwise.
    fn call_sending<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        _args: impl Serialize + Send + Sync,
        _items: impl Stream<Item: IntoReply> + Send + 'static,
        _timeout: Option<Duration>,
    ) -> impl Future<Output = Result<T, Fault>> + Send {
        std::future::ready(Err(no_way(procedure)))
    }

    /// Opens the stream of a procedure with another one, which it takes; `timeout` is for
    /// that as for [`stream`](Self::stream).
    ///
    /// # Errors
    ///
    /// Fails as [`stream`](Self::stream) does, and where there is no way to send one,
    /// which is so unless this says otherwise.
    fn stream_sending<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        _args: impl Serialize + Send + Sync,
        _items: impl Stream<Item: IntoReply> + Send + 'static,
        _timeout: Option<Duration>,
    ) -> impl Future<Output = Result<Self::Stream<T>, Fault>> + Send {
        std::future::ready(Err(no_way(procedure)))
    }
}

#[cold]
fn no_way(procedure: &str) -> Fault {
    Fault::from(format!("`{procedure}` takes a stream, and there is no way to send one by this"))
}

impl Calls for Client {
    type Stream<T: DeserializeOwned + Send + 'static> = Subscription<T>;

    async fn call<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
        timeout: Option<Duration>,
    ) -> Result<T, Fault> {
        Self::call(self, procedure, args).timeout(timeout).await
    }

    async fn notify(&self, procedure: &str, args: impl Serialize + Send + Sync) -> Result<(), Fault> {
        Self::notify(self, procedure, args).await
    }

    async fn stream<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
        timeout: Option<Duration>,
    ) -> Result<Subscription<T>, Fault> {
        Self::stream(self, procedure, args).timeout(timeout).await
    }

    async fn call_sending<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
        items: impl Stream<Item: IntoReply> + Send + 'static,
        timeout: Option<Duration>,
    ) -> Result<T, Fault> {
        Self::call(self, procedure, args).timeout(timeout).sending(items).await
    }

    async fn stream_sending<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
        items: impl Stream<Item: IntoReply> + Send + 'static,
        timeout: Option<Duration>,
    ) -> Result<Subscription<T>, Fault> {
        Self::stream(self, procedure, args).timeout(timeout).sending(items).await
    }
}

impl Calls for Peer {
    type Stream<T: DeserializeOwned + Send + 'static> = Subscription<T>;

    async fn call<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
        timeout: Option<Duration>,
    ) -> Result<T, Fault> {
        Self::call(self, procedure, args).timeout(timeout).await
    }

    async fn notify(&self, procedure: &str, args: impl Serialize + Send + Sync) -> Result<(), Fault> {
        Self::notify(self, procedure, args)
    }

    async fn stream<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
        timeout: Option<Duration>,
    ) -> Result<Subscription<T>, Fault> {
        self.stream_within(procedure, args, timeout).await
    }

    async fn call_sending<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
        items: impl Stream<Item: IntoReply> + Send + 'static,
        timeout: Option<Duration>,
    ) -> Result<T, Fault> {
        Self::call(self, procedure, args).timeout(timeout).sending(items).await
    }

    async fn stream_sending<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
        items: impl Stream<Item: IntoReply> + Send + 'static,
        timeout: Option<Duration>,
    ) -> Result<Subscription<T>, Fault> {
        Self::stream_sending(self, procedure, args, items, timeout).await
    }
}

impl Calls for Caller {
    type Stream<T: DeserializeOwned + Send + 'static> = Decoded<T>;

    async fn call<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
        timeout: Option<Duration>,
    ) -> Result<T, Fault> {
        self.clone().within(timeout).call(procedure, args).await
    }

    /// Runs the procedure to its end; how that was is known to the procedure alone.
    async fn notify(&self, procedure: &str, args: impl Serialize + Send + Sync) -> Result<(), Fault> {
        // nobody hears how a notification ends
        let _ = Self::call::<serde::de::IgnoredAny>(self, procedure, args).await;
        Ok(())
    }

    async fn stream<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
        timeout: Option<Duration>,
    ) -> Result<Decoded<T>, Fault> {
        self.clone().within(timeout).stream(procedure, args).await
    }

    async fn call_sending<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
        items: impl Stream<Item: IntoReply> + Send + 'static,
        timeout: Option<Duration>,
    ) -> Result<T, Fault> {
        self.clone().within(timeout).call_sending(procedure, args, items).await
    }

    async fn stream_sending<T: DeserializeOwned + Send + 'static>(
        &self,
        procedure: &str,
        args: impl Serialize + Send + Sync,
        items: impl Stream<Item: IntoReply> + Send + 'static,
        timeout: Option<Duration>,
    ) -> Result<Decoded<T>, Fault> {
        self.clone().within(timeout).stream_sending(procedure, args, items).await
    }
}

/// What points to something that can call can call.
macro_rules! pointers {
    ($($pointer:ty),*) => {
        $(
            impl<C: Calls> Calls for $pointer {
                type Stream<T: DeserializeOwned + Send + 'static> = C::Stream<T>;

                fn call<T: DeserializeOwned + Send + 'static>(
                    &self,
                    procedure: &str,
                    args: impl Serialize + Send + Sync,
                    timeout: Option<Duration>,
                ) -> impl Future<Output = Result<T, Fault>> + Send {
                    C::call(self, procedure, args, timeout)
                }

                fn notify(
                    &self,
                    procedure: &str,
                    args: impl Serialize + Send + Sync,
                ) -> impl Future<Output = Result<(), Fault>> + Send {
                    C::notify(self, procedure, args)
                }

                fn stream<T: DeserializeOwned + Send + 'static>(
                    &self,
                    procedure: &str,
                    args: impl Serialize + Send + Sync,
                    timeout: Option<Duration>,
                ) -> impl Future<Output = Result<Self::Stream<T>, Fault>> + Send {
                    C::stream(self, procedure, args, timeout)
                }

                fn call_sending<T: DeserializeOwned + Send + 'static>(
                    &self,
                    procedure: &str,
                    args: impl Serialize + Send + Sync,
                    items: impl Stream<Item: IntoReply> + Send + 'static,
                    timeout: Option<Duration>,
                ) -> impl Future<Output = Result<T, Fault>> + Send {
                    C::call_sending(self, procedure, args, items, timeout)
                }

                fn stream_sending<T: DeserializeOwned + Send + 'static>(
                    &self,
                    procedure: &str,
                    args: impl Serialize + Send + Sync,
                    items: impl Stream<Item: IntoReply> + Send + 'static,
                    timeout: Option<Duration>,
                ) -> impl Future<Output = Result<Self::Stream<T>, Fault>> + Send {
                    C::stream_sending(self, procedure, args, items, timeout)
                }
            }
        )*
    };
}

pointers!(&C, Arc<C>, Box<C>);
