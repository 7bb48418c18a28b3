//! [`Route`]: a procedure as a router serves it.

use crate::{
    call::Call,
    context::States,
    fault::Fault,
    handler::Run,
    middleware::{Guard, Layered, Middleware},
    ordered::Ordered,
    procedure::{BoxRunning, Procedure},
    registration::{Details, Registration},
    schema::Schemas,
    signature::Signature,
};
use std::{fmt, panic::Location, sync::Arc, time::Duration};

/// A procedure under its name, with all that its routers put around it.
#[derive(Clone)]
pub struct Route {
    pub(super) registration: Registration,
    /// What a call starts: the procedure, with its middleware, and in order if it is to be.
    entrance: Arc<dyn Procedure>,
    pub(super) guards: Arc<[Guard]>,
    pub(super) states: Arc<States>,
    pub(super) place: &'static Location<'static>,
}

impl Route {
    #[track_caller]
    pub(super) fn new(registration: Registration) -> Self {
        Self {
            entrance: entrance(&registration),
            registration,
            guards: Arc::from([]),
            states: Arc::default(),
            place: Location::caller(),
        }
    }

    /// Puts middleware around it, the first one outermost.
    pub(super) fn wrap(&mut self, layers: &[Arc<dyn Middleware>]) {
        for middleware in layers.iter().rev() {
            let inner = self.registration.procedure.clone();
            self.registration.procedure = Arc::new(Layered { middleware: middleware.clone(), inner });
        }
        self.entrance = entrance(&self.registration);
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
        self.entrance.start(call)
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

    /// What was said of it.
    #[must_use]
    pub fn details(&self) -> &Arc<Details> {
        &self.registration.details
    }

    /// What it takes and gives.
    #[must_use]
    pub fn signature(&self, schemas: &mut Schemas) -> Signature {
        self.registration.procedure.signature(schemas)
    }

    /// How long its calls may run, if that was said.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.registration.timeout
    }
}

/// Calls take their place in the queue before a middleware can hold them up.
fn entrance(registration: &Registration) -> Arc<dyn Procedure> {
    let procedure = registration.procedure.clone();
    if registration.details.ordered { Arc::new(Ordered(procedure)) } else { procedure }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route").field("registered_at", &self.place).finish_non_exhaustive()
    }
}
