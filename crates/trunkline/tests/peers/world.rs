//! [`World`]: a server that relays, and its clients.

use crate::support::{TestServer, Wire};
use trunkline::{Client, Fault, FaultKind, Limits, Peers, Router, Security, Server, client::Builder, relay};

/// A server that relays, on TCP and WebSocket.
pub(crate) struct World {
    pub(crate) tcp: String,
    pub(crate) ws: String,
    pub(crate) http: String,
    pub(crate) peers: Peers,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::of(Server::new(Router::new())).await
    }

    pub(crate) async fn with_limits(limits: Limits) -> Self {
        Self::of(Server::new(Router::new()).limits(limits)).await
    }

    pub(crate) async fn secured(security: impl Security) -> Self {
        Self::of(Server::new(Router::new()).security(security)).await
    }

    async fn of(server: Server) -> Self {
        let server = server.peers_by_name().tcp("127.0.0.1:0").http("127.0.0.1:0").bind().await.unwrap();
        let (peers, addresses) = (server.peers(), server.addresses());
        tokio::spawn(server.serve());
        Self {
            tcp: format!("tcp://{}", addresses[0]),
            ws: format!("ws://{}", addresses[1]),
            http: format!("http://{}", addresses[1]),
            peers,
        }
    }

    /// A client over TCP that serves these procedures to peers, by this name.
    pub(crate) async fn peer(&self, name: &str, for_peers: Router) -> Client {
        named(&self.tcp, name, for_peers).connect().await.unwrap()
    }

    /// A client over WebSocket without a name.
    pub(crate) async fn client(&self) -> Client {
        Client::connect(&self.ws).await.unwrap()
    }

    /// Waits until nobody has a name.
    pub(crate) async fn until_free(&self, name: &str) {
        while self.peers.named(name).is_some() {
            tokio::task::yield_now().await;
        }
    }
}

/// A client that is called by this name.
pub(crate) fn named(address: &str, name: &str, for_peers: Router) -> Builder {
    Client::builder(address).name(name).for_peers(for_peers)
}

/// Far ends in plain text of one server that relays.
pub(crate) struct Wires {
    server: TestServer,
}

impl Wires {
    pub(crate) fn with_limits(limits: Limits) -> Self {
        Self { server: TestServer::new(Server::new(Router::new()).limits(limits).peers_by_name()) }
    }

    pub(crate) fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    pub(crate) fn wire(&self) -> Wire {
        Wire::to(&self.server)
    }

    pub(crate) async fn named(&self, name: &str) -> Wire {
        let mut wire = self.wire();
        let answer = wire.ask(register(1, name)).await;
        assert_eq!(answer["result"], serde_json::Value::Null, "{answer}");
        wire
    }
}

pub(crate) fn register(id: u64, name: &str) -> String {
    crate::support::request(id, relay::REGISTER, serde_json::json!([name]))
}

/// Asserts that a fault says that a peer is not to be had, and why.
#[track_caller]
pub(crate) fn unavailable(fault: &Fault, name: &str) {
    assert_eq!(fault.kind(), FaultKind::Unavailable, "{fault:?}");
    assert_eq!(fault.name().as_deref(), Some(name), "{fault:?}");
}

/// Tells when it is dropped.
pub(crate) struct Dropped(pub(crate) Option<tokio::sync::oneshot::Sender<()>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.take().map(|told| told.send(()));
    }
}

/// What runs for ever, tells when it has begun, and when it is dropped.
pub(crate) struct Endless {
    pub(crate) router: Router,
    pub(crate) begun: tokio::sync::mpsc::UnboundedReceiver<tokio::sync::oneshot::Receiver<()>>,
}

impl Endless {
    /// With the procedures `wait`, which never answers, and `drip`, a stream of one
    /// item that never ends.
    pub(crate) fn new() -> Self {
        let (tell, begun) = tokio::sync::mpsc::unbounded_channel();
        let begin = move || {
            let (told, dropped) = tokio::sync::oneshot::channel();
            tell.send(dropped).unwrap();
            Dropped(Some(told))
        };
        let again = begin.clone();
        let router = Router::new()
            .procedure("wait", move || {
                let guard = begin();
                async move {
                    let _guard = guard;
                    std::future::pending::<()>().await;
                }
            })
            .procedure("drip", move || {
                let guard = again();
                async move {
                    use futures_util::{StreamExt, stream};
                    stream::iter([1_u8]).chain(stream::pending()).map(move |item| {
                        let _ = &guard;
                        item
                    })
                }
            });
        Self { router, begun }
    }

    /// Waits for the next one to begin; gives what waits for its end.
    pub(crate) async fn begun(&mut self) -> tokio::sync::oneshot::Receiver<()> {
        self.begun.recv().await.unwrap()
    }
}
