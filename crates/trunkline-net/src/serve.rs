//! [`serve`] and [`open`]: a link becomes a live connection.

use crate::{
    link::{Ended, Link},
    peer::{Driver, Peer},
    service::Service,
};
use std::time::Duration;
use tracing::Instrument;

/// How long calls of ours wait for their answers, unless said otherwise.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Serves one connection until it ends.
///
/// Dropping the future breaks the connection off: calls under way are cancelled.
pub async fn serve(link: Link, service: &Service) -> Ended {
    let (peer, driver) = open(link, service, CALL_TIMEOUT);
    let connection = peer.connection();
    let span = tracing::info_span!("connection", id = %connection.id(), transport = connection.transport());
    let _listed = Listed::new(&peer, service);
    service.hooks.connected(&peer);
    let ended = async {
        tracing::debug!(remote = ?connection.remote(), "open");
        let ended = driver.await;
        tracing::debug!(reason = %ended, "closed");
        ended
    }
    .instrument(span)
    .await;
    service.hooks.disconnected(&peer, &ended);
    ended
}

/// Opens a connection without listing it among the peers of `service`: gives its
/// far end, and the future that has to be driven for anything to happen.
pub fn open(
    link: Link,
    service: &Service,
    call_timeout: Duration,
) -> (Peer, impl Future<Output = Ended> + Send + use<>) {
    let (driver, peer) = Driver::new(link, service, call_timeout);
    (peer, driver)
}

/// Keeps a peer in the list of the server's peers.
struct Listed<'a>(&'a Peer, &'a Service);

impl<'a> Listed<'a> {
    fn new(peer: &'a Peer, service: &'a Service) -> Self {
        service.peers.insert(peer.clone());
        Self(peer, service)
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.1.peers.remove(self.0.connection().id());
    }
}
