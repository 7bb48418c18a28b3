//! [`Connection`]: what is known of a connection, or of one HTTP request.

use crate::{
    connection_id::{ConnectionId, Holder},
    identity::Identity,
    ordered::Queue,
    session::Store,
};
use http::{HeaderMap, Uri};
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{Arc, LazyLock, OnceLock},
};

/// The header by which a caller gives a request a name.
pub const REQUEST_ID: &str = "x-request-id";

/// The name that a request was given, if it is one: up to 128 visible characters of ASCII.
#[must_use]
pub fn request_id(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let fits = (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then_some(id)
}

/// What is known of a connection, or of one HTTP request.
pub struct Connection {
    id: ConnectionId,
    transport: &'static str,
    dialect: &'static str,
    remote: Option<SocketAddr>,
    /// Whether the far side is believed where the client is that it speaks for.
    by_proxy: bool,
    /// What the HTTP request said.
    request: Option<(Uri, HeaderMap)>,
    /// Where calls wait that run one after another; most connections have none.
    queue: OnceLock<Arc<Queue>>,
    /// What is remembered of it, if anything is.
    store: OnceLock<Box<Store>>,
}

impl Connection {
    /// A connection of which nothing else is known yet.
    #[must_use]
    #[inline]
    pub fn new(transport: &'static str, dialect: &'static str) -> Self {
        Self::of_id(ConnectionId::new(), transport, dialect)
    }

    /// The connection of this id, which another server holds.
    #[must_use]
    #[inline]
    pub fn of_id(id: ConnectionId, transport: &'static str, dialect: &'static str) -> Self {
        let (queue, store) = (OnceLock::new(), OnceLock::new());
        Self { id, transport, dialect, remote: None, by_proxy: false, request: None, queue, store }
    }

    /// Sets the address of the far side.
    #[must_use]
    #[inline]
    pub fn with_remote(mut self, remote: Option<SocketAddr>) -> Self {
        self.remote = remote;
        self
    }

    /// Believes the far side where the client is, if one of these proxies [is
    /// there](Self::with_remote): [`client_address`](Self::client_address) is then what it says.
    ///
    /// A proxy is to be named only if it sets `X-Real-IP` anew, whatever that says already: who
    /// comes by way of it could otherwise pass for anybody. Addresses of IPv4 that are written
    /// as ones of IPv6, `::ffff:192.0.2.1`, are the same as without.
    #[must_use]
    #[inline]
    pub fn trust_proxies(mut self, proxies: &[IpAddr]) -> Self {
        let is_one = |remote: IpAddr| proxies.iter().any(|proxy| proxy.to_canonical() == remote);
        self.by_proxy = self.remote.is_some_and(|remote| is_one(remote.ip().to_canonical()));
        self
    }

    /// Sets what the HTTP request said, also one that became a WebSocket.
    #[must_use]
    #[inline]
    pub fn with_request(mut self, uri: Uri, headers: HeaderMap) -> Self {
        self.request = Some((uri, headers));
        self
    }

    /// Sets who is known to be at the far side from the beginning.
    #[must_use]
    pub fn with_identity(self, identity: Identity) -> Self {
        if !identity.is_blank() {
            self.store_or_new().set_identity(identity);
        }
        self
    }

    /// Says which server holds it: whoever is asked for its [id](Self::id) knows by it whom
    /// to ask for the connection.
    #[must_use]
    pub fn held_by(mut self, holder: Holder) -> Self {
        self.id = self.id.held_by(holder);
        self
    }

    /// What tells it from all others, of any server. Of a call that another server has
    /// passed on, it is that of its caller there.
    #[must_use]
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// How its bytes travel: `tcp`, `websocket`, `http`, `unix`, `stdio`, `in process`.
    #[must_use]
    pub fn transport(&self) -> &'static str {
        self.transport
    }

    /// The language spoken on it.
    #[must_use]
    pub fn dialect(&self) -> &'static str {
        self.dialect
    }

    /// The address of the far side, where transports have addresses.
    #[must_use]
    pub fn remote(&self) -> Option<SocketAddr> {
        self.remote
    }

    /// Where the client is: the first entry of `X-Real-IP`, if a proxy that is
    /// [trusted](Self::trust_proxies) says it, or else the address at the far end.
    #[must_use]
    pub fn client_address(&self) -> Option<IpAddr> {
        let told = || {
            let header = self.headers().get("x-real-ip")?.to_str().ok()?;
            header.split(',').next()?.trim().parse().ok()
        };
        let remote = || Some(self.remote?.ip());
        let address: IpAddr = self.by_proxy.then(told).flatten().or_else(remote)?;
        Some(address.to_canonical())
    }

    /// What was asked for over HTTP, with its query; `None` elsewhere.
    #[must_use]
    pub fn uri(&self) -> Option<&Uri> {
        self.request.as_ref().map(|(uri, _)| uri)
    }

    /// The path that was asked for over HTTP; empty elsewhere.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri().map_or("", Uri::path)
    }

    /// The headers of the HTTP request; empty elsewhere.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        static NONE: LazyLock<HeaderMap> = LazyLock::new(HeaderMap::new);
        self.request.as_ref().map_or(&NONE, |(_, headers)| headers)
    }

    /// The name that its caller gave the HTTP request, in `X-Request-Id`, which the
    /// response repeats. One that is not of 1 to 128 visible characters of ASCII is
    /// none; [`Context::request_id`](crate::Context::request_id) has a name for every call.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        request_id(self.headers())
    }

    pub(crate) fn queue(&self) -> &Arc<Queue> {
        self.queue.get_or_init(Arc::default)
    }

    #[inline]
    pub(crate) fn store(&self) -> Option<&Store> {
        self.store.get().map(|store| &**store)
    }

    pub(crate) fn store_or_new(&self) -> &Store {
        self.store.get_or_init(Box::default)
    }
}

/// Neither headers nor queries, which may hold secrets.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("id", &self.id)
            .field("transport", &self.transport)
            .field("dialect", &self.dialect)
            .field("remote", &self.remote)
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}
