//! [`Server`]: a router, and the ways to reach it.

mod bound;
mod coercing;
mod discover;
mod listener;
mod reload;

#[cfg(feature = "http")]
pub use self::listener::HttpListener;
pub use self::{
    bound::Bound,
    coercing::SchemaError,
    listener::{BindError, Listener, StreamsListener},
    reload::{ReloadError, Reloader},
};

use self::{
    bound::leave,
    coercing::coercing,
    listener::{Accepting, Socket},
};

use crate::{
    Cluster, Ended, Hooks, JsonRpc, Limits, Link, Router, Security, Service, Shutdown, broker::Broker,
    envelope::envelope, node::Node, serve,
};
use std::{fmt, sync::Arc, time::Duration};
use tokio::sync::mpsc;
use trunkline_net::relay::Relay;

/// Serves a [`Router`] on any number of listeners at once.
///
/// ```no_run
/// use trunkline::{Router, Server};
///
/// # async fn serve() -> Result<(), trunkline::server::BindError> {
/// let router = Router::new().procedure("add", |(a, b): (i64, i64)| async move { a + b });
/// Server::new(router)
///     .http("127.0.0.1:9876") // HTTP and WebSocket
///     .tcp("127.0.0.1:9877")  // newline-delimited JSON
///     .serve_until(async { tokio::signal::ctrl_c().await.unwrap_or_default() })
///     .await
/// # }
/// ```
#[must_use = "a server does nothing until it serves"]
pub struct Server {
    name: String,
    version: String,
    router: Router,
    limits: Limits,
    hooks: Hooks,
    language: JsonRpc,
    #[cfg(feature = "http")]
    therms: Option<crate::Therms>,
    discover: bool,
    peers_by_name: bool,
    tells_timeouts: bool,
    security: Option<Arc<dyn Security>>,
    listeners: Vec<Listener>,
    broker: Option<Arc<dyn Broker>>,
    network: String,
    cluster: Cluster,
    /// How often it says that it is there, if it does, and that was said.
    announced: Option<Option<Duration>>,
}

impl Server {
    /// Serves `router`. Listeners are still to be named.
    pub fn new(router: Router) -> Self {
        Self {
            name: "trunkline".to_owned(),
            version: "0.0.0".to_owned(),
            router,
            limits: Limits::default(),
            hooks: Hooks::default(),
            language: JsonRpc::default(),
            #[cfg(feature = "http")]
            therms: None,
            discover: false,
            peers_by_name: false,
            tells_timeouts: false,
            security: None,
            listeners: Vec::new(),
            broker: None,
            network: "trunkline".to_owned(),
            cluster: Cluster::default(),
            announced: None,
        }
    }

    /// The name of the service, as `rpc.discover` tells it if the server is
    /// [discoverable](Self::discoverable), and other servers of its [network](Self::network)
    /// see it. Default `trunkline`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The version of the service, as `rpc.discover` tells it if the server is
    /// [discoverable](Self::discoverable), and other servers of its [network](Self::network)
    /// see it. Default `0.0.0`; most programs give
    /// `env!("CARGO_PKG_VERSION")`.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// The limits of each listener and connection.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What is called when connections come and go, and when things fail.
    pub fn hooks(mut self, hooks: Hooks) -> Self {
        self.hooks = hooks;
        self
    }

    /// Tells its clients with each call of theirs that handlers make, by way of a
    /// [`Peer`](crate::Peer), how long they wait for the answer:
    /// [`Builder::tell_timeouts`](crate::client::Builder::tell_timeouts) the other way.
    /// Default: nothing is said.
    pub fn tell_timeouts(mut self) -> Self {
        self.tells_timeouts = true;
        self
    }

    /// Who decides who callers are, what they may do, and what they are told; most
    /// programs give an [`Access`](crate::access::Access). Default: nobody does, all
    /// callers are anonymous, and may call all that is not internal, whatever group it
    /// belongs to.
    pub fn security(mut self, security: impl Security) -> Self {
        self.security = Some(Arc::new(security));
        self
    }

    /// How JSON-RPC is spoken where a listener does not say otherwise.
    pub fn language(mut self, language: JsonRpc) -> Self {
        self.language = language;
        self
    }

