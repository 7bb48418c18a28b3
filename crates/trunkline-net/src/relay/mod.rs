//! [`Relay`]: the procedures by which the far ends of a server call each other.
//!
//! The server only passes on. A relayed call is an ordinary call of the caller's
//! connection, whose handler makes an ordinary call to the far end with the name: so
//! limits, deadlines, cancellation, credit and faults are those of any call.

mod called;
mod passage;

pub use self::called::Called;

use self::passage::Passage;
use crate::{access, peer::Peer, peers::Peers};
use futures_util::Stream;
use std::{fmt, sync::Arc};
use trunkline_core::{
    Context, Fault, Limits, Open, OwnedPayload, Provide, Router, Security,
    relay::{CALL, NOTIFY, Name, REGISTER, Relayed, SUBSCRIBE, UNREGISTER, check_name},
};

/// The procedures by which the far ends of a server take names and call each other
/// by them; [the words](trunkline_core::relay) are part of the protocol.
///
/// ```
/// use trunkline_core::{Limits, Router};
/// use trunkline_dialects::jsonrpc::JsonRpc;
/// use trunkline_net::{Peers, Service, relay::Relay};
///
/// let peers = Peers::default();
/// let router = Router::new().service(Relay::new(peers.clone(), None, Limits::default()));
/// let service = Service::new(router, JsonRpc::default()).with_peers(peers);
/// ```
#[derive(Clone)]
pub struct Relay(Arc<Parts>);

struct Parts {
    peers: Peers,
    security: Option<Arc<dyn Security>>,
    limits: Limits,
}

impl Relay {
    /// Relays among `peers`, as far as `security` lets them: without one, all may
    /// take names and call each other. The limits are those of their connections.
    #[must_use]
    pub fn new(peers: Peers, security: Option<Arc<dyn Security>>, limits: Limits) -> Self {
        Self(Arc::new(Parts { peers, security, limits }))
    }

    fn register(&self, caller: &Peer, context: &Context, name: &str) -> Result<(), Fault> {
        check_name(name)?;
        if let Some(security) = &self.0.security {
            access::may_register(&**security, name, context)?;
        }
        self.0.peers.register(caller.connection().id(), name, self.0.limits.max_names)
    }

    async fn call(self, passage: Passage, asked: Relayed) -> Result<OwnedPayload, Fault> {
        passage.to(&self.0, asked)?.call().await
    }

    async fn notify(self, passage: Passage, asked: Relayed) -> Result<(), Fault> {
        passage.to(&self.0, asked)?.notify()
    }

    async fn subscribe(
        self,
        passage: Passage,
        asked: Relayed,
    ) -> Result<impl Stream<Item = Result<OwnedPayload, Fault>>, Fault> {
        passage.to(&self.0, asked)?.subscribe().await
    }
}

impl Provide for Relay {
    #[track_caller]
    fn provide(self, router: Router) -> Router {
        let relay = || self.clone();
        let (taken, given, called, notified, opened) = (relay(), relay(), relay(), relay(), relay());
        router
            .extension(REGISTER, move |caller: Peer, context: Context, Open(Name { name })| {
                std::future::ready(taken.register(&caller, &context, &name))
            })
            .extension(UNREGISTER, move |caller: Peer, Open(Name { name })| {
                std::future::ready(given.0.peers.unregister(caller.connection().id(), &name))
            })
            .extension(CALL, move |passage: Passage, Open(asked)| called.clone().call(passage, asked))
            .extension(NOTIFY, move |passage: Passage, Open(asked)| notified.clone().notify(passage, asked))
            .extension(SUBSCRIBE, move |passage: Passage, Open(asked)| {
                opened.clone().subscribe(passage, asked)
            })
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("peers", &self.0.peers).finish_non_exhaustive()
    }
}
