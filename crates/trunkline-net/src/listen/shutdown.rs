//! [`Shutdown`]: the end of listeners and their connections, in good order.

use crate::{
    link::{Ended, Link},
    peers::Peers,
    serve::attend,
    service::Service,
};
use std::{future::Future, time::Duration};
use tokio::time::timeout;
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

/// How long connections that are broken off may take to notice. An abort takes
/// one poll of each; those that cannot even do that are dropped with the runtime.
const LAST_POLL: Duration = Duration::from_secs(2);

/// Ends listeners and their connections in good order, whatever services they
/// have. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    begun: CancellationToken,
    tasks: TaskTracker,
    /// Those who are told.
    peers: Peers,
}

impl Shutdown {
    /// A shutdown that has not begun.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits for the shutdown to begin.
    pub async fn begun(&self) {
        self.begun.cancelled().await;
    }

    /// Whether the shutdown has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.begun.is_cancelled()
    }

    /// Runs a task that the shutdown waits for.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Serves one connection until it ends, as [`serve`](crate::serve()) does; its
    /// far side is told of the shutdown.
    ///
    /// Dropping the future breaks the connection off: calls under way are cancelled.
    pub async fn serve(&self, link: Link, service: &Service) -> Ended {
        attend(link, service, Some(self)).await
    }

    /// Shuts down: stops accepting, tells every peer, lets calls under way
    /// finish for as long as `drain_timeout`, then breaks off what is left.
    pub async fn run(&self, drain_timeout: Duration) {
        self.begun.cancel();
        self.tasks.close();
        self.peers.all().iter().for_each(|peer| peer.leave());
        if timeout(drain_timeout, self.tasks.wait()).await.is_err() {
            tracing::warn!("connections are still open after the limit `drain_timeout`: breaking them off");
            self.peers.all().iter().for_each(|peer| peer.abort());
            let _ = timeout(LAST_POLL, self.tasks.wait()).await;
        }
    }

    /// Who is told of the shutdown.
    pub(crate) fn peers(&self) -> &Peers {
        &self.peers
    }

    /// The shutdown waits for as long as this is kept.
    pub(crate) fn token(&self) -> TaskTrackerToken {
        self.tasks.token()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Peer, open, serve::CALL_TIMEOUT};
    use tokio::time::Instant;
    use trunkline_core::Router;
    use trunkline_dialects::jsonrpc::JsonRpc;

    const DRAIN: Duration = Duration::from_secs(30);

    fn service() -> Service {
        Service::new(Router::new(), JsonRpc::default())
    }

    /// Somebody who has connected, and whose connection has been handed to a task
    /// that has not run yet.
    fn accepted(shutdown: &Shutdown, service: &Service) -> Peer {
        let (here, there) = Link::pair();
        let (peer, driver) = open(here, &self::service(), CALL_TIMEOUT);
        tokio::spawn(driver);
        let service = service.clone();
        let serving = shutdown.clone();
        shutdown.spawn(async move { drop(serving.serve(there, &service).await) });
        peer
    }

    #[tokio::test(start_paused = true)]
    async fn one_who_comes_while_the_others_are_told_to_leave_is_told_too() {
        let (shutdown, service, since) = (Shutdown::new(), service(), Instant::now());
        let peer = accepted(&shutdown, &service);
        assert!(service.peers().is_empty(), "its task has not run");
        shutdown.run(DRAIN).await;
        peer.closed().await;
        assert_eq!(since.elapsed(), Duration::ZERO, "nobody waits for the limit `drain_timeout`");
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_outlives_its_shutdown() {
        let (shutdown, service) = (Shutdown::new(), service());
        shutdown.run(DRAIN).await;
        let peer = accepted(&Shutdown::new(), &service);
        let fault = peer.call::<()>("nope", ()).await.unwrap_err();
        assert_eq!(fault.kind(), trunkline_core::FaultKind::NotFound);
        // whoever gives a shutdown up half-way has given it up
        let shutdown = Shutdown::new();
        shutdown.spawn(std::future::pending());
        assert!(tokio::time::timeout(Duration::from_secs(1), shutdown.run(DRAIN)).await.is_err());
        let peer = accepted(&Shutdown::new(), &service);
        let fault = peer.call::<()>("nope", ()).await.unwrap_err();
        assert_eq!(fault.kind(), trunkline_core::FaultKind::NotFound);
    }
}
