//! [`Session`]: what is remembered of a connection.

use crate::{
    call::Call, clock::now, connection::Connection, connection_id::ConnectionId, extract::Extract,
    fault::Fault, identity::Identity, states::States,
};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What is remembered of a connection: one value of each type, and who is at its
/// far end. Cheap to clone: all clones are the same.
///
/// A connection of which nothing is remembered has no memory for it. Over HTTP
/// each request is a connection of its own, and is forgotten with its answer.
///
/// ```
/// # use trunkline_core::{Fault, Router, Session};
/// struct Room(String);
///
/// let router = Router::new()
///     .procedure("enter", async |session: Session, room: String| {
///         session.insert(Room(room));
///     })
///     .procedure("where", async |session: Session| match session.get::<Room>() {
///         Some(room) => Ok(room.0.clone()),
///         None => Err(Fault::from("you are in no room")),
///     });
/// ```
#[derive(Clone)]
pub struct Session(Arc<Connection>);

/// The memory of a connection that has any.
#[derive(Default)]
pub(crate) struct Store(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    identity: Identity,
    values: States,
}

impl Store {
    pub(crate) fn identity(&self) -> Identity {
        self.lock().identity.clone()
    }

    pub(crate) fn set_identity(&self, identity: Identity) {
        self.lock().identity = identity;
    }

    /// Nothing of a user's runs under this lock, so that it cannot be poisoned half-way.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// What is remembered of `connection`.
    #[must_use]
    pub fn of(connection: &Arc<Connection>) -> Self {
        Self(connection.clone())
    }

    /// What tells the connection from all others.
    #[must_use]
    pub fn id(&self) -> ConnectionId {
        self.0.id()
    }

    /// The connection.
    #[must_use]
    pub fn connection(&self) -> &Arc<Connection> {
        &self.0
    }

    /// Who the far end is known to be now. The [identity](crate::Context::identity)
    /// of a call is the one it started with, and this may have changed since; an
    /// identity that has expired is none.
    #[must_use]
    pub fn identity(&self) -> Identity {
        let identity = self.0.store().map(Store::identity).unwrap_or_default();
        if identity.has_expired(now()) { Identity::anonymous() } else { identity }
    }

    /// Whether the far end was known until a while ago, and has not said since who it is.
    #[must_use]
    pub fn has_expired(&self) -> bool {
        self.0.store().is_some_and(|store| store.identity().has_expired(now()))
    }

    /// Remembers a value; gives the one of the same type that it replaces.
    pub fn insert<T: Send + Sync + 'static>(&self, value: T) -> Option<Arc<T>> {
        let value = Arc::new(value);
        let mut kept = self.0.store_or_new().lock();
        let before = kept.values.get();
        kept.values.insert(value);
        before
    }

    /// The value of type `T`, if one is remembered.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.store()?.lock().values.get()
    }

    /// The value of type `T`, which is made if none is remembered. Of several calls
    /// at the same time, all get the same.
    pub fn get_or_insert_with<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        if let Some(value) = self.get() {
            return value;
        }
        // made before the lock is taken: what makes it may ask the session too
        let made = Arc::new(make());
        let mut kept = self.0.store_or_new().lock();
        if let Some(value) = kept.values.get() {
            return value;
        }
        kept.values.insert(made.clone());
        made
    }

    /// Forgets the value of type `T`, and gives it.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn remove<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.store()?.lock().values.remove()
    }
}

/// Changes who the far end of a connection is known to be: for whoever drives it,
/// who makes its calls under it too.
#[doc(hidden)]
pub fn set_identity(connection: &Connection, identity: Identity) {
    if !identity.is_blank() || connection.store().is_some() {
        connection.store_or_new().set_identity(identity);
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("connection", &self.0).finish_non_exhaustive()
    }
}

impl Extract for Session {
    fn extract(call: &Call<'_>) -> Result<Self, Fault> {
        Ok(Self::of(call.context.connection()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn session() -> Session {
        Session::of(&Arc::new(Connection::new("memory", "none")))
    }

    #[test]
    fn there_is_one_value_of_each_type() {
        let session = session();
        assert_eq!(session.insert(1_u8), None);
        assert_eq!(session.insert("word"), None);
        assert_eq!(session.clone().insert(2_u8).as_deref(), Some(&1));
        assert_eq!(session.get::<u8>().as_deref(), Some(&2));
        assert_eq!(*session.get_or_insert_with(|| 3_u8), 2);
        assert_eq!(session.remove::<u8>().as_deref(), Some(&2));
        assert_eq!(session.get::<u8>(), None);
        assert_eq!(session.get::<&str>().as_deref(), Some(&"word"));
    }

    #[test]
    fn who_has_nothing_to_remember_has_no_memory() {
        let session = session();
        assert_eq!(session.get::<u8>(), None);
        assert_eq!(session.remove::<u8>(), None);
        assert!(session.identity().is_anonymous());
        set_identity(session.connection(), Identity::anonymous());
        assert!(session.connection().store().is_none());
    }

    #[test]
    fn an_identity_that_has_expired_is_none() {
        let session = session();
        set_identity(session.connection(), Identity::new("ada"));
        assert_eq!(session.identity().subject(), Some("ada"));
        assert!(!session.has_expired());
        let past = now().checked_sub(Duration::from_millis(1)).unwrap();
        set_identity(session.connection(), Identity::new("ada").until(past));
        assert!(session.identity().is_anonymous() && session.has_expired());
        set_identity(session.connection(), Identity::anonymous());
        assert!(!session.has_expired());
    }
}
