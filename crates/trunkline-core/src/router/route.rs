//! [`Route`]: a procedure as a router serves it.

use crate::{
    call::Call,
    context::States,
    fault::Fault,
    handler::Run,
    middleware::Guard,
    procedure::BoxRunning,
    registration::{Details, Registration},
    schema::Schemas,
    signature::Signature,
};
use std::{fmt, panic::Location, sync::Arc, time::Duration};

/// A procedure under its name, with all that its routers put around it.
#[derive(Clone)]
pub struct Route {
    pub(super) registration: Registration,
    pub(super) guards: Arc<[Guard]>,
    pub(super) states: Arc<States>,
    pub(super) place: &'static Location<'static>,
}

impl Route {
    #[track_caller]
    pub(super) fn new(registration: Registration) -> Self {
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

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route").field("registered_at", &self.place).finish_non_exhaustive()
    }
}
