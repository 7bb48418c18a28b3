//! [`StreamsListener`]: sockets that carry messages and nothing else.

use super::BindError;
use crate::{JsonRpc, Limits, Service};
use std::{fmt, path::PathBuf, sync::Arc};
use trunkline_core::framing::{ContentLength, Framing, Lines};
use trunkline_net::listen::{MakeFraming, StreamListener, Streams};

/// A TCP port or a Unix socket that carries messages and nothing else, made by
/// [`Listener::tcp`](super::Listener::tcp) and [`Listener::unix`](super::Listener::unix).
#[must_use = "a listener listens when a server is bound"]
pub struct StreamsListener {
    at: At,
    framing: MakeFraming,
    language: Option<JsonRpc>,
    #[cfg(feature = "tls")]
    tls: Option<trunkline_net::tls::TlsServer>,
}

#[derive(Clone, Debug)]
enum At {
    Tcp(String),
    Unix(PathBuf),
}

impl StreamsListener {
    pub(super) fn tcp(address: String) -> Self {
        Self::new(At::Tcp(address))
    }

    pub(super) fn unix(path: PathBuf) -> Self {
        Self::new(At::Unix(path))
    }

    fn new(at: At) -> Self {
        let framing: MakeFraming = Arc::new(|limits| Box::new(Lines::default().limit(limits.max_message)));
        Self {
            at,
            framing,
            language: None,
            #[cfg(feature = "tls")]
            tls: None,
        }
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
    pub fn framing(mut self, make: impl Fn(&Limits) -> Box<dyn Framing> + Send + Sync + 'static) -> Self {
        self.framing = Arc::new(make);
        self
    }

    /// How JSON-RPC is spoken here.
    pub fn language(mut self, language: JsonRpc) -> Self {
        self.language = Some(language);
        self
    }

    /// Speaks TLS: clients dial `tls+tcp://`.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: trunkline_net::tls::TlsServer) -> Self {
        self.tls = Some(tls);
        self
    }

    pub(super) fn place(&self) -> String {
        match &self.at {
            At::Tcp(address) => format!("tcp {address}"),
            At::Unix(path) => format!("unix {}", path.display()),
        }
    }

    pub(super) fn bind(&self) -> impl Future<Output = Result<Arc<StreamListener>, BindError>> + Send + use<> {
        let at = self.at.clone();
        async move {
            let socket = match &at {
                At::Tcp(address) => StreamListener::tcp(address).await.map_err(BindError::at(address)),
                At::Unix(path) => StreamListener::unix(path).await.map_err(BindError::at(path.display())),
            };
            socket.map(Arc::new)
        }
    }

    /// What is served on a socket.
    pub(super) fn over(self, socket: Arc<StreamListener>, service: &Service) -> Streams {
        let service = match self.language {
            Some(language) => service.in_language(language),
            None => service.clone(),
        };
        let streams = Streams::new(socket, service, self.framing);
        #[cfg(feature = "tls")]
        let streams = match self.tls {
            Some(tls) => streams.tls(tls),
            None => streams,
        };
        streams
    }
}

impl fmt::Debug for StreamsListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamsListener").field("at", &self.at).finish_non_exhaustive()
    }
}
