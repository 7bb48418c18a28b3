//! [`Streams`]: listeners for TCP and Unix sockets that carry frames and nothing else.

use super::{Shutdown, SocketFile, accept_all};
#[cfg(feature = "tls")]
use crate::{
    link::ByteStream,
    tls::{TlsServer, secure},
};
use crate::{link::Link, service::Service};
use std::{fmt, io, net::SocketAddr, path::Path, sync::Arc};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs, UnixListener};
use trunkline_core::{Connection, Limits, framing::Framing};

/// Makes the framing of one connection.
pub type MakeFraming = Arc<dyn Fn(&Limits) -> Box<dyn Framing> + Send + Sync>;

/// A bound socket whose connections carry frames.
pub struct Streams {
    socket: StreamListener,
    service: Service,
    framing: MakeFraming,
    #[cfg(feature = "tls")]
    tls: Option<TlsServer>,
}

/// A bound socket.
#[derive(Debug)]
#[non_exhaustive]
pub enum StreamListener {
    /// A TCP port.
    Tcp(TcpListener),
    /// A Unix socket, and its file, which is removed in the end.
    Unix(UnixListener, SocketFile),
}

impl StreamListener {
    /// Binds a TCP port; port 0 picks a free one.
    ///
    /// # Errors
    ///
    /// Fails if the address cannot be bound.
    pub async fn tcp(address: impl ToSocketAddrs) -> io::Result<Self> {
        Ok(Self::Tcp(TcpListener::bind(address).await?))
    }

    /// Binds a Unix socket. One that a dead process left behind is replaced, and
    /// nothing else is.
    ///
    /// # Errors
    ///
    /// Fails if the path cannot be bound, somebody listens there, or it is taken
    /// by what is no socket.
    pub async fn unix(path: impl AsRef<Path>) -> io::Result<Self> {
        let (listener, file) = SocketFile::bind(path.as_ref()).await?;
        Ok(Self::Unix(listener, file))
    }

    /// The address that was bound, if it is one of TCP.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix(..) => None,
        }
    }
}

impl Streams {
    /// Serves `service` on `socket`, in frames that `framing` makes.
    #[must_use]
    pub fn new(socket: StreamListener, service: Service, framing: MakeFraming) -> Self {
        Self {
            socket,
            service,
            framing,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Takes connections in over TLS, if the socket is one of TCP.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: TlsServer) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Accepts connections until the shutdown begins.
    pub async fn run(self, shutdown: Shutdown) {
        let Self { socket, service, framing, .. } = &self;
        let dialect = service.language.name();
        match socket {
            StreamListener::Tcp(listener) => {
                let serve_one = |(stream, remote): (TcpStream, SocketAddr)| {
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "TCP_NODELAY could not be set");
                    }
                    let connection = Connection::new("tcp", dialect).with_remote(Some(remote));
                    let (service, framing, shutdown) = (service.clone(), framing.clone(), shutdown.clone());
                    #[cfg(feature = "tls")]
                    let tls = self.tls.clone();
                    async move {
                        #[cfg(feature = "tls")]
                        let stream: Box<dyn ByteStream> = match &tls {
                            Some(tls) => {
                                let (limits, hooks) = (&service.limits, &service.hooks);
                                match Box::pin(secure(tls, stream, remote, limits, hooks, &shutdown)).await {
                                    Some(stream) => Box::new(stream),
                                    None => return,
                                }
                            }
                            None => Box::new(stream),
                        };
                        #[cfg(not(feature = "tls"))]
                        let stream = Box::new(stream);
                        shutdown
                            .serve(Link::of(stream, framing(&service.limits), connection), &service)
                            .await;
                    }
                };
                accept_all(|| listener.accept(), serve_one, &service.limits, &service.hooks, &shutdown).await;
            }
            StreamListener::Unix(listener, _) => {
                let serve_one = |(stream, _)| {
                    let connection = Connection::new("unix", dialect);
                    let link = Link::of(Box::new(stream), framing(&service.limits), connection);
                    let (service, shutdown) = (service.clone(), shutdown.clone());
                    async move {
                        shutdown.serve(link, &service).await;
                    }
                };
                accept_all(|| listener.accept(), serve_one, &service.limits, &service.hooks, &shutdown).await;
            }
        }
    }
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").field("socket", &self.socket).finish_non_exhaustive()
    }
}
