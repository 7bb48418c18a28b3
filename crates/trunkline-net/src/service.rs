//! [`Service`]: what every connection of a listener is served with.

use crate::{clock, hooks::Hooks, peers::Peers};
use http::HeaderValue;
use std::sync::Arc;
use trunkline_core::{Language, Limits, Router, Security};

/// What every connection of a listener is served with. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    pub(crate) router: Arc<Router>,
    pub(crate) language: Arc<dyn Language>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) hooks: Hooks,
    pub(crate) peers: Peers,
    pub(crate) security: Option<Arc<dyn Security>>,
    pub(crate) tells_timeouts: bool,
}

impl Service {
    /// Serves `router` in `language`.
    ///
    /// # Panics
    ///
    /// Panics if a handler takes a state that the router does not have.
    #[must_use]
    pub fn new(router: Router, language: impl Language + 'static) -> Self {
        clock::lead();
        Self {
            router: router.ready().shared(),
            language: Arc::new(language),
            limits: Arc::default(),
            hooks: Hooks::default(),
            peers: Peers::default(),
            security: None,
            tells_timeouts: false,
        }
    }

    /// The same in another language.
    #[must_use]
    pub fn in_language(&self, language: impl Language + 'static) -> Self {
        Self { language: Arc::new(language), ..self.clone() }
    }

    /// The same with another router, such as one with more procedures for one path.
    ///
    /// # Panics
    ///
    /// Panics if a handler takes a state that the router does not have.
    #[must_use]
    pub fn with_router(&self, router: Router) -> Self {
        let router = match &self.security {
            Some(security) => router.ready().secured(security),
            None => router.ready(),
        };
        Self { router: router.shared(), ..self.clone() }
    }

    /// The same for who calls in the name of this very program, from another process of
    /// it: what is internal is found too, and nobody is asked who may call.
    pub(crate) fn for_this_program(&self) -> Self {
        let router = Router::clone(&self.router).with_internal_found().shared();
        Self { router, security: None, ..self.clone() }
    }

    /// Sets who decides who callers are and what they may do. Callers can say then
    /// who they are, with `rpc.authenticate`.
    ///
    /// # Panics
    ///
    /// Panics if the router has a procedure of that name, or the
    /// [challenge](Security::challenge) is no header: starting up is the time to hear of it.
    #[must_use]
    #[track_caller]
    pub fn security(self, security: impl Security) -> Self {
        self.shared_security(Arc::new(security))
    }

    /// The same with a security that others hold as well.
    ///
    /// # Panics
    ///
    /// Panics as [`security`](Self::security) does.
    #[must_use]
    #[track_caller]
    pub fn shared_security(mut self, security: Arc<dyn Security>) -> Self {
        let challenge = security.challenge();
        let is_header = HeaderValue::from_str(challenge).is_ok_and(|value| value.to_str().is_ok());
        assert!(is_header, "`Security::challenge` gives {challenge:?}, which has more than visible ASCII");
        self.router = Arc::unwrap_or_clone(self.router).secured(&security).shared();
        self.security = Some(security);
        self
    }

    /// Sets the limits of each connection; its language keeps to them too.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Arc::new(limits);
        self
    }

    /// Sets what is called when things happen.
    #[must_use]
    pub fn hooks(mut self, hooks: Hooks) -> Self {
        self.hooks = hooks;
        self
    }

    /// Lists the connections in `peers`, for procedures that have to know them.
    #[must_use]
    pub fn with_peers(mut self, peers: Peers) -> Self {
        self.peers = peers;
        self
    }

    /// Whether the far side is told with each call that is made of it how long this side
    /// waits for its answer, so that it does not work longer than that: for far sides
    /// that are trunkline, or let such a member of messages be. Default: nothing is said.
    #[must_use]
    pub fn tell_timeouts(mut self, tells: bool) -> Self {
        self.tells_timeouts = tells;
        self
    }

    /// The connections that are served at present.
    #[must_use]
    pub fn peers(&self) -> &Peers {
        &self.peers
    }

    /// The limits of each connection.
    #[must_use]
    pub fn limits_in_force(&self) -> &Limits {
        &self.limits
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("language", &self.language.name())
            .field("router", &self.router)
            .finish()
    }
}
