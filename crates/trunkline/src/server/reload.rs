//! [`Reloader`]: changes what is served while it is served.

use super::{SchemaError, Server, Socket, listener::Accepting, serve_all};
use crate::{Cluster, Service, Shutdown, node::Node};
use std::{
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::{mpsc, oneshot};

/// Changes what is served while it is served, from any task; made by
/// [`Bound::reloader`](super::Bound::reloader). Cheap to clone.
///
/// ```
/// use trunkline::{Client, Limits, Router, Server};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = |word: &'static str| Server::new(Router::new().procedure("word", move || async move { word })).tcp("127.0.0.1:0");
/// let bound = server("old").bind().await?;
/// let (address, reloader) = (format!("tcp://{}", bound.addresses()[0]), bound.reloader());
/// tokio::spawn(bound.serve());
///
/// let before = Client::connect(&address).await?;
/// assert_eq!(before.call::<String>("word", ()).await?, "old");
/// reloader.reload(server("new")).await?;
/// let after = Client::connect(&address).await?;
/// assert_eq!(after.call::<String>("word", ()).await?, "new");
/// assert_eq!(before.call::<String>("word", ()).await?, "old", "it keeps what it began with");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Reloader {
    /// Where the listeners are, in their order.
    pub(super) places: Arc<[String]>,
    pub(super) cluster: Cluster,
    pub(super) node: Option<Weak<Node>>,
    pub(super) sockets: Weak<Vec<Socket>>,
    pub(super) shutdown: Shutdown,
    pub(super) renew: mpsc::UnboundedSender<Renewed>,
    /// Whether anybody takes what is renewed, or it is kept for who will.
    pub(super) serving: Arc<AtomicBool>,
}

/// What is served from now on.
pub(super) struct Renewed {
    pub(super) accepting: Vec<Accepting>,
    pub(super) service: Service,
    /// Told when it is.
    pub(super) done: oneshot::Sender<()>,
}

impl Renewed {
    /// Who takes connections in, and for what, from now on.
    pub(super) fn begin(self, node: Option<&Node>) -> (Vec<Accepting>, Service) {
        let Self { accepting, service, done } = self;
        if let Some(node) = node {
            node.call_within(&service);
        }
        // who wanted it may have lost interest
        let _ = done.send(());
        (accepting, service)
    }
}

/// Nothing has been changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// The new server listens elsewhere.
    #[error("what listens at [{}] cannot be made to listen at [{}] without a restart", .was.join(", "), .wanted.join(", "))]
    Places {
        /// Where the listeners are.
        was: Vec<String>,
        /// Where the new server has them.
        wanted: Vec<String>,
    },
    /// A schema that was written by hand is none for clients of @therms.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The server does not serve any more.
    #[error("the server does not serve any more")]
    Over,
}

impl Reloader {
    /// Serves what `server` says to all who connect from now on: its router, security, limits,
    /// hooks, languages, and the settings of its listeners, such as certificates. Nobody is
    /// disconnected, and connections that are open keep what they began with. What
    /// counts connections counts those of before as well. A server that does not serve yet
    /// will serve that from the beginning.
    ///
    /// The listeners have to be the same, in the same order. The server stays in its
    /// network, under its name: what `server` has for a broker is not looked at, and to the
    /// network the procedures of before are served. Its handlers reach clients by the
    /// [`Cluster`](super::Bound::cluster) of before, [`Server::cluster`] of `server` reaches nobody.
    ///
    /// # Errors
    ///
    /// Fails, and changes nothing, if the listeners are others, if a schema is none for
    /// clients of @therms who may call, as [`Server::bind`] does, or if the server does not
    /// [serve](super::Bound::serve_until) any more.
    ///
    /// # Panics
    ///
    /// Panics as [`Server::bind`] does.
    pub async fn reload(&self, mut server: Server) -> Result<(), ReloadError> {
        let listeners = server.take_listeners();
        let wanted: Vec<_> = listeners.iter().map(super::Listener::place).collect();
        if *wanted != *self.places {
            return Err(ReloadError::Places { was: self.places.to_vec(), wanted });
        }
        let (done, is_done) = oneshot::channel();
        let renewed = {
            let sockets = self.sockets.upgrade().ok_or(ReloadError::Over)?;
            let node = match &self.node {
                Some(node) => Some(node.upgrade().ok_or(ReloadError::Over)?),
                None => None,
            };
            let service = server.service_of(self.cluster.clone(), node.as_deref())?;
            let accepting = serve_all(listeners, &sockets, &service, &self.shutdown);
            Renewed { accepting, service, done }
        };
        self.renew.send(renewed).map_err(|_| ReloadError::Over)?;
        if !self.serving.load(Ordering::SeqCst) {
            return Ok(());
        }
        is_done.await.map_err(|_| ReloadError::Over)
    }
}

impl Reloader {
    /// From now on what is renewed is taken, once what was kept has been.
    pub(super) fn serves(&self) {
        self.serving.store(true, Ordering::SeqCst);
    }
}

impl fmt::Debug for Reloader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reloader").field("places", &self.places).finish_non_exhaustive()
    }
}
