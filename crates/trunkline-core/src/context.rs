//! [`Context`]: what a handler may know of its caller.

use crate::{
    about::About,
    chain::Chain,
    connection_id::{ConnectionId, Holder},
    fault::Fault,
    identity::Identity,
    ordered::{Queue, Turn},
    router::Router,
    security::Security,
    session::Store,
    trace::Trace,
};
use http::{Extensions, HeaderMap, Uri};
use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{Arc, LazyLock, OnceLock, Weak},
};

/// The transport and the dialect of calls that come from this very program, over no connection.
const LOCAL: (&str, &str) = ("in process", "none");

/// What a handler may know of its caller. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    connection: Arc<Connection>,
    /// Most requests over HTTP have none, and are spared the allocation.
    extensions: Option<Arc<Extensions>>,
    identity: Identity,
    chain: Chain,
    /// Where the call itself says that it stands.
    trace: Option<Trace>,
    /// What its dialect says of the call, for extractors of its own.
    said: Option<Arc<dyn Any + Send + Sync>>,
    /// Whether the program has chosen what is called.
    chosen: bool,
}

impl Context {
    /// A context of calls that come over `connection`, from who is known to be at
    /// its far end.
    #[must_use]
    pub fn new(connection: Arc<Connection>, extensions: Extensions) -> Self {
        let identity = connection.store().map(Store::identity).unwrap_or_default();
        let extensions = (!extensions.is_empty()).then(|| Arc::new(extensions));
        let chain = Chain::default();
        Self { connection, extensions, identity, chain, trace: None, said: None, chosen: false }
    }

