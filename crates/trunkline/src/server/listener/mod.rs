//! [`Listener`]: one way to reach a server, with its settings.

#[cfg(feature = "http")]
mod http;
mod streams;

#[cfg(feature = "http")]
pub use self::http::HttpListener;
pub use self::streams::StreamsListener;

use super::coercing::SchemaError;
use crate::{Service, Shutdown};
use std::{fmt, io, net::SocketAddr, path::PathBuf, pin::Pin, sync::Arc};
use trunkline_net::listen::StreamListener;

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

    /// Takes its place, on which nothing is served yet.
    pub(super) fn bind(&self) -> Pin<Box<dyn Future<Output = Result<Socket, BindError>> + Send>> {
        match self {
            Self::Streams(listener) => {
                let bound = listener.bind();
                Box::pin(async { bound.await.map(Socket::Streams) })
            }
            #[cfg(feature = "http")]
            Self::Http(listener) => {
                let bound = listener.bind();
                Box::pin(async { bound.await.map(|http| Socket::Http(Box::new(http))) })
            }
        }
    }

    /// Accepts connections in its place, and serves them. Dropping the future stops
    /// accepting, and nothing else.
    pub(super) fn serve(self, socket: &Socket, service: &Service, shutdown: &Shutdown) -> Accepting {
        match (self, socket) {
            (Self::Streams(listener), Socket::Streams(socket)) => {
                Box::pin(listener.over(socket.clone(), service).run(shutdown.clone()))
            }
            #[cfg(feature = "http")]
            (Self::Http(listener), Socket::Http(socket)) => {
                Box::pin(listener.over(socket.anew(), service).run(shutdown.clone()))
            }
            #[cfg(feature = "http")]
            _ => unreachable!("a listener is served where one of its kind was bound"),
        }
    }

    /// Where it is to listen, and for what.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Streams(listener) => listener.place(),
            #[cfg(feature = "http")]
            Self::Http(listener) => listener.place(),
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

/// A listener that takes connections in.
pub(super) type Accepting = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A place that is taken, whatever is served there.
#[derive(Debug)]
pub(super) enum Socket {
    Streams(Arc<StreamListener>),
    /// A port on which nothing is served: others are, in its place.
    #[cfg(feature = "http")]
    Http(Box<trunkline_net::http::Http>),
}

impl Socket {
    pub(super) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Streams(socket) => socket.address(),
            #[cfg(feature = "http")]
            Self::Http(http) => Some(http.address()),
        }
    }
}

/// A server cannot serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// A listener could not be bound.
    #[error("cannot listen on {at}: {source}")]
    Listener {
        /// Where it is to listen.
        at: String,
        /// What went wrong, as the operating system says it.
        source: io::Error,
    },
    /// A schema cannot be used.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

impl BindError {
    fn at(at: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        let at = at.to_string();
        move |source| Self::Listener { at, source }
    }
}
