//! [`Link`]: a connection, once it is known how it is cut into frames.

use std::{fmt, io};
use tokio::io::{AsyncRead, AsyncWrite};
use trunkline_core::{
    Connection, Limits,
    framing::{Framing, Lines},
};

/// What bytes travel over: a socket, a TLS session, a pipe, an HTTP/2 stream.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + ?Sized> ByteStream for S {}

/// A connection, ready to be served.
///
/// ```
/// # use trunkline_net::Link;
/// let (here, there) = Link::pair();
/// ```
pub struct Link {
    pub(crate) stream: Box<dyn ByteStream>,
    pub(crate) framing: Box<dyn Framing>,
    pub(crate) connection: Connection,
    pub(crate) arrived: Vec<u8>,
}

impl Link {
    /// A link over `stream`, cut by `framing`.
    #[must_use]
    pub fn new(
        stream: impl ByteStream + 'static,
        framing: impl Framing + 'static,
        connection: Connection,
    ) -> Self {
        Self { stream: Box::new(stream), framing: Box::new(framing), connection, arrived: Vec::new() }
    }

    /// A link whose types have been erased already.
    #[must_use]
    pub fn of(stream: Box<dyn ByteStream>, framing: Box<dyn Framing>, connection: Connection) -> Self {
        Self { stream, framing, connection, arrived: Vec::new() }
    }

    /// Bytes that had been read from the stream already.
    #[must_use]
    pub fn with_arrived(mut self, arrived: Vec<u8>) -> Self {
        self.arrived = arrived;
        self
    }

    /// Two links joined in memory: what one says, the other hears.
    #[must_use]
    pub fn pair() -> (Self, Self) {
        let (here, there) = tokio::io::duplex(64 << 10);
        let longest = Limits::default().max_message;
        (Self::in_process(here, longest), Self::in_process(there, longest))
    }

    /// One end of a pipe in memory, over which messages of up to `longest` bytes come.
    #[doc(hidden)]
    #[must_use]
    pub fn in_process(pipe: impl ByteStream + 'static, longest: usize) -> Self {
        Self::new(pipe, Lines::default().limit(longest), Connection::new("in process", "jsonrpc"))
    }

    /// The standard streams of this process.
    #[must_use]
    pub fn stdio(framing: impl Framing + 'static) -> Self {
        let stream = tokio::io::join(tokio::io::stdin(), tokio::io::stdout());
        Self::new(stream, framing, Connection::new("stdio", "jsonrpc"))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("connection", &self.connection).finish_non_exhaustive()
    }
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Ended {
    /// The far side ended it in good order.
    #[error("the far side closed the connection")]
    ByPeer,
    /// This side ended it.
    #[error("this side closed the connection")]
    Here,
    /// Reading or writing failed.
    #[error("the connection broke: {0}")]
    Broken(#[source] io::Error),
    /// The far side broke the framing, so nothing more could be read from it.
    #[error("the far side broke the protocol: {0}")]
    Unframed(&'static str),
    /// The far side took nothing for longer than `stall_timeout`.
    #[error("the far side did not read for longer than the limit `stall_timeout`")]
    Stalled,
    /// A message did not arrive whole within `message_timeout`.
    #[error("a message did not arrive whole within the limit `message_timeout`")]
    SlowMessage,
    /// Nobody drives it any more: its task was dropped, or has panicked.
    #[error("the connection was dropped: its task was cancelled, or panicked")]
    Dropped,
    /// No sign of life for longer than `idle_timeout`.
    #[error("no sign of life for longer than the limit `idle_timeout`")]
    Idle,
}
