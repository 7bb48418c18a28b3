//! [`TestServer`]: a server in this process, without ports.

use crate::{
    Client, Ended, JsonRpc, Link, Peers, Router, Server, Service, client::Builder, node::Node, serve,
};
#[cfg(feature = "http")]
use crate::{
    Shutdown,
    http::{Endpoint, IntoService},
};
use std::sync::Arc;
use tokio::{
    io::{DuplexStream, duplex},
    task::JoinHandle,
};
use trunkline_net::ByteStream;

/// A server in this process, without ports. Cheap to clone.
///
/// Its clients are [`Client`]s like any other, and everything is between that is between
/// them and a server elsewhere: messages, framing, limits, guards, security, hooks. The
/// connections alone are pipes in memory. They live until their client is dropped, also
/// when the `TestServer` is gone.
///
/// ```
/// use trunkline::{Headers, Identity, Router, Server, access::Access, testing::TestServer};
/// use trunkline::security::unauthenticated;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let router = Router::new()
///     .procedure("whoami", async |me: Identity| me.subject().map(str::to_owned))
///     .procedure("tenant", async |Headers(headers): Headers| {
///         headers.get("x-tenant").and_then(|tenant| tenant.to_str().ok()).map(str::to_owned)
///     });
/// let access = Access::new().bearer(async |token| match &*token {
///     "lovelace" => Ok(Identity::new("ada")),
///     _ => Err(unauthenticated("the token is not known")),
/// });
/// let server = TestServer::new(Server::new(router).security(access));
///
/// let ada = server.builder().bearer("lovelace").connect().await?;
/// assert_eq!(ada.call::<String>("whoami", ()).await?, "ada");
///
/// # #[cfg(feature = "http")] {
/// let acme = server.websocket().header("x-tenant", "acme").connect().await?;
/// assert_eq!(acme.call::<String>("tenant", ()).await?, "acme");
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TestServer {
    service: Service,
    /// What keeps the server in its network, if it has a broker.
    node: Option<Arc<Node>>,
    pipe: usize,
}

impl TestServer {
    /// Serves a [`Router`], a [`Server`], whose listeners are left alone, or a [`Service`].
    ///
    /// # Panics
    ///
    /// Panics if a handler takes a state that the router does not have; and as
    /// [`Server::bind`] does where there is a broker.
    #[must_use]
    pub fn new(served: impl Into<Self>) -> Self {
        served.into()
    }

    /// How many bytes are on their way in each direction of a connection, at most, before
    /// whoever writes has to wait. Default 64 KiB. With a few, those who read slowly are
    /// seen to; one is the least.
    #[must_use]
    pub fn pipe(mut self, bytes: usize) -> Self {
        self.pipe = bytes.max(1);
        self
    }

    /// A client with all settings at their defaults.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    #[must_use]
    pub fn client(&self) -> Client {
        self.builder().connect_lazy().expect("this address makes sense")
    }

    /// A client that is to be set up: its credentials, its own router, its timeouts. Its
    /// connections are lines of JSON, as over TCP; one that is lost is made anew.
    pub fn builder(&self) -> Builder {
        self.through("tcp://in.process:1", |server, far| drop(server.serve(far)))
    }

    /// The same over a WebSocket, whose request has [headers](Builder::header): a bearer
    /// token is one of them.
    #[cfg(feature = "http")]
    pub fn websocket(&self) -> Builder {
        self.through("ws://in.process/", Self::serve_http)
    }

    /// The same over HTTP, one POST a message.
    #[cfg(all(feature = "http", feature = "http-client"))]
    pub fn http(&self) -> Builder {
        self.through("http://in.process/", Self::serve_http)
    }

    /// Serves one connection of JSON in lines, over a stream that is there already; gives
    /// why it ended. [`Wire::to`](super::Wire::to) does that with a pipe.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    pub fn serve(&self, stream: impl ByteStream + 'static) -> JoinHandle<Ended> {
        let service = self.service.clone();
        let link = Link::in_process(stream, service.limits_in_force().max_message);
        tokio::spawn(async move { serve(link, &service).await })
    }

    /// Waits until the [broker](Server::broker) is there, and others of the network can call
    /// what this server has, as [`Bound::joined`](crate::Bound::joined) does.
    pub async fn joined(&self) {
        if let Some(node) = &self.node {
            node.joined().await;
        }
    }

    /// The connections that are open: the far ends of the clients, which can be called. One
    /// is among them once the server has heard of it: before the first call is answered.
    #[must_use]
    pub fn peers(&self) -> Peers {
        self.service.peers().clone()
    }

    /// The two ends of a pipe.
    pub(super) fn pair(&self) -> (DuplexStream, DuplexStream) {
        duplex(self.pipe)
    }

    /// A client whose connections are pipes, with `serve` at their far ends.
    fn through(&self, address: &str, serve: impl Fn(&Self, DuplexStream) + Send + Sync + 'static) -> Builder {
        let server = self.clone();
        let connect = move || {
            let (near, far) = server.pair();
            serve(&server, far);
            Box::new(near) as Box<dyn ByteStream>
        };
        Builder::through(address, Arc::new(connect))
    }

    #[cfg(feature = "http")]
    fn serve_http(&self, far: DuplexStream) {
        let endpoint = IntoService::new(Endpoint::new(self.service.clone()), Shutdown::new());
        tokio::spawn(async move {
            if let Err(error) = endpoint.serve_stream(far).await {
                tracing::debug!(%error, "an HTTP connection broke");
            }
        });
    }
}

impl From<&Self> for TestServer {
    fn from(server: &Self) -> Self {
        server.clone()
    }
}

impl From<Service> for TestServer {
    fn from(service: Service) -> Self {
        Self { service, node: None, pipe: 64 << 10 }
    }
}

impl From<Server> for TestServer {
    fn from(server: Server) -> Self {
        let (service, node) = server.into_service().unwrap_or_else(|error| panic!("{error}"));
        if let Some(node) = &node {
            node.join(&service);
        }
        Self { node: node.map(Arc::new), ..service.into() }
    }
}

impl From<Router> for TestServer {
    fn from(router: Router) -> Self {
        Service::new(router, JsonRpc::default()).into()
    }
}
