//! [`Listener`]: one way to reach a server, with its settings.

#[cfg(feature = "http")]
mod http;
mod streams;

#[cfg(feature = "http")]
pub use self::http::HttpListener;
pub use self::streams::StreamsListener;

use crate::{Service, Shutdown};
use std::{fmt, io, net::SocketAddr, path::PathBuf, pin::Pin};

/// One way to reach a server, with settings of its own.
///
/// ```
/// use trunkline::{JsonRpc, Listener, Router, Server};
///
/// let server = Server::new(Router::new())
///     .listen(Listener::tcp("127.0.0.1:0").content_length())
///     .listen(Listener::tcp("127.0.0.1:0").without_newline().language(JsonRpc::json_rpc_stream()))
///     .listen(Listener::http("127.0.0.1:0").settings(|http| http.allow_origins(["https://app.example"])));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Listener {
    /// A socket that carries messages and nothing else.
    Streams(StreamsListener),
    /// A port that speaks HTTP and WebSocket.
    #[cfg(feature = "http")]
    Http(HttpListener),
}

impl Listener {
    /// Newline-delimited JSON over TCP; port 0 picks a free one.
    pub fn tcp(address: impl Into<String>) -> StreamsListener {
        StreamsListener::tcp(address.into())
    }

    /// Newline-delimited JSON on a Unix socket.
    pub fn unix(path: impl Into<PathBuf>) -> StreamsListener {
        StreamsListener::unix(path.into())
    }

    /// HTTP and WebSocket on one port; port 0 picks a free one.
    #[cfg(feature = "http")]
    pub fn http(address: impl Into<String>) -> HttpListener {
        HttpListener::new(address.into())
    }

    pub(super) async fn bind(self, service: &Service) -> Result<BoundListener, BindError> {
        match self {
            Self::Streams(listener) => listener.bind(service).await,
            #[cfg(feature = "http")]
            Self::Http(listener) => listener.bind(service).await,
        }
    }
}

impl From<StreamsListener> for Listener {
    fn from(listener: StreamsListener) -> Self {
        Self::Streams(listener)
    }
}

#[cfg(feature = "http")]
impl From<HttpListener> for Listener {
    fn from(listener: HttpListener) -> Self {
        Self::Http(listener)
    }
}

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A listener that has been bound.
pub(super) struct BoundListener {
    pub(super) address: Option<SocketAddr>,
    pub(super) run: Box<dyn FnOnce(Shutdown) -> Running + Send>,
}

impl BoundListener {
    fn new<F: Future<Output = ()> + Send + 'static>(
        address: Option<SocketAddr>,
        run: impl FnOnce(Shutdown) -> F + Send + 'static,
    ) -> Self {
        Self { address, run: Box::new(move |shutdown| Box::pin(run(shutdown))) }
    }
}

impl fmt::Debug for BoundListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundListener").field("address", &self.address).finish_non_exhaustive()
    }
}

/// A server cannot serve: a listener could not be bound, or a schema cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{what}{source}")]
pub struct BindError {
    what: String,
    source: io::Error,
}

impl BindError {
    fn at(at: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        let what = format!("cannot listen on {at}: ");
        move |source| Self { what, source }
    }

    /// What went wrong, as the operating system says it;
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) of a schema.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

#[cfg(feature = "therms")]
impl From<trunkline_dialects::therms::BadArgsSchema> for BindError {
    fn from(bad: trunkline_dialects::therms::BadArgsSchema) -> Self {
        Self { what: String::new(), source: io::Error::new(io::ErrorKind::InvalidInput, bad) }
    }
}
