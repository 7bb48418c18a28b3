//! [`Extract`]: what a handler takes besides its arguments.

use crate::{
    args::{self, Asked, Step},
    call::Call,
    check::Check,
    context::Context,
    fault::{Fault, FaultKind},
    payload::OwnedPayload,
    schema::Schemas,
    states::States,
};
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use std::{fmt, ops::Deref, sync::Arc};

/// Something a handler takes that does not travel: the caller, a shared state, headers.
///
/// ```
/// # use trunkline_core::{Call, Extract, Fault, FaultKind, Router};
/// struct Token(String);
///
/// impl Extract for Token {
///     fn extract(call: &Call<'_>) -> Result<Self, Fault> {
///         let header = call.context.connection().headers().get("authorization");
///         let token = header.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
///         Ok(Self(token.ok_or(Fault::new(FaultKind::Forbidden, "a bearer token is needed"))?.to_owned()))
///     }
/// }
///
/// let router = Router::new().procedure("whoami", async |token: Token| token.0.len());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not something a handler can take",
    note = "a handler takes extractors first (`Peer`, `Context`, `State<T>`, …) and its arguments last,",
    note = "as one type that is `serde::Deserialize` and `schemars::JsonSchema` (both can be derived), or in `Open`"
)]
pub trait Extract: Sized {
    /// Whether it is the [stream](crate::Incoming) that the caller sends, or holds it: a
    /// procedure takes one at most.
    const TAKES_STREAM: bool = false;

    /// Takes it from a call.
    ///
    /// # Errors
    ///
    /// Fails with what the caller is told.
    fn extract(call: &Call<'_>) -> Result<Self, Fault>;

    /// Whether the router has what will be extracted; asked once, at start-up.
    ///
    /// # Errors
    ///
    /// Fails with a sentence that says what is missing.
    fn check(_states: &States) -> Result<(), String> {
        Ok(())
    }

    /// What each item of the stream is decoded from, where it
    /// [takes one](Self::TAKES_STREAM).
    fn stream(_schemas: &mut Schemas) -> Option<Schema> {
        None
    }
}

impl Extract for Context {
    fn extract(call: &Call<'_>) -> Result<Self, Fault> {
        Ok(call.context_and_trace())
    }
}

/// A value shared by all calls, given to the router by [`Router::state`](crate::Router::state).
///
/// ```
/// # use trunkline_core::{Router, State};
/// # use std::sync::atomic::{AtomicU64, Ordering};
/// let router = Router::new()
///     .state(AtomicU64::new(0))
///     .procedure("count", async |hits: State<AtomicU64>| hits.fetch_add(1, Ordering::Relaxed));
/// ```
pub struct State<T>(Arc<T>);

impl<T> State<T> {
    /// The value, shared.
    #[must_use]
    pub fn into_inner(self) -> Arc<T> {
        self.0
    }
}

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: fmt::Debug> fmt::Debug for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("State").field(&self.0).finish()
    }
}

impl<T: Send + Sync + 'static> Extract for State<T> {
    fn extract(call: &Call<'_>) -> Result<Self, Fault> {
        match call.states.get() {
            Some(state) => Ok(Self(state)),
            None => Err(Fault::internal(missing_state::<T>())),
        }
    }

    fn check(states: &States) -> Result<(), String> {
        states.get::<T>().map(drop).ok_or_else(missing_state::<T>)
    }
}

fn missing_state<T>() -> String {
    let name = std::any::type_name::<T>();
    format!("it takes State<{name}>, but its router has no such state; give it with Router::state")
}

/// The name by which the procedure was called, for handlers that serve several.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProcedureName(pub String);

impl Extract for ProcedureName {
    fn extract(call: &Call<'_>) -> Result<Self, Fault> {
        Ok(Self(call.procedure.to_owned()))
    }
}

/// The headers of the HTTP request, or of the one that became a WebSocket.
#[derive(Clone, Debug)]
pub struct Headers(pub http::HeaderMap);

impl Extract for Headers {
    fn extract(call: &Call<'_>) -> Result<Self, Fault> {
        Ok(Self(call.context.connection().headers().clone()))
    }
}

/// The arguments as they came, of whatever shape, still encoded. Takes the last
/// place of a handler.
#[derive(Clone, Debug)]
pub struct RawArgs(pub Option<OwnedPayload>);

