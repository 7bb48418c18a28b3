//! [`Bound`]: a server whose listeners are bound, from its first connection to its last.

use super::{
    listener::{Accepting, Socket},
    reload::{Reloader, Renewed},
};
use crate::{Cluster, Peers, Service, Shutdown, node::Node};
use std::{fmt, net::SocketAddr, sync::Arc};
use tokio::{join, select, sync::mpsc, task::JoinSet, time::timeout};

/// A server whose listeners are bound.
pub struct Bound {
    pub(super) service: Service,
    pub(super) node: Option<Arc<Node>>,
    pub(super) cluster: Cluster,
    pub(super) sockets: Arc<Vec<Socket>>,
    pub(super) accepting: Vec<Accepting>,
    pub(super) shutdown: Shutdown,
    pub(super) reloader: Reloader,
    pub(super) renewals: mpsc::UnboundedReceiver<Renewed>,
}

impl Bound {
    /// The addresses that were bound, in the order in which the listeners were
    /// named; Unix sockets have none.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().filter_map(Socket::address).collect()
    }

    /// The connections that are open, from here or from any other task.
    #[must_use]
    pub fn peers(&self) -> Peers {
        self.service.peers().clone()
    }

    /// Reaches the clients of all servers of the network, as [`Server::cluster`](super::Server::cluster) does.
    #[must_use]
    pub fn cluster(&self) -> Cluster {
        self.cluster.clone()
    }

    /// Changes what is served while it is served, from any other task.
    #[must_use]
    pub fn reloader(&self) -> Reloader {
        self.reloader.clone()
    }

    /// Serves for ever.
    pub async fn serve(self) {
        self.serve_until(std::future::pending::<()>()).await;
    }

    /// Waits until the [broker](super::Server::broker) is there, and others of the network can call
    /// what this server has; for as long as that takes. Ready at once without a broker.
    ///
    /// A server is of use before, too: what it has itself needs no broker, and calls of what
    /// others have wait for it. So this is for programs that are to be ready when they say so.
    pub fn joined(&self) -> impl Future<Output = ()> + Send + use<> {
        let node = self.node.clone();
        async move {
            if let Some(node) = node {
                node.joined().await;
            }
        }
    }

    /// Serves until `shutdown` is ready, then drains. Dropping the future stops
    /// accepting, and leaves the network; connections that are open live on with the runtime.
    pub async fn serve_until(self, shutdown: impl Future) {
        let Self { mut service, node, sockets, accepting, shutdown: ending, reloader, renewals, .. } = self;
        let (mut accepting, mut renewals) = (accepting, renewals);
        reloader.serves();
        drop(reloader);
        while let Ok(renewed) = renewals.try_recv() {
            (accepting, service) = renewed.begin(node.as_deref());
        }
        // tasks of their own, which end when this is dropped
        let mut accepting: JoinSet<()> = accepting.into_iter().collect();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let renewed = select! {
                _ = &mut shutdown => break,
                Some(renewed) = renewals.recv() => renewed,
            };
            accepting.shutdown().await;
            let next;
            (next, service) = renewed.begin(node.as_deref());
            accepting.extend(next);
        }
        // nobody is to wait where nobody is let in any more
        drop((sockets, renewals));
        let drained = ending.run(service.limits_in_force().drain_timeout);
        leave(node.as_deref(), &service, drained).await;
        // they have let go of their addresses once they have ended
        while accepting.join_next().await.is_some() {}
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound")
            .field("service", &self.service)
            .field("node", &self.node)
            .field("sockets", &self.sockets)
            .finish_non_exhaustive()
    }
}

/// Finishes what was taken of others while connections are drained, which may still call
/// others, and then leaves the network.
pub(super) async fn leave(node: Option<&Node>, service: &Service, connections: impl Future<Output = ()>) {
    let Some(node) = node else { return connections.await };
    let most = service.limits_in_force().drain_timeout;
    let (finished, ()) = join!(timeout(most, node.drain()), connections);
    if finished.is_err() {
        tracing::warn!("calls of others still run after the limit `drain_timeout`: breaking them off");
    }
    node.leave().await;
}
