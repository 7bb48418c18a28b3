//! [`Streams`]: listeners for TCP and Unix sockets that carry frames and nothing else.

use super::{Seats, Shutdown, SocketFile, accept_all};
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
    socket: Arc<StreamListener>,
    service: Service,
    framing: MakeFraming,
    #[cfg(feature = "tls")]
    tls: Option<TlsServer>,
}

/// A bound socket, which is let go when nobody has it any more.
#[derive(Debug)]
pub struct StreamListener {
    kind: Kind,
    /// That of a Unix socket, which is removed in the end.
    _file: Option<SocketFile>,
    seats: Seats,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl StreamListener {
    /// Binds a TCP port; port 0 picks a free one.
    ///
    /// # Errors
    ///
    /// Fails if the address cannot be bound.
    pub async fn tcp(address: impl ToSocketAddrs) -> io::Result<Self> {
        Ok(Self::of(Kind::Tcp(TcpListener::bind(address).await?), None))
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
        Ok(Self::of(Kind::Unix(listener), Some(file)))
    }

    fn of(kind: Kind, file: Option<SocketFile>) -> Self {
        Self { kind, _file: file, seats: Seats::default() }
    }

    /// The address that was bound, if it is one of TCP.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.kind {
            Kind::Tcp(listener) => listener.local_addr().ok(),
            Kind::Unix(_) => None,
        }
    }
}

impl Streams {
    /// Serves `service` on `socket`, in frames that `framing` makes. On a socket in an
    /// [`Arc`] one may follow another, once that has stopped [running](Self::run).
    #[must_use]
    pub fn new(socket: impl Into<Arc<StreamListener>>, service: Service, framing: MakeFraming) -> Self {
        Self {
            socket: socket.into(),
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

    /// Accepts connections until the shutdown begins. Dropping the future stops accepting,
    /// and nothing else: connections that are open are served on.
    pub async fn run(self, shutdown: Shutdown) {
        let Self { socket, service, framing, .. } = &self;
        let (dialect, seats) = (service.language.name(), &socket.seats);
        match &socket.kind {
            Kind::Tcp(listener) => {
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
                let (limits, hooks) = (&service.limits, &service.hooks);
                accept_all(|| listener.accept(), serve_one, seats, limits, hooks, &shutdown).await;
            }
            Kind::Unix(listener) => {
                let serve_one = |(stream, _)| {
                    let connection = Connection::new("unix", dialect);
                    let link = Link::of(Box::new(stream), framing(&service.limits), connection);
                    let (service, shutdown) = (service.clone(), shutdown.clone());
                    async move {
                        shutdown.serve(link, &service).await;
                    }
                };
                let (limits, hooks) = (&service.limits, &service.hooks);
                accept_all(|| listener.accept(), serve_one, seats, limits, hooks, &shutdown).await;
            }
        }
    }
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").field("socket", &self.socket).finish_non_exhaustive()
    }
}