/// How the last parameter of a handler is filled; tells the cases apart.
pub trait FromCall<M>: Sized {
    /// See [`Extract::TAKES_STREAM`].
    const TAKES_STREAM: bool = false;

    /// Takes it from a call.
    ///
    /// # Errors
    ///
    /// Fails with what the caller is told.
    fn from_call(call: &Call<'_>) -> Result<Self, Fault>;

    /// See [`Extract::check`].
    ///
    /// # Errors
    ///
    /// Fails with a sentence that says what is missing.
    fn check(_states: &States) -> Result<(), String> {
        Ok(())
    }

    /// See [`Extract::stream`].
    fn stream(_schemas: &mut Schemas) -> Option<Schema> {
        None
    }

    /// What it is decoded from; `false` if it takes no arguments.
    fn schema(schemas: &mut Schemas) -> Schema;

    /// What it asks for when it is decoded, at the end of a path into it, and
    /// whether it may be `null` there.
    #[must_use]
    fn asked(_path: &[Step<'_>]) -> (Asked, bool) {
        (Asked::Other, false)
    }

    /// Takes it from a call whose arguments are to be checked as well.
    ///
    /// # Errors
    ///
    /// Fails with what the caller is told.
    fn from_checked(call: &Call<'_>, check: &Check) -> Result<Self, Fault> {
        check.pass(call.args)?;
        Self::from_call(call)
    }
}

/// Marks a last parameter that is decoded from the arguments.
#[derive(Debug)]
pub struct ViaArgs;

/// Marks a last parameter that is extracted; the procedure takes no arguments.
#[derive(Debug)]
pub struct ViaExtract;

/// Marks a last parameter that takes the arguments undecoded.
#[derive(Debug)]
pub struct ViaRaw;

impl<A: DeserializeOwned + JsonSchema> FromCall<ViaArgs> for A {
    fn from_call(call: &Call<'_>) -> Result<Self, Fault> {
        args::decode(call.args)
    }

    fn schema(schemas: &mut Schemas) -> Schema {
        let mut schema = schemas.of_args::<A>();
        // the last elements of a tuple may be left out where they are optional
        if let (Asked::Tuple(len), _) = args::asked::<A>(&[])
            && schema.get("prefixItems").is_some()
        {
            let optional = |at: &usize| args::asked::<A>(&[Step::Element(*at)]).1;
            let least = (0..len).rev().find(|at| !optional(at)).map_or(0, |last| last + 1);
            schema.insert("minItems".to_owned(), least.into());
        }
        schema
    }

    fn asked(path: &[Step<'_>]) -> (Asked, bool) {
        args::asked::<A>(path)
    }

    fn from_checked(call: &Call<'_>, check: &Check) -> Result<Self, Fault> {
        match args::read(call.args) {
            Ok((args, taken_for)) => check.pass_as(taken_for).map(|()| args),
            Err(unfit) => Err(check.explain(call.args, unfit)),
        }
    }
}

impl<E: Extract> FromCall<ViaExtract> for E {
    const TAKES_STREAM: bool = E::TAKES_STREAM;

    fn from_call(call: &Call<'_>) -> Result<Self, Fault> {
        no_args(call)?;
        E::extract(call)
    }

    fn check(states: &States) -> Result<(), String> {
        E::check(states)
    }

    fn stream(schemas: &mut Schemas) -> Option<Schema> {
        E::stream(schemas)
    }

    fn schema(_: &mut Schemas) -> Schema {
        false.into()
    }
}

impl FromCall<ViaRaw> for RawArgs {
    fn from_call(call: &Call<'_>) -> Result<Self, Fault> {
        Ok(Self(call.args.as_ref().map(crate::Payload::to_owned)))
    }

    fn schema(_: &mut Schemas) -> Schema {
        true.into()
    }
}

/// Refuses arguments to a procedure that takes none.
pub(crate) fn no_args(call: &Call<'_>) -> Result<(), Fault> {
    match call.args {
        None => Ok(()),
        Some(_) => args::decode(call.args).map_err(|_| {
            Fault::new(FaultKind::InvalidArgs, "Invalid params").with_data("the procedure takes no arguments")
        }),
    }
}
