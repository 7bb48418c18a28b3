//! [`Handler`]: the async functions that can be served as procedures.

use crate::{
    call::Call,
    context::States,
    extract::{Extract, FromCall, no_args},
    fault::Fault,
    procedure::{BoxRunning, Procedure, Running},
    reply::{IntoReply, Reply},
};
use std::{
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
    time::Duration,
};

/// An async function that can be served as a procedure.
///
/// It takes up to eight [extractors](Extract) and then its arguments as one
/// type; it returns [what can be a reply](IntoReply). `M` tells the shapes apart
/// and is always inferred.
///
/// ```
/// # use trunkline_core::{Context, Fault, Router};
/// #[derive(serde::Deserialize)]
/// struct Join { room: String, guest: String }
///
/// async fn join(context: Context, ask: Join) -> Result<String, Fault> {
///     Ok(format!("{} is in {}", ask.guest, ask.room))
/// }
///
/// let router = Router::new()
///     .procedure("rooms.join", join)
///     .procedure("add", |(a, b): (i64, i64)| async move { a + b });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be served as a procedure",
    label = "not a handler",
    note = "a handler is an async function: extractors first, its arguments last as one type,",
    note = "for example `async fn(Peer, Join) -> Result<String, Fault>`;",
    note = "arguments are `serde::de::DeserializeOwned`, and the future is `Send`"
)]
pub trait Handler<M>: Sized {
    /// Erases the handler's types.
    fn into_registration(self) -> Registration;
}

/// A handler that has become a procedure, with how it is to be run.
///
/// Made by [`handler`], for what a plain function cannot say.
#[derive(Clone, Debug)]
pub struct Registration {
    pub(crate) procedure: Arc<dyn Procedure>,
    pub(crate) run: Run,
    pub(crate) timeout: Option<Duration>,
}

/// Where the calls of a procedure run.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Run {
    /// On the task of the connection: fastest, right for what mostly waits.
    #[default]
    Inline,
    /// On a task of their own, for what computes for more than some microseconds.
    Parallel,
    /// On the pool of blocking threads, for what blocks its thread.
    Blocking,
}

/// Takes a handler, to say more of it.
///
/// ```
/// # use trunkline_core::{Router, handler::handler};
/// # use std::time::Duration;
/// let router = Router::new().procedure(
///     "primes",
///     handler(async |below: u32| (2..below).filter(|n| (2..*n).all(|d| n % d != 0)).count())
///         .parallel()
///         .timeout(Duration::from_secs(5)),
/// );
/// ```
pub fn handler<M>(handler: impl Handler<M>) -> Registration {
    handler.into_registration()
}

impl Registration {
    /// Serves a [`Procedure`] that is not a function.
    #[must_use]
    pub fn of(procedure: impl Procedure + 'static) -> Self {
        Self { procedure: Arc::new(procedure), run: Run::Inline, timeout: None }
    }

    /// Runs each call on a task of its own, so that it cannot hold up the others
    /// of its connection.
    #[must_use]
    pub fn parallel(mut self) -> Self {
        self.run = Run::Parallel;
        self
    }

    /// Runs each call on the pool of blocking threads. A call that is cancelled
    /// there runs on; only its answer is dropped.
    #[must_use]
    pub fn blocking(mut self) -> Self {
        self.run = Run::Blocking;
        self
    }

    /// How long a call may run, in place of the listener's `call_timeout`.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

/// Marks what is a [`Registration`] already.
#[derive(Debug)]
pub struct Registered;

impl Handler<Registered> for Registration {
    fn into_registration(self) -> Registration {
        self
    }
}

struct Erased<F, M> {
    handler: F,
    shape: PhantomData<fn() -> M>,
}

pin_project_lite::pin_project! {
    struct HandlerCall<F> {
        #[pin]
        future: F,
    }
}

impl<F> Running for HandlerCall<F>
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

impl<F, Fut> Procedure for Erased<F, ()>
where
    F: Fn() -> Fut + Send + Sync,
    Fut: Future<Output: IntoReply> + Send + 'static,
{
    fn start(&self, call: &Call<'_>) -> Result<BoxRunning, Fault> {
        no_args(call)?;
        Ok(Box::pin(HandlerCall { future: (self.handler)() }))
    }
}

impl<F, Fut> Handler<()> for F
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoReply> + Send + 'static,
{
    fn into_registration(self) -> Registration {
        Registration::of(Erased { handler: self, shape: PhantomData::<fn() -> ()> })
    }
}

macro_rules! handler {
    ($($extract:ident)*) => {
        #[allow(non_snake_case, reason = "the names of the types name the values too")]
        impl<F, Fut, M, $($extract,)* Args> Procedure for Erased<F, (M, fn($($extract,)* Args))>
        where
            F: Fn($($extract,)* Args) -> Fut + Send + Sync,
            Fut: Future<Output: IntoReply> + Send + 'static,
            $($extract: Extract,)*
            Args: FromCall<M>,
        {
            #[inline]
            fn start(&self, call: &Call<'_>) -> Result<BoxRunning, Fault> {
                $(let $extract = $extract::extract(call)?;)*
                let args = Args::from_call(call)?;
                Ok(Box::pin(HandlerCall { future: (self.handler)($($extract,)* args) }))
            }

            fn check(&self, states: &States) -> Result<(), String> {
                $($extract::check(states)?;)*
                Args::check(states)
            }
        }

        impl<F, Fut, M, $($extract,)* Args> Handler<(M, fn($($extract,)* Args))> for F
        where
            F: Fn($($extract,)* Args) -> Fut + Send + Sync + 'static,
            Fut: Future<Output: IntoReply> + Send + 'static,
            $($extract: Extract + 'static,)*
            Args: FromCall<M> + 'static,
            M: 'static,
        {
            fn into_registration(self) -> Registration {
                Registration::of(Erased { handler: self, shape: PhantomData::<fn() -> (M, fn($($extract,)* Args))> })
            }
        }
    };
}

handler!();
handler!(A);
handler!(A B);
handler!(A B C);
handler!(A B C D);
handler!(A B C D E);
handler!(A B C D E G);
handler!(A B C D E G H);
handler!(A B C D E G H I);
