//! [`Http`]: a bound port, and what is served on it.

use super::{
    connection,
    endpoint::Endpoint,
    line::Line,
    mount::mounted,
    reply::BoxError,
    site::{Plan, Site},
};
use crate::listen::{Seats, Shutdown, accept_all};
use http::{Request, Response};
use hyper::body::{Body, Bytes, Incoming};
use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
use tokio::{
    net::{TcpListener, TcpStream, ToSocketAddrs},
    time::Instant,
};
use tower::Service;

/// A bound port that serves HTTP/1.1, HTTP/2 and WebSocket.
///
/// The limits and hooks of the port itself, such as how many connections it
/// takes, are those of the endpoint that was added first.
///
/// ```no_run
/// # use trunkline_net::{Service, http::{Endpoint, Http}, listen::Shutdown};
/// # async fn serve(service: Service, admin: Service, shutdown: Shutdown) -> std::io::Result<()> {
/// Http::bind("0.0.0.0:9876")
///     .await?
///     .endpoint("/", Endpoint::new(service))
///     .endpoint("/admin", Endpoint::new(admin).only_websocket())
///     .allow_origins(["https://app.example"])
///     .run(shutdown)
///     .await;
/// # Ok(())
/// # }
/// ```
#[must_use = "a port is served by `run`"]
pub struct Http {
    socket: Arc<TcpListener>,
    seats: Seats,
    /// How many WebSockets share connections with others.
    streams: Seats,
    address: SocketAddr,
    plan: Plan,
}

impl Http {
    /// Binds a TCP port; port 0 picks a free one.
    ///
    /// # Errors
    ///
    /// Fails if the address cannot be bound.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        Self::over(TcpListener::bind(address).await?)
    }

    /// Takes over a port that is bound already, such as one that a service
    /// manager hands on.
    ///
    /// # Errors
    ///
    /// Fails if the port cannot tell its address.
    pub fn over(socket: TcpListener) -> io::Result<Self> {
        let address = socket.local_addr()?;
        let (seats, streams) = Default::default();
        Ok(Self { socket: Arc::new(socket), seats, streams, address, plan: Plan::at(address) })
    }

    /// The same port with nothing served on it yet, to follow this one once it has stopped
    /// [running](Self::run). What counts connections counts those of both.
    pub fn anew(&self) -> Self {
        Self {
            socket: self.socket.clone(),
            seats: self.seats.clone(),
            streams: self.streams.clone(),
            address: self.address,
            plan: Plan::at(self.address),
        }
    }

    /// The address that was bound.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves `endpoint` under `path`, and nothing beneath it.
    ///
    /// # Panics
    ///
    /// Panics if the path is taken, or does not begin with a slash.
    #[track_caller]
    pub fn endpoint(mut self, path: impl Into<String>, endpoint: Endpoint) -> Self {
        let path = path.into();
        assert!(path.starts_with('/'), "the path of an endpoint begins with a slash, and `{path}` does not");
        let taken = self.plan.endpoints.iter().any(|(taken, _)| *taken == path);
        assert!(!taken, "two endpoints have the path `{path}`");
        self.plan.endpoints.push((path, endpoint));
        self
    }

    /// Tells whether the server is well under another path than `/health`. An
    /// endpoint with the same path has precedence.
    ///
    /// The answer is 200, or 503 once the shutdown has begun, to those who are
    /// still connected.
    pub fn health(mut self, path: impl Into<String>) -> Self {
        self.plan.health = Some(path.into());
        self
    }

    /// Does not tell whether the server is well.
    pub fn without_health(mut self) -> Self {
        self.plan.health = None;
        self
    }

    /// Hands requests to all other paths to `service`, such as an axum router.
    ///
    /// It finds the caller's [`SocketAddr`] in the request's extensions. Origins
    /// are its own business, names of hosts are not.
    pub fn mount<S, B>(mut self, service: S) -> Self
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.plan.mounted = Some(mounted(service));
        self
    }

    /// Answers to these names in the header `Host`, with any port unless one is named.
    ///
    /// A port bound to a loopback address answers only to the names of this
    /// machine and to those allowed here. Any other answers to every name, unless
    /// some are allowed here.
    pub fn allow_hosts<S: Into<String>>(mut self, hosts: impl IntoIterator<Item = S>) -> Self {
        self.plan.gate.allow(hosts);
        self
    }

    /// Lets web pages of these origins call, such as `https://app.example`.
    ///
    /// Pages of the server's own origin may always call, and callers that are no
    /// browsers are not concerned. Browsers are told what they want to hear of it (CORS).
    ///
    /// # Panics
    ///
    /// Panics if one of them is no origin.
    #[track_caller]
    pub fn allow_origins<S: Into<String>>(mut self, origins: impl IntoIterator<Item = S>) -> Self {
        self.plan.origins.allow(origins);
        self
    }

    /// Lets web pages of any origin call. Only for what anyone may call: whoever
    /// is let in for sitting at this machine, in this network, or behind this
    /// cookie, may be reading somebody else's page.
    pub fn allow_any_origin(mut self) -> Self {
        self.plan.origins.allow_any();
        self
    }

    /// Believes these proxies where their clients are: handlers, [rate limits] and other servers
    /// learn of the address that a proxy names in `X-Real-IP`, which is
    /// [`Connection::client_address`](trunkline_core::Connection::client_address). Default: none, as
    /// anybody can say anything.
    ///
    /// A proxy is to be named only if it sets the header anew, whatever that says already: who
    /// comes by way of it could otherwise pass for anybody.
    ///
    /// [rate limits]: https://docs.rs/trunkline/latest/trunkline/access/struct.RateLimit.html
    pub fn trust_proxies(mut self, proxies: impl IntoIterator<Item = IpAddr>) -> Self {
        self.plan.proxies = proxies.into_iter().collect();
        self
    }

    /// Serves HTTPS.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: crate::tls::TlsServer) -> Self {
        self.plan.tls = Some(tls.with_alpn([b"h2", b"http/1.1"]));
        self
    }

    /// Accepts connections until the shutdown begins. Then requests under way are
    /// answered, and idle connections are closed. Dropping the future stops accepting, and
    /// nothing else: connections that are open are served on.
    pub async fn run(self, shutdown: Shutdown) {
        let Self { socket, seats, streams, plan, .. } = self;
        let site = Arc::new(Site::new(plan, streams, shutdown));
        let serve_one = |(stream, remote): (TcpStream, SocketAddr)| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "TCP_NODELAY could not be set");
            }
            connection::serve(stream, Arc::new(Line::new(site.clone(), remote)), Instant::now())
        };
        accept_all(|| socket.accept(), serve_one, &seats, &site.limits, &site.hooks, &site.shutdown).await;
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http")
            .field("address", &self.address)
            .field("endpoints", &self.plan.endpoints)
            .finish_non_exhaustive()
    }
}
