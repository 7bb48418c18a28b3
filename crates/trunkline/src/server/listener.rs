//! [`Listener`]: one way to reach a server, with its settings.

use crate::{JsonRpc, Service, Shutdown};
use std::{fmt, io, net::SocketAddr, path::PathBuf, sync::Arc};
use trunkline_core::framing::{ContentLength, Framing, Lines};
use trunkline_net::listen::{MakeFraming, StreamListener, Streams};

/// One way to reach a server, with settings of its own.
///
/// ```
/// use trunkline::{Listener, Server, Router, jsonrpc::JsonRpc};
///
/// let server = Server::new(Router::new())
///     .listen(Listener::tcp("127.0.0.1:0").content_length())
///     .listen(Listener::tcp("127.0.0.1:0").without_newline().language(JsonRpc::json_rpc_stream()));
/// ```
#[must_use = "a listener listens when a server is bound"]
pub struct Listener {
    at: At,
    framing: MakeFraming,
    language: Option<JsonRpc>,
}

#[derive(Debug)]
enum At {
    Tcp(String),
    Unix(PathBuf),
}

impl Listener {
    /// Newline-delimited JSON over TCP; port 0 picks a free one.
    pub fn tcp(address: impl Into<String>) -> Self {
        Self::at(At::Tcp(address.into()))
    }

    /// Newline-delimited JSON on a Unix socket.
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self::at(At::Unix(path.into()))
    }

    fn at(at: At) -> Self {
        let framing: MakeFraming = Arc::new(|limits| Box::new(Lines::default().limit(limits.max_message)));
        Self { at, framing, language: None }
    }

    /// Frames with a `Content-Length` header, as language servers have them.
    pub fn content_length(self) -> Self {
        self.framing(|limits| Box::new(ContentLength::default().limit(limits.max_message)))
    }

    /// Only a line feed ends a message: values with nothing between them are not
    /// told apart.
    pub fn only_newlines(self) -> Self {
        self.framing(|limits| Box::new(Lines::default().limit(limits.max_message).only_newlines()))
    }

    /// Sends messages without a line feed at their end, for clients of
    /// json-rpc-client-stream.
    pub fn without_newline(self) -> Self {
        self.framing(|limits| Box::new(Lines::default().limit(limits.max_message).without_newline()))
    }

    /// Frames of any other kind.
    pub fn framing(
        mut self,
        make: impl Fn(&trunkline_core::Limits) -> Box<dyn Framing> + Send + Sync + 'static,
    ) -> Self {
        self.framing = Arc::new(make);
        self
    }

    /// How JSON-RPC is spoken here.
    pub fn language(mut self, language: JsonRpc) -> Self {
        self.language = Some(language);
        self
    }

    pub(super) async fn bind(self, service: &Service) -> Result<Bindable, BindError> {
        let service = match self.language {
            Some(language) => service.in_language(language.limits(service.limits_in_force())),
            None => service.clone(),
        };
        let error = |at: &dyn fmt::Display| {
            let at = at.to_string();
            move |source| BindError { at, source }
        };
        let socket = match &self.at {
            At::Tcp(address) => StreamListener::tcp(address).await.map_err(error(address))?,
            At::Unix(path) => StreamListener::unix(path).await.map_err(error(&path.display()))?,
        };
        Ok(Bindable { address: socket.address(), streams: Streams::new(socket, service, self.framing) })
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("at", &self.at).finish_non_exhaustive()
    }
}

/// A listener that has been bound.
#[derive(Debug)]
pub struct Bindable {
    address: Option<SocketAddr>,
    streams: Streams,
}

impl Bindable {
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    pub(super) async fn run(self, shutdown: Shutdown) {
        self.streams.run(shutdown).await;
    }
}

/// A listener could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {at}: {source}; is something else listening there?")]
pub struct BindError {
    at: String,
    source: io::Error,
}
