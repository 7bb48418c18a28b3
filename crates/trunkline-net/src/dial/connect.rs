//! [`Dialer`]: connects to an address, again and again if need be.

use super::{Address, DialError, child::Child};
#[cfg(feature = "tls")]
use crate::tls::TlsClient;
use crate::{
    link::{ByteStream, Link},
    listen::MakeFraming,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use socket2::{SockRef, TcpKeepalive};
use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::{TcpStream, UnixStream};
use trunkline_core::{
    Connection, Limits,
    framing::{ContentLength, Framing, Lines},
};

/// Makes a stream to wherever the address of a dialler is.
pub type MakeStream = Arc<dyn Fn() -> Box<dyn ByteStream> + Send + Sync>;

/// Connects to an address, with what it takes to do so.
///
/// ```no_run
/// # use trunkline_net::dial::{Dialer, DialError};
/// # async fn example() -> Result<(), DialError> {
/// let link = Dialer::new("tcp://127.0.0.1:9877".parse()?).dial().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Dialer {
    pub(super) address: Address,
    pub(super) headers: HeaderMap,
    pub(super) limits: Arc<Limits>,
    pub(super) connect_timeout: Duration,
    pub(super) keepalive: Option<Duration>,
    framing: MakeFraming,
    streams: Option<MakeStream>,
    dialect: &'static str,
    #[cfg(feature = "tls")]
    tls: Option<TlsClient>,
}

impl Dialer {
    /// Connects to `address`: within 10 s, with keepalive every 30 s, in lines
    /// where the stream has no messages of its own.
    #[must_use]
    pub fn new(address: Address) -> Self {
        Self {
            #[cfg(feature = "tls")]
            tls: address.is_tls().then(TlsClient::new),
            address,
            headers: HeaderMap::new(),
            limits: Arc::default(),
            connect_timeout: Duration::from_secs(10),
            keepalive: Some(Duration::from_secs(30)),
            framing: Arc::new(|limits| Box::new(Lines::default().limit(limits.max_message))),
            streams: None,
            dialect: "jsonrpc",
        }
    }

    /// Sends these headers along with HTTP requests, also those that ask for a WebSocket.
    #[must_use]
    pub fn headers(mut self, headers: HeaderMap) -> Self {
        self.headers = headers;
        self
    }

    /// Sends this header along as well, in place of others of its name.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets the limits on what comes in.
    #[must_use]
    pub fn limits(mut self, limits: Arc<Limits>) -> Self {
        self.limits = limits;
        self
    }

    /// How long connecting may take, with all that belongs to it: finding the
    /// host, TLS, the handshake of a WebSocket.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long a TCP connection may be silent before the system asks the far
    /// side for a sign of life; `None` for never.
    #[must_use]
    pub fn keepalive(mut self, interval: Option<Duration>) -> Self {
        self.keepalive = interval;
        self
    }

    /// How streams that have no messages of their own are cut into frames.
    #[must_use]
    pub fn framing(mut self, framing: MakeFraming) -> Self {
        self.framing = framing;
        self
    }

    /// Takes streams from here in place of TCP connections to the host of the address,
    /// whatever that is: with TLS and HTTP over them, if the address says so.
    #[must_use]
    pub fn through(mut self, streams: MakeStream) -> Self {
        self.streams = Some(streams);
        self
    }

    /// The name of the language that will be spoken, for logs.
    #[must_use]
    pub fn dialect(mut self, name: &'static str) -> Self {
        self.dialect = name;
        self
    }

    /// Whom to believe that a server is who it says it is. Default: the
    /// authorities that browsers believe.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: TlsClient) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Where it connects to.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Whether the far side is asked for signs of life in messages of the
    /// transport's own, which are answered; elsewhere silence means nothing.
    #[must_use]
    pub fn has_pings(&self) -> bool {
        matches!(self.address, Address::WebSocket { .. })
    }

    /// Whether this program can reach such an address at all.
    ///
    /// # Errors
    ///
    /// Fails if it was built without a feature that the address takes.
    pub fn check(&self) -> Result<(), DialError> {
        let missing = match self.address {
            Address::WebSocket { .. } if !cfg!(feature = "ws") => "ws",
            Address::Http { .. } if !cfg!(feature = "http-client") => "http-client",
            _ if self.address.is_tls() && !cfg!(feature = "tls") => "tls",
            _ => return Ok(()),
        };
        Err(DialError::Feature { address: self.address.clone(), feature: missing })
    }

    /// Connects. Dropping the future gives up.
    ///
    /// # Errors
    ///
    /// Fails if nobody can be reached there, there is no agreement on a
    /// connection, or it takes longer than the connect timeout.
    pub async fn dial(&self) -> Result<Link, DialError> {
        self.check()?;
        let connected = tokio::time::timeout(self.connect_timeout, self.connect()).await;
        connected.unwrap_or_else(|_| {
            Err(DialError::Timeout { address: self.address.clone(), timeout: self.connect_timeout })
        })
    }

