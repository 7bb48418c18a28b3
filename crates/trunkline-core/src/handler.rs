//! [`Handler`]: the async functions that can be served as procedures.

use crate::{
    args::{Asked, Step},
    call::Call,
    check::Check,
    extract::{Extract, FromCall, no_args},
    fault::Fault,
    outcome::Outcome,
    procedure::{BoxRunning, Procedure},
    registration::Registration,
    schema::Schemas,
    signature::Signature,
    states::States,
};
use std::marker::PhantomData;

/// An async function that can be served as a procedure.
///
/// It takes up to eight [extractors](Extract), one of which may be a
/// [stream](crate::Incoming) that the caller sends, and then its arguments as one type; it returns [what can be a reply](crate::IntoReply), or a stream of that. `M` tells the shapes apart
/// and is always inferred.
///
/// ```
/// # use trunkline_core::{Context, Fault, Router};
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
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
    note = "arguments are `serde::Deserialize`, results `serde::Serialize`, and both `schemars::JsonSchema`,",
    note = "all of which can be derived, or they are wrapped in `Open`; and the future is `Send`"
)]
pub trait Handler<M>: Sized {
    /// Erases the handler's types.
    fn into_registration(self) -> Registration;
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

struct Erased<F, M> {
    handler: F,
    shape: PhantomData<fn() -> M>,
}

impl<F, Fut, R> Procedure for Erased<F, (R,)>
where
    F: Fn() -> Fut + Send + Sync,
    Fut: Future<Output: Outcome<R>> + Send + 'static,
{
    fn start(&self, call: &Call<'_>) -> Result<BoxRunning, Fault> {
        no_args(call)?;
        Ok(Box::pin(Fut::Output::running((self.handler)())))
    }

    fn signature(&self, schemas: &mut Schemas) -> Signature {
        Signature::new(false.into(), Fut::Output::schema(schemas))
    }

    fn streams(&self) -> bool {
        Fut::Output::STREAMS
    }
}

impl<F, Fut, R> Handler<(R,)> for F
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output: Outcome<R>> + Send + 'static,
    R: 'static,
{
    fn into_registration(self) -> Registration {
        Registration::of(Erased { handler: self, shape: PhantomData::<fn() -> (R,)> })
    }
}

macro_rules! handler {
    ($($extract:ident)*) => {
        #[allow(non_snake_case, reason = "the names of the types name the values too")]
        impl<F, Fut, M, R, $($extract,)* Args> Procedure for Erased<F, (M, R, fn($($extract,)* Args))>
        where
            F: Fn($($extract,)* Args) -> Fut + Send + Sync,
            Fut: Future<Output: Outcome<R>> + Send + 'static,
            $($extract: Extract,)*
            Args: FromCall<M>,
        {
            #[inline]
            fn start(&self, call: &Call<'_>) -> Result<BoxRunning, Fault> {
                $(let $extract = $extract::extract(call)?;)*
                let args = Args::from_call(call)?;
                Ok(Box::pin(Fut::Output::running((self.handler)($($extract,)* args))))
            }

            fn start_checked(&self, call: &Call<'_>, check: &Check) -> Result<BoxRunning, Fault> {
                $(let $extract = $extract::extract(call)?;)*
                let args = Args::from_checked(call, check)?;
                Ok(Box::pin(Fut::Output::running((self.handler)($($extract,)* args))))
            }

            fn asked(&self, path: &[Step<'_>]) -> (Asked, bool) {
                Args::asked(path)
            }

            fn check(&self, states: &States) -> Result<(), String> {
                $($extract::check(states)?;)*
                Args::check(states)
            }

            fn signature(&self, schemas: &mut Schemas) -> Signature {
                let positions = match Args::asked(&[]) {
                    (Asked::Struct { fields, .. }, _) => fields,
                    _ => &[],
                };
                let stream = None$(.or_else(|| $extract::stream(schemas)))*.or_else(|| Args::stream(schemas));
                let signature = Signature::new(Args::schema(schemas), Fut::Output::schema(schemas));
                Signature { stream, ..signature.positions(positions) }
            }

            fn streams(&self) -> bool {
                Fut::Output::STREAMS
            }

            fn takes_stream(&self) -> bool {
                Args::TAKES_STREAM $(|| $extract::TAKES_STREAM)*
            }
        }

        impl<F, Fut, M, R, $($extract,)* Args> Handler<(M, R, fn($($extract,)* Args))> for F
        where
            F: Fn($($extract,)* Args) -> Fut + Send + Sync + 'static,
            Fut: Future<Output: Outcome<R>> + Send + 'static,
            $($extract: Extract + 'static,)*
            Args: FromCall<M> + 'static,
            M: 'static,
            R: 'static,
        {
            fn into_registration(self) -> Registration {
                const {
                    assert!(
                        Args::TAKES_STREAM as usize $(+ $extract::TAKES_STREAM as usize)* <= 1,
                        "a procedure takes one stream of its caller at most: send the items of both as one, \
                         for example as an enum",
                    );
                }
                Registration::of(Erased { handler: self, shape: PhantomData::<fn() -> (M, R, fn($($extract,)* Args))> })
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
