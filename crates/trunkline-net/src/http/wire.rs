//! [`Wire`]: a socket under hyper, and what is known of its traffic.

use super::line::Line;
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// What a client of HTTP/2 says first (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Room for a usual request head, so that telling the versions apart costs no read of its own.
const FIRST_READ: usize = 1 << 10;

/// A TCP connection, bare or inside TLS.
#[derive(Debug)]
pub(super) enum Socket {
    Bare(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
}

macro_rules! with {
    ($socket:expr, $stream:ident => $what:expr) => {
        match $socket {
            Socket::Bare($stream) => $what,
            #[cfg(feature = "tls")]
            Socket::Tls($stream) => $what,
        }
    };
}

impl Socket {
    /// Whether HTTP/2 was agreed on, if anything was.
    pub(super) fn agreed(&self) -> Option<bool> {
        match self {
            Self::Bare(_) => None,
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.get_ref().1.alpn_protocol().map(|protocol| protocol == b"h2"),
        }
    }

    /// Reads until it is clear whether the client speaks HTTP/2, and gives what
    /// was read for that.
    pub(super) async fn sniff(&mut self) -> io::Result<(bool, Vec<u8>)> {
        let mut arrived = Vec::with_capacity(FIRST_READ);
        loop {
            let count = with!(self, stream => stream.read_buf(&mut arrived).await?);
            let begins = arrived.len().min(PREFACE.len());
            if count == 0 || arrived[..begins] != PREFACE[..begins] {
                return Ok((false, arrived));
            }
            if begins == PREFACE.len() {
                return Ok((true, arrived));
            }
        }
    }

    /// The stream itself.
    pub(super) fn into_stream(self) -> Box<dyn crate::ByteStream> {
        with!(self, stream => Box::new(stream))
    }
}

/// A socket under hyper. It tells the [`Line`] what moves, and gives first what
/// had been read before hyper came.
#[derive(Debug)]
pub(super) struct Wire {
    socket: Socket,
    arrived: Vec<u8>,
    given: usize,
    line: Arc<Line>,
    /// Whether what arrives while nothing is under way begins a request. On
    /// HTTP/2 it may as well be a ping.
    heads: bool,
}

impl Wire {
    pub(super) fn new(socket: Socket, arrived: Vec<u8>, line: Arc<Line>, http2: bool) -> Self {
        Self { socket, arrived, given: 0, line, heads: !http2 }
    }

    /// The stream without what watched it.
    pub(super) fn into_stream(self) -> Box<dyn crate::ByteStream> {
        self.socket.into_stream()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wire = &mut *self;
        if wire.given < wire.arrived.len() {
            let count = buffer.remaining().min(wire.arrived.len() - wire.given);
            buffer.put_slice(&wire.arrived[wire.given..wire.given + count]);
            wire.given += count;
            if wire.given == wire.arrived.len() {
                (wire.arrived, wire.given) = (Vec::new(), 0);
            }
            return Poll::Ready(Ok(()));
        }
        let polled = with!(&mut wire.socket, stream => Pin::new(stream).poll_read(cx, buffer));
        if wire.heads && polled.is_ready() {
            wire.line.heard();
        }
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = with!(&mut self.socket, stream => Pin::new(stream).poll_write(cx, bytes));
        self.line.wrote(polled.is_ready());
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        with!(&mut self.socket, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        with!(&mut self.socket, stream => Pin::new(stream).poll_shutdown(cx))
    }
}
