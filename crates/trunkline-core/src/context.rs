//! [`Context`]: what a handler may know of its caller.

use crate::{identity::Identity, ordered::Queue, session::Store};
use http::{Extensions, HeaderMap, Uri};
use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt,
    net::SocketAddr,
    sync::{
        Arc, LazyLock, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// What a handler may know of its caller. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    connection: Arc<Connection>,
    /// Most requests over HTTP have none, and are spared the allocation.
    extensions: Option<Arc<Extensions>>,
    identity: Identity,
}

impl Context {
    /// A context of calls that come over `connection`, from who is known to be at
    /// its far end.
    #[must_use]
    pub fn new(connection: Arc<Connection>, extensions: Extensions) -> Self {
        let identity = connection.store().map(Store::identity).unwrap_or_default();
        let extensions = (!extensions.is_empty()).then(|| Arc::new(extensions));
        Self { connection, extensions, identity }
    }

    /// The same context with calls from somebody else.
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.identity = identity;
        self
    }

    /// The context of a call that comes from this very program.
    ///
    /// ```
    /// # use trunkline_core::Context;
    /// assert_eq!(Context::local().connection().transport(), "in process");
    /// ```
    #[must_use]
    pub fn local() -> Self {
        Self::new(Arc::new(Connection::new("in process", "none")), Extensions::new())
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

    /// Values that the transport has attached, by type.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        static NONE: LazyLock<Extensions> = LazyLock::new(Extensions::new);
        self.extensions.as_deref().unwrap_or(&NONE)
    }
}

/// A number of a connection, unique in this process and never used again.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId(u64);

impl ConnectionId {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
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
        let (id, queue, store) = (ConnectionId::next(), OnceLock::new(), OnceLock::new());
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

    /// Its number in this process.
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
pub struct States(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl States {
    /// Adds a state; an earlier one of the same type is replaced.
    pub fn insert<T: Send + Sync + 'static>(&mut self, state: Arc<T>) {
        self.0.insert(TypeId::of::<T>(), state);
    }

    /// The state of type `T`.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.get(&TypeId::of::<T>())?.clone().downcast().ok()
    }

    /// Takes the state of type `T` away.
    pub(crate) fn remove<T: Send + Sync + 'static>(&mut self) -> Option<Arc<T>> {
        self.0.remove(&TypeId::of::<T>())?.downcast().ok()
    }

    /// Takes over states of types that are not here yet.
    pub(crate) fn inherit(&mut self, other: &Self) {
        for (kind, state) in &other.0 {
            self.0.entry(*kind).or_insert_with(|| state.clone());
        }
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("States").field("count", &self.0.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