    /// Serves clients of @therms/rpc-server too, on the same HTTP listeners, where each
    /// message shows in what language it is. Default: not.
    ///
    /// Such a listener takes every request for a call, whatever its method and path, of
    /// web pages of any origin unless [some are listed](crate::http::Http::allow_origins),
    /// and with bodies of up to [1 MiB](crate::Therms::max_body), for that is what those
    /// clients expect: see [`Endpoint::gateway`](crate::http::Endpoint::gateway). An
    /// endpoint that was named for `/` is left as it is.
    ///
    /// ```
    /// use trunkline::{Fault, Router, Server, Therms, therms::Request};
    ///
    /// async fn whoami(request: Request) -> Result<Option<String>, Fault> {
    ///     Ok(request.identity.and_then(|identity| identity.device_name().map(str::to_owned)))
    /// }
    ///
    /// // {"procedure": "whoami", "scope": "test"}
    /// let router = Router::new().procedure("test.whoami", whoami);
    /// let server = Server::new(router).therms(Therms::default()).http("127.0.0.1:0");
    /// ```
    #[cfg(feature = "http")]
    pub fn therms(mut self, therms: crate::Therms) -> Self {
        self.therms = Some(therms);
        self
    }

    /// Answers `rpc.discover` with an [OpenRPC document](JsonRpc::openrpc) that
    /// describes every procedure, to everybody who may call it: also those that a
    /// guard, or the [security](Self::security), would not let the caller call, but none that is
    /// [internal](crate::Registration::internal). With a [broker](Self::broker) those of
    /// other servers are among them, as far as they [have told](Cluster::catalog).
    /// Default: it is a procedure that does not exist.
    ///
    /// ```
    /// # use trunkline::{Client, Link, Router, Server, handler};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), trunkline::Fault> {
    /// let add = handler(async |(a, b): (i64, i64)| a + b).description("Adds two numbers.");
    /// let server = Server::new(Router::new().procedure("add", add))
    ///     .name("calculator")
    ///     .version("1.2.3")
    ///     .discoverable();
    /// # let (here, there) = Link::pair();
    /// # tokio::spawn(server.serve_link(there));
    /// # let client = Client::over(here).connect_lazy().unwrap();
    /// let document: serde_json::Value = client.call("rpc.discover", ()).await?;
    /// assert_eq!(document["info"]["title"], "calculator");
    /// assert_eq!(document["methods"][0]["description"], "Adds two numbers.");
    /// # Ok(())
    /// # }
    /// ```
    pub fn discoverable(mut self) -> Self {
        self.discover = true;
        self
    }

    /// Lets clients take names, and call each other by them: the server passes calls,
    /// notifications and streams on, to those who serve something to peers. Who may do
    /// that is up to the [security](Self::security); without one, everybody may.
    /// Default: nobody, and there are no such procedures.
    ///
    /// ```
    /// # use trunkline::{Client, Router, Server};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::new(Router::new()).peers_by_name().tcp("127.0.0.1:0").bind().await?;
    /// let address = format!("tcp://{}", server.addresses()[0]);
    /// tokio::spawn(server.serve());
    ///
    /// let shout = async |text: String| text.to_uppercase();
    /// let for_peers = Router::new().procedure("shout", shout);
    /// let alice = Client::builder(&address).name("alice").for_peers(for_peers).connect().await?;
    ///
    /// let bob = Client::connect(&address).await?;
    /// assert_eq!(bob.peer("alice").call::<String>("shout", ("hello",)).await?, "HELLO");
    /// # Ok(())
    /// # }
    /// ```
    pub fn peers_by_name(mut self) -> Self {
        self.peers_by_name = true;
        self
    }

    /// Joins a network of servers that have the same broker: calls of procedures that this
    /// one does not have go to those that have them, and the other way round. See
    /// [`Node`] for what holds then.
    /// Default: none, and what is not here does not exist.
    ///
    /// ```
    /// # use trunkline::{Client, Link, Router, Server, broker::Memory};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let broker = Memory::new();
    /// let add = async |(a, b): (i64, i64)| a + b;
    /// let handler = Server::new(Router::new().procedure("math.add", add)).broker(broker.clone());
    /// tokio::spawn(handler.bind().await?.serve());
    ///
    /// let gateway = Server::new(Router::new()).broker(broker);
    /// # let (here, there) = Link::pair();
    /// # tokio::spawn(gateway.serve_link(there));
    /// # let client = Client::over(here).connect_lazy()?;
    /// assert_eq!(client.call::<i64>("math.add", (2, 3)).await?, 5);
    /// # Ok(())
    /// # }
    /// ```
    pub fn broker(mut self, broker: impl Broker) -> Self {
        self.broker = Some(Arc::new(broker));
        self
    }