    async fn connect(&self) -> Result<Link, DialError> {
        match &self.address {
            Address::Tcp { authority, .. } => {
                let (stream, remote) = self.stream(authority).await?;
                let connection = Connection::new("tcp", self.dialect).with_remote(remote);
                let stream = self.secured(stream, authority).await?;
                Ok(Link::of(stream, (self.framing)(&self.limits), connection))
            }
            Address::Unix(path) => {
                let stream = UnixStream::connect(path).await.map_err(|error| self.unreachable(error))?;
                let connection = Connection::new("unix", self.dialect);
                Ok(Link::of(Box::new(stream), (self.framing)(&self.limits), connection))
            }
            Address::Stdio { program, args, lsp } => {
                let child = Child::start(program, args)
                    .map_err(|source| DialError::Program { program: program.clone(), source })?;
                let framing: Box<dyn Framing> = match lsp {
                    true => Box::new(ContentLength::default().limit(self.limits.max_message)),
                    false => (self.framing)(&self.limits),
                };
                Ok(Link::of(Box::new(child), framing, Connection::new("stdio", self.dialect)))
            }
            #[cfg(feature = "ws")]
            Address::WebSocket { uri, tls } => self.web_socket(uri, *tls).await,
            #[cfg(not(feature = "ws"))]
            Address::WebSocket { .. } => {
                Err(DialError::Feature { address: self.address.clone(), feature: "ws" })
            }
            Address::Http { .. } => Err(DialError::NoLink { address: self.address.clone() }),
        }
    }

    #[cfg(feature = "ws")]
    async fn web_socket(&self, uri: &http::Uri, tls: bool) -> Result<Link, DialError> {
        let authority = Address::authority(uri, tls);
        let (stream, remote) = self.stream(&authority).await?;
        let stream = self.secured(stream, &authority).await?;
        let connected = crate::ws::connect(stream, uri, &self.headers, &self.limits)
            .await
            .map_err(|error| self.disagreed(error))?;
        let framing = crate::ws::WebSocket::client().limit(self.limits.max_message);
        let connection = Connection::new("websocket", self.dialect)
            .with_remote(remote)
            .with_request(uri.clone(), HeaderMap::new());
        let link = Link::of(connected.io, Box::new(framing), connection);
        Ok(link.with_arrived(connected.leftover.to_vec()))
    }

    /// A stream to a host, without TLS yet, and its address if it has one.
    pub(super) async fn stream(
        &self,
        authority: &str,
    ) -> Result<(Box<dyn ByteStream>, Option<SocketAddr>), DialError> {
        if let Some(make) = &self.streams {
            return Ok((make(), None));
        }
        let stream = TcpStream::connect(authority).await.map_err(|error| self.unreachable(error))?;
        if let Err(error) = stream.set_nodelay(true).and_then(|()| self.keep_alive(&stream)) {
            tracing::debug!(%error, "TCP_NODELAY or keepalive could not be set");
        }
        let remote = stream.peer_addr().ok();
        Ok((Box::new(stream), remote))
    }

    fn keep_alive(&self, stream: &TcpStream) -> io::Result<()> {
        let Some(interval) = self.keepalive else { return Ok(()) };
        let keepalive = TcpKeepalive::new().with_time(interval).with_interval(interval);
        SockRef::from(stream).set_tcp_keepalive(&keepalive)
    }

    /// Puts TLS around a stream, if the address says so.
    async fn secured(
        &self,
        stream: Box<dyn ByteStream>,
        authority: &str,
    ) -> Result<Box<dyn ByteStream>, DialError> {
        #[cfg(feature = "tls")]
        if let Some(tls) = self.tls.as_ref().filter(|_| self.address.is_tls()) {
            let secured = tls.connect(stream, host(authority)).await;
            return Ok(Box::new(secured.map_err(|error| self.disagreed(error))?));
        }
        let _ = authority;
        Ok(stream)
    }

    /// The same for HTTP; also whether HTTP/2 has been agreed on.
    #[cfg(feature = "http-client")]
    pub(super) async fn secured_for_http(
        &self,
        stream: Box<dyn ByteStream>,
        authority: &str,
    ) -> Result<(Box<dyn ByteStream>, bool), DialError> {
        #[cfg(feature = "tls")]
        if let Some(tls) = self.tls.as_ref().filter(|_| self.address.is_tls()) {
            let tls = tls.clone().with_alpn([b"h2", b"http/1.1"]);
            let secured = tls.connect(stream, host(authority)).await;
            let secured = secured.map_err(|error| self.disagreed(error))?;
            let h2 = secured.get_ref().1.alpn_protocol() == Some(b"h2");
            return Ok((Box::new(secured), h2));
        }
        Ok((self.secured(stream, authority).await?, false))
    }

    fn unreachable(&self, source: io::Error) -> DialError {
        DialError::Unreachable { address: self.address.clone(), source }
    }

    #[cfg(any(feature = "tls", feature = "ws"))]
    fn disagreed(&self, error: impl std::error::Error + Send + Sync + 'static) -> DialError {
        DialError::Handshake { address: self.address.clone(), source: Box::new(error) }
    }
}

/// The host in `host:port`.
#[cfg(feature = "tls")]
fn host(authority: &str) -> &str {
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer").field("address", &self.address).finish_non_exhaustive()
    }
}
