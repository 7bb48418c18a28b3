//! [`Peers`]: the connections that a server has open.

use crate::peer::Peer;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use trunkline_core::{ConnectionId, Fault, Format, OwnedPayload};

/// The connections that a server has open. Cheap to clone: all clones are the same set.
#[derive(Clone, Default)]
pub struct Peers(Arc<Mutex<HashMap<ConnectionId, Peer>>>);

impl Peers {
    /// The peers at this moment.
    #[must_use]
    pub fn all(&self) -> Vec<Peer> {
        self.lock().values().cloned().collect()
    }

    /// The peer with this connection id.
    #[must_use]
    pub fn get(&self, id: ConnectionId) -> Option<Peer> {
        self.lock().get(&id).cloned()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Notifies every peer. The arguments are encoded once, whatever the number
    /// of peers. Gives the number of peers it went out to; those that do not read
    /// what they are sent are left out.
    ///
    /// # Errors
    ///
    /// Fails if the arguments cannot be encoded.
    pub fn broadcast(&self, procedure: &str, args: impl serde::Serialize) -> Result<usize, Fault> {
        self.broadcast_to(procedure, args, |_| true)
    }

    /// Notifies the peers that `choose` picks.
    ///
    /// # Errors
    ///
    /// Fails if the arguments cannot be encoded.
    pub fn broadcast_to(
        &self,
        procedure: &str,
        args: impl serde::Serialize,
        choose: impl Fn(&Peer) -> bool,
    ) -> Result<usize, Fault> {
        let args = OwnedPayload::encode(&args, Format::Json).map_err(Fault::internal)?;
        let chosen = self.all().into_iter().filter(choose);
        Ok(chosen.filter(|peer| peer.notify_encoded(procedure, &args).is_ok()).count())
    }

    pub(crate) fn insert(&self, peer: Peer) {
        self.lock().insert(peer.connection().id(), peer);
    }

    pub(crate) fn remove(&self, id: ConnectionId) {
        self.lock().remove(&id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, Peer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").field("len", &self.len()).finish()
    }
}
