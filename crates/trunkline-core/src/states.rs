//! [`States`]: what the procedures of a router share.

use crate::{router::Router, security::Security};
use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt,
    sync::{Arc, Weak},
};

/// The states of a router: one shared value of each type.
#[derive(Clone, Default)]
pub struct States {
    values: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    /// The router itself, if it is shared. States may hold who called, and routers
    /// hold their states, so this must not keep the router alive.
    router: Weak<Router>,
    /// Who decides what the callers of its procedures may do.
    security: Option<Arc<dyn Security>>,
}

impl States {
    /// Adds a state; an earlier one of the same type is replaced.
    pub fn insert<T: Send + Sync + 'static>(&mut self, state: Arc<T>) {
        self.values.insert(TypeId::of::<T>(), state);
    }

    /// The state of type `T`.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.values.get(&TypeId::of::<T>())?.clone().downcast().ok()
    }

    /// The router that they are the states of: the outermost, that all calls go to.
    /// `None` if it is not [shared](Router::shared), or gone.
    #[must_use]
    pub fn router(&self) -> Option<Arc<Router>> {
        self.router.upgrade()
    }

    /// Who decides what callers who come over a connection may do, if anybody does.
    #[must_use]
    pub fn security(&self) -> Option<&dyn Security> {
        self.security.as_deref()
    }

    pub(crate) fn set_security(&mut self, security: Arc<dyn Security>) {
        self.security = Some(security);
    }

    pub(crate) fn set_router(&mut self, router: Weak<Router>) {
        self.router = router;
    }

    /// Takes the state of type `T` away.
    pub(crate) fn remove<T: Send + Sync + 'static>(&mut self) -> Option<Arc<T>> {
        self.values.remove(&TypeId::of::<T>())?.downcast().ok()
    }

    /// Takes over states of types that are not here yet.
    pub(crate) fn inherit(&mut self, other: &Self) {
        for (kind, state) in &other.values {
            self.values.entry(*kind).or_insert_with(|| state.clone());
        }
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("States").field("count", &self.values.len()).finish()
    }
}
