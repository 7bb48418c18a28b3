//! [`Route`]: a procedure as a router serves it.

use crate::{
    call::Call,
    check,
    crowded::Crowded,
    fault::Fault,
    handler::Run,
    lag::Lag,
    middleware::{Guard, Layered, Middleware},
    ordered::Ordered,
    procedure::{BoxRunning, Procedure},
    registration::{Details, Registration},
    schema::Schemas,
    signature::Signature,
    states::States,
};
use std::{fmt, panic::Location, sync::Arc, time::Duration};

/// A procedure under its name, with all that its routers put around it.
#[derive(Clone)]
pub struct Route {
    pub(crate) registration: Registration,
    /// What a call starts: the procedure, with its middleware, and in order if it is to be.
    entrance: Arc<dyn Procedure>,
    pub(super) gives: Gives,
    takes_stream: bool,
    /// What every call asks, so that it asks for one thing.
    is_plain: bool,
    pub(super) guards: Arc<[Guard]>,
    pub(super) states: Arc<States>,
    pub(super) place: &'static Location<'static>,
    /// With what the names begin that it serves, if it is a fallback.
    pub(super) prefix: Option<Box<str>>,
}

/// What the calls of a procedure come to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Gives {
    /// One value.
    Value,
    /// A stream of items.
    Stream,
    /// The end of a stream that the caller no longer listens to, and whether there
    /// was such a stream. That is for whoever drives the streams of a connection.
    Unsubscribed,
    /// An identity, which the calls that come after it on the connection are made
    /// under. That is for whoever drives the connection, too.
    Identity,
}

impl Gives {
    /// Whether all that give this are the same procedure.
    pub(super) fn is_for_the_driver(self) -> bool {
        matches!(self, Self::Unsubscribed | Self::Identity)
    }
}

/// Only a connection has a far end that can be known.
struct Authenticate;

impl Procedure for Authenticate {
    fn start(&self, _call: &Call<'_>) -> Result<BoxRunning, Fault> {
        Err(Fault::from("one authenticates over a connection, and this call came over none"))
    }
}

/// Only a connection has streams that can be ended.
struct Unsubscribe;

impl Procedure for Unsubscribe {
    fn start(&self, _call: &Call<'_>) -> Result<BoxRunning, Fault> {
        Err(Fault::from("streams are ended on the connection that they were opened on"))
    }
}

impl Route {
    #[track_caller]
    pub(super) fn new(mut registration: Registration) -> Self {
        registration.procedure = check::around(&registration);
        let (streams, takes_stream) =
            (registration.procedure.streams(), registration.procedure.takes_stream());
        Self {
            entrance: entrance(&registration),
            gives: if streams { Gives::Stream } else { Gives::Value },
            takes_stream,
            is_plain: !streams && !takes_stream,
            guards: registration.guards.iter().cloned().collect(),
            registration,
            states: Arc::default(),
            place: Location::caller(),
            prefix: None,
        }
    }

    /// By which callers say that they no longer listen to a stream.
    #[track_caller]
    pub(super) fn unsubscribing() -> Self {
        Self { gives: Gives::Unsubscribed, is_plain: false, ..Self::new(Registration::of(Unsubscribe)) }
    }

    /// Puts the names of procedures that belong to it into a scope, as its own was.
    pub(super) fn enter(&mut self, scope: &str) {
        if let Some(subscription) = &mut self.registration.subscription {
            subscription.unsubscribe = format!("{scope}.{}", subscription.unsubscribe).into();
        }
    }

    /// By which callers say who they are.
    #[track_caller]
    pub(super) fn authenticating() -> Self {
        Self { gives: Gives::Identity, is_plain: false, ..Self::new(Registration::of(Authenticate)) }
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

    /// With what the names begin that it serves, if it is a
    /// [fallback](crate::Router::fallback).
    #[must_use]
    #[inline]
    pub fn fallback(&self) -> Option<&str> {
        self.prefix.as_deref()
    }

    /// What its calls come to.
    #[must_use]
    #[inline]
    pub fn gives(&self) -> Gives {
        self.gives
    }

    /// Whether it takes a [stream](crate::Incoming) that its caller sends.
    #[must_use]
    #[inline]
    pub fn takes_stream(&self) -> bool {
        self.takes_stream
    }

    /// Whether it comes from arguments to a value, with no stream on either side.
    #[must_use]
    #[inline]
    pub fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// The name that the items of its streams are sent under, if one was given:
    /// else it is the name it was called by.
    #[must_use]
    pub fn item_name(&self) -> Option<&str> {
        self.registration.subscription.as_ref().map(|subscription| &*subscription.item)
    }

    /// The procedure by which callers say that they no longer listen to its streams,
    /// if one was named: `rpc.unsubscribe` serves for all.
    #[must_use]
    pub fn unsubscribe(&self) -> Option<&str> {
        self.registration.subscription.as_ref().map(|subscription| &*subscription.unsubscribe)
    }

    /// What becomes of items that a caller does not take in time.
    #[must_use]
    pub fn lag(&self) -> Lag {
        self.registration.lag
    }

    /// Whether callers are told of nothing but items, unless they have said for how
    /// many they have room.
    #[must_use]
    pub fn items_only(&self) -> bool {
        self.registration.items_only
    }

    /// Whether it [asks elsewhere](crate::Registration::asking_elsewhere) for what it is
    /// called by.
    #[doc(hidden)]
    #[must_use]
    pub fn asks_elsewhere(&self) -> bool {
        self.registration.asks_elsewhere
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

/// Calls take their place in the queue before a middleware can hold them up, and
/// those for which there is no room take none.
fn entrance(registration: &Registration) -> Arc<dyn Procedure> {
    let mut procedure = registration.procedure.clone();
    if registration.details.ordered {
        procedure = Arc::new(Ordered(procedure));
    }
    match registration.crowd.clone() {
        Some(crowd) => Arc::new(Crowded { procedure, crowd }),
        None => procedure,
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route").field("registered_at", &self.place).finish_non_exhaustive()
    }
}