    /// The same context with calls from somebody else.
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.identity = identity;
        self
    }

    /// The same context where so many calls may be made inside of each other, in
    /// place of 32: the limit [`max_chain`](crate::Limits::max_chain).
    #[must_use]
    pub fn with_max_chain(mut self, most: usize) -> Self {
        self.chain = self.chain.limited(most);
        self
    }

    /// The context of a call that is made while one of this context runs: the same
    /// caller over the same connection, one call deeper.
    ///
    /// # Errors
    ///
    /// Fails if that is deeper than [`max_chain`](crate::Limits::max_chain).
    pub fn inner(&self) -> Result<Self, Fault> {
        Ok(Self { chain: self.chain.deeper()?, ..self.clone() })
    }

    /// The same context of a call that has so many around it, which were made elsewhere.
    #[must_use]
    pub fn at_depth(mut self, depth: usize) -> Self {
        self.chain = self.chain.at(depth);
        self
    }

    /// The same context of a call that this procedure has made.
    #[must_use]
    pub fn called_by(mut self, procedure: impl Into<Arc<str>>) -> Self {
        self.chain = self.chain.called_by(procedure.into());
        self
    }

    /// The same context of a call that stands here in a distributed trace.
    #[must_use]
    pub fn with_trace(mut self, trace: Option<Trace>) -> Self {
        self.trace = trace.or(self.trace);
        self
    }

    /// The same context in the turn of a procedure that is
    /// [ordered](crate::Registration::ordered).
    pub(crate) fn in_turn(&self, turn: &Arc<Turn>) -> Self {
        Self { chain: self.chain.in_turn(turn), ..self.clone() }
    }

    /// Whether a call around this one has its turn still. It may be over: who kept a
    /// context, or gives a stream, calls when it likes.
    pub(crate) fn has_turn(&self) -> bool {
        self.chain.has_turn()
    }

    /// The context of a call that comes from this very program.
    ///
    /// ```
    /// # use trunkline_core::Context;
    /// assert_eq!(Context::local().connection().transport(), "in process");
    /// ```
    #[must_use]
    pub fn local() -> Self {
        let (transport, dialect) = LOCAL;
        Self::from(Arc::new(Connection::new(transport, dialect)))
    }

    /// The connection, or the HTTP request, that the call came by.
    #[must_use]
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Who the caller was known to be when the call started.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// How many calls there are around this one, each made by the procedure of the
    /// one before: 0 if it came from outside.
    ///
    /// A guard, or a procedure, tells by it what the program's own code asks from
    /// what strangers ask.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.chain.depth()
    }

    /// The procedure that has made this call, by the name that it was called by, if one has.
    #[must_use]
    pub fn caller(&self) -> Option<&str> {
        self.chain.caller()
    }

    /// Whether this program's own code calls, one of its procedures or what is around
    /// them, and no stranger.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        self.depth() > 0 || (self.connection.transport, self.connection.dialect) == LOCAL
    }

    /// Whether procedures that are [internal](crate::Registration::internal) answer the
    /// call, wherever they are: the program's own code [calls](Self::is_internal), or a
    /// setting of it has [chosen](crate::About::internal) what a stranger calls.
    #[must_use]
    pub fn finds_internal(&self) -> bool {
        self.is_internal() || self.chosen
    }

    /// Where in a distributed trace the call stands: as its message says, or else the
    /// headers of the HTTP request, or of the one that became a WebSocket. For the calls
    /// that a handler makes, [`Client`] calls and others:
    ///
    /// ```
    /// # use trunkline_core::{Context, Trace};
    /// let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    /// let context = Context::local().with_trace(Trace::parse(parent));
    /// assert_eq!(context.trace().unwrap().to_string(), parent);
    /// ```
    ///
    /// [`Client`]: https://docs.rs/trunkline/latest/trunkline/struct.Client.html
    #[must_use]
    pub fn trace(&self) -> Option<Trace> {
        self.trace.clone().or_else(|| Trace::of_headers(self.connection.headers()))
    }

    /// Where the call's own message says that it stands, or whoever made this context.
    #[must_use]
    pub fn said_trace(&self) -> Option<&Trace> {
        self.trace.as_ref()
    }

    /// A name for the request that the call came with: the
    /// [one that its caller gave it](Connection::request_id), or else the id of the
    /// connection, which over HTTP is the request.
    #[must_use]
    pub fn request_id(&self) -> String {
        self.connection.request_id().map_or_else(|| self.connection.id.to_string(), str::to_owned)
    }

    /// Values that the transport has attached, by type.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        static NONE: LazyLock<Extensions> = LazyLock::new(Extensions::new);
        self.extensions.as_deref().unwrap_or(&NONE)
    }

    /// What the dialect of the call [says](About::with_extension) of it, if that is such a value.
    /// It goes along with all that is called for it.
    #[must_use]
    pub fn said<T: Any>(&self) -> Option<&T> {
        self.said.as_deref()?.downcast_ref()
    }

    /// The same context of a call of which this is said besides.
    #[must_use]
    pub fn with_about(mut self, about: &About) -> Self {
        if let Some(said) = &about.extension {
            self.said = Some(said.clone());
        }
        self.chosen |= about.internal;
        self.with_trace(about.trace.clone())
    }

    /// The same context with a value besides those that are attached; an earlier one
    /// of the same type is replaced.
    #[must_use]
    pub fn with_extension(mut self, value: impl Clone + Send + Sync + 'static) -> Self {
        Arc::make_mut(self.extensions.get_or_insert_default()).insert(value);
        self
    }
}

