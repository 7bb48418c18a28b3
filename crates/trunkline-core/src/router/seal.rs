//! [`Router::seal`]: what is around a router is put around each of its procedures,
//! so that a call finds all of it in one place.

use super::{Gives, Route, Router, UNSUBSCRIBE};
use crate::{handler::Run, states::States};
use std::{collections::HashMap, sync::Arc};

impl Router {
    /// Finishes the router: what was put around it as a whole is put around each
    /// of its procedures. Servers do this by themselves.
    ///
    /// # Panics
    ///
    /// Panics if a handler takes a [`State`](crate::State) that there is none of.
    #[must_use]
    pub fn seal(self) -> Self {
        let router = self.fold();
        for (name, route) in router.all() {
            assert!(
                route.gives() != Gives::Stream || route.run() == Run::Inline,
                "procedure `{name}`, registered at {}: what gives a stream runs on the task of its connection; \
                 spawn the work inside of it, and drop `.parallel()` or `.blocking()`",
                route.place
            );
            if let Err(missing) = route.registration.procedure.check(&route.states) {
                panic!("procedure `{name}`, registered at {}: {missing}", route.place);
            }
        }
        router
    }

    /// [Seals](Self::seal) the router for being served as a whole: if any of its
    /// procedures gives a stream, callers can end streams with `rpc.unsubscribe`.
    ///
    /// # Panics
    ///
    /// Panics as [`seal`](Self::seal) does.
    #[must_use]
    pub fn ready(self) -> Self {
        let mut router = self.seal();
        if router.all().any(|(_, route)| route.gives() == Gives::Stream) {
            router.routes.entry(UNSUBSCRIBE.into()).or_insert_with(Route::unsubscribing);
        }
        router
    }

    /// Puts what is around the router as a whole around each of its procedures.
    pub(super) fn fold(mut self) -> Self {
        let guards = std::mem::take(&mut self.guards);
        let layers = std::mem::take(&mut self.layers);
        let outer = self.states.clone();
        self.change_states(|states| states.inherit(&outer));
        for route in self.all_mut() {
            if !guards.is_empty() {
                route.guards = guards.iter().chain(&*route.guards).cloned().collect();
            }
            route.wrap(&layers);
        }
        self
    }

    /// Changes the states of all procedures; those who share some go on sharing them.
    pub(super) fn change_states(&mut self, change: impl Fn(&mut States)) {
        // the old ones are kept meanwhile, or new ones might get their addresses
        let mut known: HashMap<*const States, (Arc<States>, Arc<States>)> = HashMap::new();
        for route in self.all_mut() {
            let own = route.states.clone();
            let (_, states) = known.entry(Arc::as_ptr(&own)).or_insert_with(|| {
                let mut states = States::clone(&own);
                change(&mut states);
                (own, Arc::new(states))
            });
            route.states = states.clone();
        }
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Route> {
        let named = self.routes.values_mut().chain(self.internal.values_mut());
        named.chain(self.fallbacks.iter_mut().map(|(_, route)| route))
    }

    /// Those that have names, internal or not.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&str, &Route)> {
        self.routes.iter().chain(&self.internal).map(|(name, route)| (&**name, route))
    }

    fn all(&self) -> impl Iterator<Item = (&str, &Route)> {
        self.named().chain(self.fallbacks.iter().map(|(_, route)| ("the fallback", route)))
    }
}