    /// Which of the networks that share the [broker](Self::broker): servers of one hear
    /// nothing of another. Default `trunkline`.
    pub fn network(mut self, name: impl Into<String>) -> Self {
        self.network = name.into();
        self
    }

    /// How often it says to other servers of the [network](Self::network) that it is there;
    /// who is silent for three times as long is [forgotten](Cluster::nodes). Default every 5
    /// seconds, or less often where there are [more than 250](Node::announced_every).
    pub fn announced_every(mut self, every: Duration) -> Self {
        self.announced = Some(Some(every));
        self
    }

    /// Says nothing of itself to other servers of the [network](Self::network), and knows of
    /// them all the same: for programs that only look or call. Default: it is announced.
    pub fn unannounced(mut self) -> Self {
        self.announced = Some(None);
        self
    }

    /// Reaches the clients of all servers of the [network](Self::network), and whoever
    /// listens on them: for hooks, and what runs beside the server. Handlers take a
    /// [`Cluster`] to the same effect. Without a [broker](Self::broker) it is this server
    /// alone.
    ///
    /// ```
    /// use trunkline::{Hooks, Router, Server};
    ///
    /// let server = Server::new(Router::new());
    /// let cluster = server.cluster();
    /// let server = server.hooks(Hooks::default().on_connect(move |peer| {
    ///     if let Err(fault) = cluster.publish("connected", peer.connection().id()) {
    ///         eprintln!("nobody is told of a connection: {fault}");
    ///     }
    /// }));
    /// ```
    #[must_use]
    pub fn cluster(&self) -> Cluster {
        self.cluster.clone()
    }

    /// Listens for HTTP and WebSocket on one port; port 0 picks a free one.
    #[cfg(feature = "http")]
    pub fn http(self, address: impl Into<String>) -> Self {
        self.listen(Listener::http(address))
    }

    /// Listens for newline-delimited JSON over TCP; port 0 picks a free one.
    pub fn tcp(self, address: impl Into<String>) -> Self {
        self.listen(Listener::tcp(address))
    }

    /// Listens for newline-delimited JSON on a Unix socket.
    pub fn unix(self, path: impl Into<std::path::PathBuf>) -> Self {
        self.listen(Listener::unix(path))
    }

    /// Listens on a listener with settings of its own.
    pub fn listen(mut self, listener: impl Into<Listener>) -> Self {
        self.listeners.push(listener.into());
        self
    }

    /// Binds every listener, and joins the network, if there is a [broker](Self::broker).
    /// Connections are served from [`Bound::serve`] on.
    ///
    /// # Errors
    ///
    /// Fails if a listener cannot be bound, naming it; and, where clients of @therms may
    /// call, by way of a [broker](Self::broker) too, if a schema that was written by hand is
    /// none for them, naming the procedure.
    ///
    /// # Panics
    ///
    /// Panics if a handler takes a state that the router does not have; and, where there is a
    /// broker, if the router has a fallback, or [a name that will not do](Node::join).
    pub async fn bind(mut self) -> Result<Bound, BindError> {
        let cluster = self.cluster();
        let listeners = self.take_listeners();
        let (service, node) = self.into_service()?;
        let places: Arc<[String]> = listeners.iter().map(Listener::place).collect();
        // none is borrowed while others are waited for: not all of them can be shared
        let binding: Vec<_> = listeners.iter().map(Listener::bind).collect();
        let mut sockets = Vec::new();
        for bound in binding {
            sockets.push(bound.await?);
        }
        let shutdown = Shutdown::new();
        let accepting = serve_all(listeners, &sockets, &service, &shutdown);
        if let Some(node) = &node {
            node.join(&service);
        }
        let (node, sockets) = (node.map(Arc::new), Arc::new(sockets));
        let (renew, renewals) = mpsc::unbounded_channel();
        let reloader = Reloader {
            places,
            cluster: cluster.clone(),
            node: node.as_ref().map(Arc::downgrade),
            sockets: Arc::downgrade(&sockets),
            shutdown: shutdown.clone(),
            renew,
            serving: Arc::default(),
        };
        Ok(Bound { service, node, cluster, sockets, accepting, shutdown, reloader, renewals })
    }

    /// Its listeners, in the languages that they are to speak.
    fn take_listeners(&mut self) -> Vec<Listener> {
        let listeners = std::mem::take(&mut self.listeners);
        #[cfg(feature = "http")]
        let listeners = self.speaking_therms(listeners);
        listeners
    }