/// The context of calls that come over a connection, to which nothing is attached.
impl From<Arc<Connection>> for Context {
    fn from(connection: Arc<Connection>) -> Self {
        Self::new(connection, Extensions::new())
    }
}

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
        Self { id, transport, dialect, remote: None, request: None, queue, store }
    }

    /// Sets the address of the far side.
    #[must_use]
    #[inline]
    pub fn with_remote(mut self, remote: Option<SocketAddr>) -> Self {
        self.remote = remote;
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

    /// Where the client is: the first entry of `X-Real-IP`, if one of these proxies is at the
    /// far end and says it, or else the address there.
    ///
    /// A proxy is to be named only if it sets the header anew, whatever it says already: who
    /// comes by way of it could otherwise pass for anybody. Addresses of IPv4 that are written
    /// as ones of IPv6, `::ffff:192.0.2.1`, are the same as without.
    #[must_use]
    pub fn client_address(&self, proxies: &[IpAddr]) -> Option<IpAddr> {
        let remote = self.remote?.ip().to_canonical();
        let told = || {
            let header = self.headers().get("x-real-ip")?.to_str().ok()?;
            let told: IpAddr = header.split(',').next()?.trim().parse().ok()?;
            Some(told.to_canonical())
        };
        proxies.iter().any(|proxy| proxy.to_canonical() == remote).then(told).flatten().or(Some(remote))
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
    /// none; [`Context::request_id`] has a name for every call.
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

/// The states of a router: one shared value of each type.
#[derive(Clone, Default)]
pub struct States {
    values: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    /// The router itself, if it is shared. States may hold who called, and routers
    /// hold their states, so this must not keep the router alive.
    router: Weak<Router>,
    /// Who decides what the callers of its procedures may do.
    security: Option<Arc<dyn Security>>,
}

impl States {
    /// Adds a state; an earlier one of the same type is replaced.
    pub fn insert<T: Send + Sync + 'static>(&mut self, state: Arc<T>) {
        self.values.insert(TypeId::of::<T>(), state);
    }

    /// The state of type `T`.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.values.get(&TypeId::of::<T>())?.clone().downcast().ok()
    }

    /// The router that they are the states of: the outermost, that all calls go to.
    /// `None` if it is not [shared](Router::shared), or gone.
    #[must_use]
    pub fn router(&self) -> Option<Arc<Router>> {
        self.router.upgrade()
    }

    /// Who decides what callers who come over a connection may do, if anybody does.
    #[must_use]
    pub fn security(&self) -> Option<&dyn Security> {
        self.security.as_deref()
    }

    pub(crate) fn set_security(&mut self, security: Arc<dyn Security>) {
        self.security = Some(security);
    }

    pub(crate) fn set_router(&mut self, router: Weak<Router>) {
        self.router = router;
    }

    /// Takes the state of type `T` away.
    pub(crate) fn remove<T: Send + Sync + 'static>(&mut self) -> Option<Arc<T>> {
        self.values.remove(&TypeId::of::<T>())?.downcast().ok()
    }

    /// Takes over states of types that are not here yet.
    pub(crate) fn inherit(&mut self, other: &Self) {
        for (kind, state) in &other.values {
            self.values.entry(*kind).or_insert_with(|| state.clone());
        }
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("States").field("count", &self.values.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T41.
    #[test]
    fn a_request_is_named_by_its_caller_or_by_us() {
        let named = |name: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, http::HeaderValue::from_str(name).unwrap());
            let connection = Connection::new("http", "jsonrpc").with_request(Uri::default(), headers);
            Context::new(Arc::new(connection), Extensions::new())
        };
        assert_eq!(named("job-7").request_id(), "job-7");
        for none in ["", "two words", "tab\t", &"x".repeat(129)] {
            let context = named(none);
            assert_eq!(context.connection().request_id(), None);
            assert_eq!(context.request_id(), context.connection().id().to_string());
        }
    }

    #[test]
    fn debug_output_keeps_secrets() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", http::HeaderValue::from_static("Bearer hidden"));
        let uri = Uri::from_static("/rpc?token=hidden");
        let connection = Connection::new("websocket", "jsonrpc").with_request(uri, headers);
        let context = Context::new(Arc::new(connection), Extensions::new());
        let printed = format!("{context:?}");
        assert!(printed.contains("/rpc") && !printed.contains("hidden"), "{printed}");
        assert_eq!(context.connection().uri().and_then(Uri::query), Some("token=hidden"));
    }
}
