//! [`Peers`]: the connections that a server has open.

use crate::peer::Peer;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use trunkline_core::{
    ConnectionId, Fault, FaultKind, Format, Holder, OwnedPayload,
    relay::{check_name, name_taken},
};

/// The connections that a server has open, and the names that their far ends have.
/// Cheap to clone: all clones are the same set.
#[derive(Clone, Default)]
pub struct Peers {
    holder: Holder,
    listed: Arc<Mutex<Listed>>,
}

#[derive(Default)]
struct Listed {
    connections: HashMap<ConnectionId, Known>,
    /// Whose names they are.
    names: HashMap<Arc<str>, ConnectionId>,
}

struct Known {
    peer: Peer,
    /// In the order in which it has taken them.
    names: Vec<Arc<str>>,
}

impl Known {
    /// Whether it can be called by its names: it takes calls, and who is known there is
    /// known still.
    fn is_here(&self) -> bool {
        self.peer.is_open() && !self.peer.session().has_expired()
    }
}

impl Peers {
    /// The peers at this moment.
    #[must_use]
    pub fn all(&self) -> Vec<Peer> {
        self.lock().connections.values().map(|known| known.peer.clone()).collect()
    }

    /// The peer with this connection id.
    #[must_use]
    pub fn get(&self, id: ConnectionId) -> Option<Peer> {
        self.lock().connections.get(&id).map(|known| known.peer.clone())
    }

    /// The peer with this name, if it can be called.
    ///
    /// ```
    /// # use trunkline_core::Fault;
    /// # use trunkline_net::Peers;
    /// # async fn example(peers: &Peers) -> Result<(), Fault> {
    /// let alice = peers.named("alice").ok_or("alice is not here")?;
    /// let answer: String = alice.call("your.name", ()).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn named(&self, name: &str) -> Option<Peer> {
        let listed = self.lock();
        let known = listed.connections.get(listed.names.get(name)?)?;
        known.is_here().then(|| known.peer.clone())
    }

    /// The names that a peer has, in the order in which it has taken them.
    #[must_use]
    pub fn names_of(&self, id: ConnectionId) -> Vec<Arc<str>> {
        self.lock().connections.get(&id).map(|known| known.names.clone()).unwrap_or_default()
    }

    /// Gives a peer a name, up to `max_names` of them, for as long as its connection
    /// lasts; a name that it has already is fine. A name is not taken from another
    /// that can be called by it: not one whose identity has expired, nor one that
    /// answers no more.
    ///
    /// # Errors
    ///
    /// Fails if [there can be no such name](check_name), with
    /// [`FaultKind::Unavailable`] if another has it or the peer has as many as it may
    /// have, and if its connection has ended.
    pub fn register(&self, id: ConnectionId, name: &str, max_names: usize) -> Result<(), Fault> {
        check_name(name)?;
        let mut listed = self.lock();
        let Listed { connections, names } = &mut *listed;
        match names.get(name) {
            Some(holder) if *holder == id => return Ok(()),
            Some(holder) => {
                if let Some(known) = connections.get_mut(holder) {
                    if known.is_here() {
                        return Err(name_taken(name));
                    }
                    known.names.retain(|one| **one != *name);
                }
                names.remove(name);
            }
            None => {}
        }
        let Some(known) = connections.get_mut(&id) else {
            return Err(Fault::from("only a connection that is listed among those of the server has names"));
        };
        if known.names.len() >= max_names {
            let fault = Fault::new(FaultKind::Unavailable, "no more names for this connection");
            return Err(fault.with_data(format!("it may have {max_names}, the limit `max_names`")));
        }
        let name: Arc<str> = name.into();
        known.names.push(name.clone());
        names.insert(name, id);
        Ok(())
    }

    /// Takes a name from the peer that has it; whether it had it.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn unregister(&self, id: ConnectionId, name: &str) -> bool {
        let mut listed = self.lock();
        let had = listed.names.get(name) == Some(&id) && listed.names.remove(name).is_some();
        if let Some(known) = listed.connections.get_mut(&id) {
            known.names.retain(|one| **one != *name);
        }
        had
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().connections.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().connections.is_empty()
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
        Ok(self.broadcast_encoded(procedure, &args, choose))
    }

    pub(crate) fn broadcast_encoded(
        &self,
        procedure: &str,
        args: &OwnedPayload,
        choose: impl Fn(&Peer) -> bool,
    ) -> usize {
        let chosen = self.all().into_iter().filter(choose);
        chosen.filter(|peer| peer.notify_encoded(procedure, args).is_ok()).count()
    }

    /// The server whose connections they are, as their ids name it.
    pub(crate) fn holder(&self) -> Holder {
        self.holder
    }

    pub(crate) fn insert(&self, peer: Peer) {
        self.lock().connections.insert(peer.connection().id(), Known { peer, names: Vec::new() });
    }

    pub(crate) fn remove(&self, id: ConnectionId) {
        let mut listed = self.lock();
        let Some(known) = listed.connections.remove(&id) else { return };
        for name in known.names {
            // somebody else may have it by now
            if listed.names.get(&name) == Some(&id) {
                listed.names.remove(&name);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Listed> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").field("len", &self.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{link::Link, peer::Driver, serve::CALL_TIMEOUT, service::Service};
    use std::time::{Duration, Instant};
    use trunkline_core::{Identity, Router, session::set_identity};
    use trunkline_dialects::jsonrpc::JsonRpc;

    #[tokio::test]
    async fn whose_identity_has_expired_cannot_be_called_until_it_is_known_again() {
        let (peers, service) = (Peers::default(), Service::new(Router::new(), JsonRpc::default()));
        let listed = || {
            let (driver, peer) = Driver::new(Link::pair().0, &service, CALL_TIMEOUT);
            peers.insert(peer.clone());
            (driver, peer)
        };
        let ((_here, ada), (_there, other)) = (listed(), listed());
        let id = ada.connection().id();
        let until = |moment| set_identity(ada.connection(), Identity::new("ada").until(moment));
        let (past, ahead) =
            (Instant::now().checked_sub(Duration::from_secs(1)).unwrap(), Instant::now() + CALL_TIMEOUT);
        until(ahead);
        for name in ["ada", "countess"] {
            peers.register(id, name, 8).unwrap();
        }
        until(past);
        assert_eq!((peers.named("ada"), peers.named("countess")), (None, None));
        peers.register(other.connection().id(), "countess", 8).unwrap();
        until(ahead);
        assert_eq!((peers.named("ada"), peers.named("countess")), (Some(ada), Some(other)));
        assert_eq!(*peers.names_of(id), ["ada".into()]);
        peers.remove(id);
        assert!(peers.named("ada").is_none() && peers.named("countess").is_some());
    }
}
