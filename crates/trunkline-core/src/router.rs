//! [`Router`]: finds a procedure by name.
//!
//! Built once, then only read, so a call takes no lock. It knows nothing of
//! dialects: every name reaches it in one canonical spelling.

mod items;
mod route;
mod seal;
mod unknown;
mod within;

pub use self::{
    items::Items,
    route::{Gives, Route},
    unknown::{Unknown, Why, unknown},
    within::Within,
};

use self::unknown::without_version;
use crate::{
    call::Call,
    clock,
    context::Context,
    fault::Fault,
    feed::Feed,
    handler::Handler,
    middleware::{Guard, Middleware},
    payload::{OwnedPayload, Payload},
    provide::Provide,
    security::{AUTHENTICATE, Security},
    states::States,
};
use foldhash::fast::RandomState;
use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

type Routes = HashMap<Box<str>, Route, RandomState>;

/// The procedure by which callers say that they no longer listen to a stream.
pub const UNSUBSCRIBE: &str = "rpc.unsubscribe";

/// The procedures a process serves.
///
/// ```
/// use trunkline_core::Router;
///
/// let billing = Router::new().procedure("total", async || 42);
/// let router = Router::new()
///     .procedure("ping", async || "pong")
///     .scope("billing", billing);
/// assert!(router.find("billing.total").is_some());
/// ```
#[derive(Clone, Default)]
pub struct Router {
    routes: Routes,
    /// Those that only this program may call, apart, so that no call from elsewhere finds them.
    internal: Routes,
    /// What is served to others, by its name [without its version](without_version).
    versioned: HashSet<Box<str>, RandomState>,
    /// With what the names begin that they serve, the longest first: all names
    /// begin with nothing.
    fallbacks: Vec<(Box<str>, Route)>,
    states: States,
    guards: Vec<Guard>,
    layers: Vec<Arc<dyn Middleware>>,
}

impl Router {
    /// An empty router.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves `handler` under `name`.
    ///
    /// # Panics
    ///
    /// Panics if the name is taken, naming both places, or is reserved by the
    /// protocol (`rpc.…`): starting up is the time to hear of it.
    #[must_use]
    #[track_caller]
    pub fn procedure<M>(mut self, name: &str, handler: impl Handler<M>) -> Self {
        assert!(
            !name.starts_with("rpc."),
            "procedure `{name}`: names that begin with `rpc.` are reserved (JSON-RPC 2.0, section 4); choose another"
        );
        let registration = handler.into_registration();
        if let Some(subscription) = &registration.subscription {
            self.insert(&subscription.unsubscribe, Route::unsubscribing());
        }
        self.insert(name, Route::new(registration));
        self
    }

    /// Serves an extension of the protocol itself, under a name that begins with `rpc.`.
    ///
    /// # Panics
    ///
    /// Panics if the name is taken, naming both places.
    #[must_use]
    #[track_caller]
    pub fn extension<M>(mut self, name: &str, handler: impl Handler<M>) -> Self {
        self.insert(name, Route::new(handler.into_registration()));
        self
    }

    /// Serves all of `router` under names that begin with `scope` and a dot, of
    /// which those that it has no procedure for go to its fallback, if it has one.
    /// Its guards, middleware and states stay its own; states that it lacks are
    /// taken from here.
    ///
    /// ```
    /// # use trunkline_core::{ProcedureName, Router};
    /// let old = Router::new().fallback(async |ProcedureName(name)| format!("{name} has moved"));
    /// let router = Router::new().scope("v1", old);
    /// assert!(router.find("v1.anything").is_some() && router.find("anything").is_none());
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if a name, or the place of the fallback, is taken, naming both places.
    #[must_use]
    #[track_caller]
    pub fn scope(mut self, scope: &str, router: Self) -> Self {
        let router = router.fold();
        for (name, mut route) in router.routes.into_iter().chain(router.internal) {
            route.enter(scope);
            self.insert(&format!("{scope}.{name}"), route);
        }
        for (prefix, route) in router.fallbacks {
            self.insert_fallback(&format!("{scope}.{prefix}"), route);
        }
        self
    }

    /// Serves all of `router` as if its procedures, and its fallback, had been
    /// registered here. Its guards, middleware and states stay its own.
    ///
    /// # Panics
    ///
    /// Panics if a name is taken, or both have a fallback, naming both places.
    #[must_use]
    #[track_caller]
    pub fn merge(mut self, router: Self) -> Self {
        let router = router.fold();
        for (name, route) in router.routes.into_iter().chain(router.internal) {
            self.insert(&name, route);
        }
        for (prefix, route) in router.fallbacks {
            self.insert_fallback(&prefix, route);
        }
        self
    }

