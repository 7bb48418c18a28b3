//! [`serve`] and [`open`]: a link becomes a live connection.

use crate::{
    hooks::Hooks,
    link::{Ended, Link},
    listen::Shutdown,
    peer::{Driver, Peer},
    peers::Peers,
    service::Service,
    telling,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};
use tracing::Instrument;

/// How long calls of ours wait for their answers, unless said otherwise.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Serves one connection until it ends.
///
/// Dropping the future breaks the connection off: calls under way are cancelled.
/// A connection that a [`Shutdown`] is to end is served by [`Shutdown::serve`].
pub async fn serve(link: Link, service: &Service) -> Ended {
    attend(link, service, None).await
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

/// Serves one connection until it ends, which the shutdown may bring about.
pub(crate) async fn attend(mut link: Link, service: &Service, shutdown: Option<&Shutdown>) -> Ended {
    link.connection = link.connection.held_by(service.peers.holder());
    let (peer, driver) = open(link, service, CALL_TIMEOUT);
    let connection = peer.connection();
    let span = telling::connection_span(connection, false);
    let _listed = Listed::new(&peer, [Some(&service.peers), shutdown.map(Shutdown::peers)]);
    if shutdown.is_some_and(Shutdown::has_begun) {
        // all who were listed have been told, so this one may not have been
        peer.leave();
    }
    let announced = Announced::new(&peer, &service.hooks);
    let ended = async {
        tracing::debug!(remote = ?connection.remote(), "open");
        let ended = driver.await;
        tracing::debug!(reason = %ended, "closed");
        ended
    }
    .instrument(span)
    .await;
    announced.end(&ended);
    ended
}

/// Keeps a peer in lists.
struct Listed<'a> {
    peer: &'a Peer,
    lists: [Option<&'a Peers>; 2],
}

impl<'a> Listed<'a> {
    fn new(peer: &'a Peer, lists: [Option<&'a Peers>; 2]) -> Self {
        lists.iter().flatten().for_each(|list| list.insert(peer.clone()));
        Self { peer, lists }
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        let id = self.peer.connection().id();
        self.lists.iter().flatten().for_each(|list| list.remove(id));
    }
}

/// A connection that the hooks know of. They hear of its end once, however it
/// comes about.
struct Announced<'a> {
    peer: &'a Peer,
    hooks: &'a Hooks,
    over: bool,
}

impl<'a> Announced<'a> {
    fn new(peer: &'a Peer, hooks: &'a Hooks) -> Self {
        let announced = Self { peer, hooks, over: false };
        hooks.connected(peer);
        announced
    }

    fn end(mut self, ended: &Ended) {
        self.over = true;
        self.hooks.disconnected(self.peer, ended);
    }
}

impl Drop for Announced<'_> {
    fn drop(&mut self) {
        if !self.over {
            // this may be because of a panic, and a second one would end the program
            let told = catch_unwind(AssertUnwindSafe(|| self.hooks.disconnected(self.peer, &Ended::Dropped)));
            if told.is_err() {
                tracing::error!("a hook `on_disconnect` panicked");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex, PoisonError};
    use trunkline_core::Router;
    use trunkline_dialects::jsonrpc::JsonRpc;

    /// What the hooks of a service were told, in order.
    #[derive(Clone, Default)]
    struct Told(Arc<Mutex<Vec<String>>>);

    impl Told {
        fn add(&self, what: impl ToString) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what.to_string());
        }

        fn all(&self) -> Vec<String> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
        }

        fn hooks(&self) -> Hooks {
            let (connected, disconnected) = (self.clone(), self.clone());
            Hooks::default()
                .on_connect(move |_| connected.add("connected"))
                .on_disconnect(move |_, ended| disconnected.add(format!("{ended:?}")))
        }
    }

    /// Serves one end of a link with these hooks, and gives a peer at the other.
    fn served(hooks: Hooks) -> (Peer, Service, tokio::task::JoinHandle<Ended>) {
        let service = Service::new(Router::new(), JsonRpc::default()).hooks(hooks);
        let (here, there) = Link::pair();
        let (peer, driver) = open(here, &Service::new(Router::new(), JsonRpc::default()), CALL_TIMEOUT);
        tokio::spawn(driver);
        let serving = service.clone();
        (peer, service, tokio::spawn(async move { serve(there, &serving).await }))
    }

    #[tokio::test]
    async fn hooks_are_told_of_the_end_once() {
        let told = Told::default();
        let (peer, service, serving) = served(told.hooks());
        peer.close();
        serving.await.unwrap();
        assert_eq!(told.all(), ["connected", "ByPeer"]);
        assert!(service.peers().is_empty());
    }

    #[tokio::test]
    async fn hooks_are_told_of_a_connection_that_is_dropped() {
        let told = Told::default();
        let (_peer, service, serving) = served(told.hooks());
        tokio::task::yield_now().await;
        assert_eq!(told.all(), ["connected"]);
        serving.abort();
        assert!(serving.await.unwrap_err().is_cancelled());
        assert_eq!(told.all(), ["connected", "Dropped"]);
        assert!(service.peers().is_empty());
    }

    #[tokio::test]
    async fn hooks_are_told_of_a_connection_whose_task_panics() {
        let told = Told::default();
        let hooks = told.hooks().on_fault(|_| panic!("a hook fails"));
        let (peer, service, serving) = served(hooks);
        peer.call::<()>("nope", ()).await.unwrap_err();
        assert!(serving.await.unwrap_err().is_panic());
        assert_eq!(told.all(), ["connected", "Dropped"]);
        assert!(service.peers().is_empty());
    }

    #[tokio::test]
    async fn a_hook_that_panics_hears_nothing_twice() {
        for (in_connect, ends) in [(true, "Dropped"), (false, "ByPeer")] {
            let told = Told::default();
            let hooks = told.hooks().on_connect(move |_| assert!(!in_connect, "a hook fails"));
            let (peer, service, serving) = served(hooks.on_disconnect(|_, _| panic!("a hook fails")));
            peer.close();
            assert!(serving.await.unwrap_err().is_panic());
            assert_eq!(told.all(), ["connected", ends]);
            assert!(service.peers().is_empty());
        }
    }
}