    /// The same listeners, of which those of HTTP speak the dialect of @therms if any do.
    #[cfg(feature = "http")]
    fn speaking_therms(&self, mut listeners: Vec<Listener>) -> Vec<Listener> {
        let therms = self.therms.clone().map(|therms| match self.security.is_some() {
            true => therms.authenticating(),
            false => therms,
        });
        for listener in &mut listeners {
            if let Listener::Http(http) = listener {
                http.speak(&self.language, therms.as_ref());
            }
        }
        listeners
    }

    /// Serves one connection that is there already, such as
    /// [`Link::stdio`](crate::Link::stdio), until it ends.
    ///
    /// # Panics
    ///
    /// Panics as [`bind`](Self::bind) does, and where that fails because of a schema.
    pub async fn serve_link(self, link: Link) -> Ended {
        let (service, node) = self.into_service().unwrap_or_else(|error| panic!("{error}"));
        if let Some(node) = &node {
            node.join(&service);
        }
        let ended = serve(link, &service).await;
        leave(node.as_ref(), &service, std::future::ready(())).await;
        ended
    }

    pub(crate) fn into_service(mut self) -> Result<(Service, Option<Node>), SchemaError> {
        let (broker, cluster) = (self.broker.take(), self.cluster());
        let node = broker.map(|broker| {
            let envelope = envelope(&broker);
            let node = Node::new(broker, envelope, &self.network, &self.name);
            let node = node.with_cluster(cluster.clone()).with_version(&self.version);
            match self.announced {
                None => node,
                Some(Some(every)) => node.announced_every(every),
                Some(None) => node.unannounced(),
            }
        });
        let service = self.service_of(cluster, node.as_ref())?;
        Ok((service, node))
    }

    /// What is served: to the clients of this cluster, and for what is not here, by way of
    /// this node.
    fn service_of(self, cluster: Cluster, node: Option<&Node>) -> Result<Service, SchemaError> {
        // clients of other servers may speak it
        let coerces = self.speaks_therms() || node.is_some();
        let router = match self.discover && !self.router.contains("rpc.discover") {
            true => discover::add(self.router, &self.language, &self.name, &self.version, &cluster),
            false => self.router,
        };
        let peers = cluster.peers().clone();
        let router = match self.peers_by_name {
            true => router.service(Relay::new(peers.clone(), self.security.clone(), self.limits.clone())),
            false => router,
        };
        let router = router.state(cluster.clone());
        let router = if coerces { coercing(router)? } else { router };
        let router = match node {
            // the guards of a program are for its own procedures
            Some(node) => Router::new().merge(router.fallback(node.fallback())).service(cluster),
            None => router,
        };
        let service = Service::new(router, self.language).with_peers(peers);
        let service = service.limits(self.limits).hooks(self.hooks).tell_timeouts(self.tells_timeouts);
        Ok(match self.security {
            Some(security) => service.shared_security(security),
            None => service,
        })
    }

    /// Whether its own clients may speak the dialect of @therms.
    #[cfg(feature = "http")]
    fn speaks_therms(&self) -> bool {
        self.therms.is_some()
    }

    /// That is spoken over HTTP.
    #[cfg(not(feature = "http"))]
    #[expect(clippy::unused_self, reason = "with the feature it is looked at")]
    fn speaks_therms(&self) -> bool {
        false
    }

    /// Binds and serves for ever.
    ///
    /// # Errors
    ///
    /// Fails if a listener cannot be bound.
    pub async fn serve(self) -> Result<(), BindError> {
        self.serve_until(std::future::pending::<()>()).await
    }

    /// Binds and serves until `shutdown` is ready, then drains: no new
    /// connections and calls, also of other servers, those under way are finished.
    ///
    /// # Errors
    ///
    /// Fails if a listener cannot be bound.
    pub async fn serve_until(self, shutdown: impl Future) -> Result<(), BindError> {
        self.bind().await?.serve_until(shutdown).await;
        Ok(())
    }
}

/// What takes connections in, in each of these places.
fn serve_all(
    listeners: Vec<Listener>,
    sockets: &[Socket],
    service: &Service,
    shutdown: &Shutdown,
) -> Vec<Accepting> {
    let places = listeners.into_iter().zip(sockets);
    places.map(|(listener, socket)| listener.serve(socket, service, shutdown)).collect()
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("name", &self.name)
            .field("listeners", &self.listeners)
            .finish_non_exhaustive()
    }
}