    /// Serves all procedures of `service`: what implements a trait with
    /// `#[trunkline::service]`, in the wrapper that comes with the trait.
    ///
    /// # Panics
    ///
    /// Panics if a name is taken, naming both places.
    #[must_use]
    #[track_caller]
    pub fn service(self, service: impl Provide) -> Self {
        service.provide(self)
    }

    /// Serves every name that nothing else serves. The handler learns the name,
    /// as it was called, from [`ProcedureName`](crate::ProcedureName), and takes
    /// arguments of any shape as [`RawArgs`](crate::RawArgs).
    ///
    /// # Panics
    ///
    /// Panics if there is a fallback already, naming both places.
    #[must_use]
    #[track_caller]
    pub fn fallback<M>(mut self, handler: impl Handler<M>) -> Self {
        self.insert_fallback("", Route::new(handler.into_registration()));
        self
    }

    /// Shares `state` with the handlers of this router, as [`State<T>`](crate::State).
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(self, state: T) -> Self {
        self.shared_state(Arc::new(state))
    }

    /// Shares a state that others hold as well.
    #[must_use]
    pub fn shared_state<T: Send + Sync + 'static>(mut self, state: Arc<T>) -> Self {
        self.states.insert(state);
        self
    }

    /// Checks every call to this router before its arguments are decoded.
    ///
    /// ```
    /// # use trunkline_core::{Fault, FaultKind, Router};
    /// let router = Router::new().procedure("delete", async || ()).guard(|call| {
    ///     match call.context.connection().remote() {
    ///         Some(address) if !address.ip().is_loopback() => Err(Fault::new(FaultKind::Forbidden, "only from here")),
    ///         _ => Ok(()),
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn guard(mut self, guard: impl Fn(&Call<'_>) -> Result<(), Fault> + Send + Sync + 'static) -> Self {
        self.guards.push(Arc::new(guard));
        self
    }

    /// Puts a middleware around every procedure of this router, whenever it was
    /// registered. The one added first is outermost.
    #[must_use]
    pub fn layer(mut self, middleware: impl Middleware) -> Self {
        self.layers.push(Arc::new(middleware));
        self
    }

    /// Lets callers say who they are, with [`AUTHENTICATE`], and what they may do be
    /// decided by `security`: for services, which do this by themselves if they have one.
    ///
    /// # Panics
    ///
    /// Panics if the name is taken, naming both places.
    #[doc(hidden)]
    #[must_use]
    #[track_caller]
    pub fn secured(mut self, security: &Arc<dyn Security>) -> Self {
        self.insert(AUTHENTICATE, Route::authenticating());
        self.change_states(|states| states.set_security(security.clone()));
        self
    }

    /// The same router for who calls in the name of this very program, from another
    /// process of it: what is [internal](crate::Registration::internal) is found as all
    /// else is.
    #[must_use]
    pub fn with_internal_found(mut self) -> Self {
        self.routes.extend(std::mem::take(&mut self.internal));
        self
    }

    /// The procedure called `name`, or else the fallback of the innermost
    /// [scope](Self::scope) that the name is in and that has one.
    ///
    /// This is what connections ask, so procedures that are
    /// [internal](crate::Registration::internal) are not found: their names are
    /// those of procedures that do not exist, to the last byte of the answer. A fallback
    /// does not get them either.
    #[must_use]
    #[inline]
    pub fn find(&self, name: &str) -> Option<&Route> {
        self.routes.get(name).or_else(|| self.find_fallback(name))
    }

    /// Whether calls of this name take a [stream](crate::Incoming) that their caller sends.
    #[must_use]
    #[cold]
    pub fn takes_stream(&self, name: &str) -> bool {
        self.find(name).is_some_and(Route::takes_stream)
    }

    fn find_fallback(&self, name: &str) -> Option<&Route> {
        if self.internal.contains_key(name) {
            return None;
        }
        self.fallbacks.iter().find(|(prefix, _)| name.starts_with(&**prefix)).map(|(_, route)| route)
    }

    /// The names that are served to others, in order; without extensions of the protocol.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.routes.keys().map(|name| &**name).collect();
        names.retain(|name| !name.starts_with("rpc."));
        names.sort_unstable();
        names
    }

    /// The procedures that are served to others, in no particular order.
    pub(crate) fn routes(&self) -> impl Iterator<Item = (&str, &Route)> {
        self.routes.iter().map(|(name, route)| (&**name, route))
    }

    /// Whether `name` is served by a procedure of its own, internal or not.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.taken(name).is_some()
    }

    fn taken(&self, name: &str) -> Option<&Route> {
        self.routes.get(name).or_else(|| self.internal.get(name))
    }

    /// Runs a procedure from within this program, without a connection: right here,
    /// on whatever task polls the future, for this crate knows no runtime. This is
    /// the way to those that are [internal](crate::Registration::internal).
    ///
    /// So a procedure that was registered as [`parallel`](crate::Registration::parallel)
    /// or [`blocking`](crate::Registration::blocking) holds up that task. One that has a
    /// [`timeout`](crate::Registration::timeout) is told it, as [`Call::deadline`], but
    /// nothing ends the call then, and there is no `call_timeout`: put a timeout of
    /// your runtime around it, or call by way of a connection in memory. There is
    /// no limit on the reply either. Dropping the future cancels the call.
    ///
    /// # Errors
    ///
    /// Fails with the fault a caller would see, also if the procedure panics, and
    /// with [`InvalidReply`](crate::FaultKind::InvalidReply) if it gives a stream.
    pub async fn call(
        &self,
        name: &str,
        args: Option<Payload<'_>>,
        context: &Context,
    ) -> Result<OwnedPayload, Fault> {
        self.call_with(name, args, None, context).await
    }

    /// The same with a stream that the caller sends, for procedures that
    /// [take one](crate::Incoming): it is asked for an item when the handler wants one.
    ///
    /// # Errors
    ///
    /// Fails as [`call`](Self::call) does.
    pub async fn call_sending(
        &self,
        name: &str,
        args: Option<Payload<'_>>,
        feed: Feed,
        context: &Context,
    ) -> Result<OwnedPayload, Fault> {
        self.call_with(name, args, Some(&feed), context).await
    }

    async fn call_with(
        &self,
        name: &str,
        args: Option<Payload<'_>>,
        feed: Option<&Feed>,
        context: &Context,
    ) -> Result<OwnedPayload, Fault> {
        let route = self.find_within(name)?;
        let called = route.start_within(name, args, feed, context, Gives::Value, own_deadline)?;
        called.value().await
    }

    /// Shares the router, so that procedures [reach the others](States::router).
    /// Servers do this by themselves.
    #[must_use]
    pub fn shared(mut self) -> Arc<Self> {
        Arc::new_cyclic(|router: &Weak<Self>| {
            self.change_states(|states| states.set_router(router.clone()));
            self
        })
    }

    /// The procedure called `name`, for this program: those that are
    /// [internal](crate::Registration::internal) are found too.
    ///
    /// # Errors
    ///
    /// Fails with what a caller of an unknown name is told.
    pub fn find_within(&self, name: &str) -> Result<&Route, Fault> {
        self.internal.get(name).or_else(|| self.find(name)).ok_or_else(|| unknown(name))
    }

    #[track_caller]
    fn insert(&mut self, name: &str, route: Route) {
        if let Some(before) = self.taken(name) {
            if before.gives() == route.gives() && route.gives().is_for_the_driver() {
                return;
            }
            panic!("procedure `{name}` is registered twice: at {} and at {}", before.place, route.place);
        }
        if route.details().internal {
            self.internal.insert(name.into(), route);
        } else {
            self.versioned.insert(without_version(name));
            self.routes.insert(name.into(), route);
        }
    }

    #[track_caller]
    fn insert_fallback(&mut self, prefix: &str, mut route: Route) {
        if let Some((_, before)) = self.fallbacks.iter().find(|(taken, _)| **taken == *prefix) {
            let which = if prefix.is_empty() { String::new() } else { format!(" for `{prefix}…`") };
            panic!("there are two fallbacks{which}: at {} and at {}", before.place, route.place);
        }
        let at = self.fallbacks.partition_point(|(longer, _)| longer.len() >= prefix.len());
        route.prefix = Some(prefix.into());
        self.fallbacks.insert(at, (prefix.into(), route));
    }
}

/// The timeout of a procedure, as the deadline of a call that begins now.
fn own_deadline(timeout: Option<Duration>) -> Result<Option<Instant>, Fault> {
    Ok(timeout.and_then(|timeout| clock::now().checked_add(timeout)))
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.routes.keys().chain(self.internal.keys())).finish()
    }
}

#[cfg(test)]
mod tests;
