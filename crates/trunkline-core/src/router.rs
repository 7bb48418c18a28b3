//! [`Router`]: finds a procedure by name.
//!
//! Built once, then only read, so a call takes no lock. It knows nothing of
//! dialects: every name reaches it in one canonical spelling.

use crate::{
    call::Call,
    context::{Context, States},
    fault::{Fault, FaultKind},
    handler::{Handler, Registration, Run},
    middleware::{Guard, Layered, Middleware},
    payload::{OwnedPayload, Payload},
    procedure::{self, BoxRunning},
};
use foldhash::fast::RandomState;
use std::{collections::HashMap, fmt, panic::Location, sync::Arc, time::Duration};

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
    routes: HashMap<Box<str>, Route, RandomState>,
    fallback: Option<Route>,
    states: States,
    guards: Vec<Guard>,
    layers: Vec<Arc<dyn Middleware>>,
}

/// A procedure under its name, with all that its routers put around it.
#[derive(Clone)]
pub struct Route {
    registration: Registration,
    guards: Arc<[Guard]>,
    states: Arc<States>,
    place: &'static Location<'static>,
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
        self.insert(name, Route::new(handler.into_registration()));
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

    /// Serves all of `router` under names that begin with `scope` and a dot. Its
    /// guards, middleware and states stay its own; states that it lacks are
    /// taken from here.
    ///
    /// # Panics
    ///
    /// Panics if a name is taken, naming both places.
    #[must_use]
    #[track_caller]
    pub fn scope(mut self, scope: &str, router: Self) -> Self {
        let router = router.seal();
        for (name, route) in router.routes {
            self.insert(&format!("{scope}.{name}"), route);
        }
        self
    }

    /// Serves all of `router` as if its procedures had been registered here. Its
    /// guards, middleware and states stay its own.
    ///
    /// # Panics
    ///
    /// Panics if a name is taken, naming both places.
    #[must_use]
    #[track_caller]
    pub fn merge(mut self, router: Self) -> Self {
        let router = router.seal();
        for (name, route) in router.routes {
            self.insert(&name, route);
        }
        self
    }

    /// Serves every name that nothing else serves. The handler learns the name
    /// from [`ProcedureName`](crate::ProcedureName), and takes arguments of any
    /// shape as [`RawArgs`](crate::RawArgs).
    #[must_use]
    #[track_caller]
    pub fn fallback<M>(mut self, handler: impl Handler<M>) -> Self {
        self.fallback = Some(Route::new(handler.into_registration()));
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

    /// Finishes the router: what was put around it as a whole is put around each
    /// of its procedures. Servers do this by themselves.
    ///
    /// # Panics
    ///
    /// Panics if a handler takes a [`State`](crate::State) that there is none of.
    #[must_use]
    pub fn seal(mut self) -> Self {
        let guards = std::mem::take(&mut self.guards);
        let layers = std::mem::take(&mut self.layers);
        let mut known: HashMap<*const States, Arc<States>> = HashMap::new();
        for (name, route) in self
            .routes
            .iter_mut()
            .map(|(name, route)| (&**name, route))
            .chain(self.fallback.iter_mut().map(|route| ("the fallback", route)))
        {
            let own = route.states.clone();
            let states = known.entry(Arc::as_ptr(&own)).or_insert_with(|| {
                let mut states = States::clone(&own);
                states.inherit(&self.states);
                Arc::new(states)
            });
            route.states = states.clone();
            if !guards.is_empty() {
                route.guards = guards.iter().chain(&*route.guards).cloned().collect();
            }
            for middleware in layers.iter().rev() {
                let inner = route.registration.procedure.clone();
                route.registration.procedure = Arc::new(Layered { middleware: middleware.clone(), inner });
            }
            if let Err(missing) = route.registration.procedure.check(&route.states) {
                panic!("procedure `{name}`, registered at {}: {missing}", route.place);
            }
        }
        self
    }

    /// The procedure called `name`, or else the fallback.
    #[must_use]
    #[inline]
    pub fn find(&self, name: &str) -> Option<&Route> {
        self.routes.get(name).or(self.fallback.as_ref())
    }

    /// The names that are served, in order; without extensions of the protocol.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.routes.keys().map(|name| &**name).collect();
        names.retain(|name| !name.starts_with("rpc."));
        names.sort_unstable();
        names
    }

    /// Whether `name` is served by a procedure of its own.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.routes.contains_key(name)
    }

    /// Runs a procedure from within this program, without a connection.
    ///
    /// Dropping the future cancels the call.
    ///
    /// # Errors
    ///
    /// Fails with the fault a caller would see.
    pub async fn call(
        &self,
        name: &str,
        args: Option<Payload<'_>>,
        context: &Context,
    ) -> Result<OwnedPayload, Fault> {
        let route = self.find(name).ok_or_else(|| unknown(name))?;
        let call = Call::new(name, args, context, &route.states);
        let format = call.format;
        procedure::finish(route.start(&call)?, format, usize::MAX).await
    }

    #[track_caller]
    fn insert(&mut self, name: &str, route: Route) {
        if let Some(before) = self.routes.get(name) {
            panic!("procedure `{name}` is registered twice: at {} and at {}", before.place, route.place);
        }
        self.routes.insert(name.into(), route);
    }
}

/// What a caller of an unknown name is told.
#[must_use]
#[cold]
pub fn unknown(_name: &str) -> Fault {
    Fault::new(FaultKind::NotFound, "Method not found")
}

impl Route {
    #[track_caller]
    fn new(registration: Registration) -> Self {
        Self { registration, guards: Arc::from([]), states: Arc::default(), place: Location::caller() }
    }

    /// Starts a call, which carries the [`states`](Self::states), once the guards
    /// have let it pass.
    ///
    /// # Errors
    ///
    /// Fails if a guard refuses the call, or the arguments do not fit.
    #[inline]
    pub fn start(&self, call: &Call<'_>) -> Result<BoxRunning, Fault> {
        for guard in &*self.guards {
            guard(call)?;
        }
        self.registration.procedure.start(call)
    }

    /// The states of the router that the procedure belongs to.
    #[must_use]
    pub fn states(&self) -> &Arc<States> {
        &self.states
    }

    /// Where its calls run.
    #[must_use]
    pub fn run(&self) -> Run {
        self.registration.run
    }

    /// How long its calls may run, if that was said.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.registration.timeout
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route").field("registered_at", &self.place).finish_non_exhaustive()
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.routes.keys()).finish()
    }
}

#[cfg(test)]
mod tests;
