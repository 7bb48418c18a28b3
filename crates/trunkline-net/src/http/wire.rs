//! [`Wire`]: a socket under hyper, and what is known of its traffic.

use super::line::Line;
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// What a client of HTTP/2 says first (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Room for a usual request head, so that telling the versions apart costs no read of its own.
const FIRST_READ: usize = 1 << 10;
/// Bytes of replies that are gathered before they are sent.
const GATHERED: usize = 64 << 10;
/// Room for replies that a connection keeps while there are none.
const KEPT: usize = 1 << 10;

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
///
/// On HTTP/1 it also gathers the replies to requests that were sent one behind
/// the other: hyper flushes after each, and here that only happens once nothing
/// more has arrived, or [`watch`](super::watch) insists. hyper's own `pipeline_flush`
/// holds replies back for as long as half a request waits behind them, loses
/// them if that turns out to be none, and knows no limit.
#[derive(Debug)]
pub(super) struct Wire {
    socket: Socket,
    line: Arc<Line>,
    arrived: Vec<u8>,
    given: usize,
    unsent: Vec<u8>,
    sent: usize,
    /// Whether the last read found nothing.
    dry: bool,
    http2: bool,
}

impl Wire {
    pub(super) fn new(socket: Socket, arrived: Vec<u8>, line: Arc<Line>, http2: bool) -> Self {
        Self { socket, line, arrived, given: 0, unsent: Vec::new(), sent: 0, dry: false, http2 }
    }

    /// The stream without what watched it. All that was written has to be
    /// flushed before.
    pub(super) fn into_stream(self) -> Box<dyn crate::ByteStream> {
        debug_assert!(self.unsent.is_empty(), "a wire is left with nothing unsent");
        self.socket.into_stream()
    }

    /// Sends what has been gathered, if anything was.
    #[inline]
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unsent.is_empty() { Poll::Ready(Ok(())) } else { self.poll_send(cx) }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.unsent.len() {
            let polled =
                with!(&mut self.socket, stream => Pin::new(stream).poll_write(cx, &self.unsent[self.sent..]));
            self.line.wrote(polled.is_ready());
            match ready!(polled)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.sent += count,
            }
        }
        self.unsent.clear();
        self.unsent.shrink_to(KEPT);
        self.sent = 0;
        self.line.gathers(false);
        Poll::Ready(Ok(()))
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
        // one who does not take replies is not asked for more requests
        ready!(wire.poll_drain(cx))?;
        let polled = with!(&mut wire.socket, stream => Pin::new(stream).poll_read(cx, buffer));
        wire.dry = polled.is_pending();
        // on HTTP/2, what arrives while nothing is under way may as well be a ping
        if !wire.http2 && polled.is_ready() {
            wire.line.heard();
        }
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wire = &mut *self;
        let gathers = !wire.http2 && wire.line.is_patient() && !(wire.dry && wire.unsent.is_empty());
        if gathers && wire.unsent.len() + bytes.len() <= GATHERED {
            wire.unsent.extend_from_slice(bytes);
            wire.line.gathers(true);
            return Poll::Ready(Ok(bytes.len()));
        }
        ready!(wire.poll_drain(cx))?;
        let polled = with!(&mut wire.socket, stream => Pin::new(stream).poll_write(cx, bytes));
        wire.line.wrote(polled.is_ready());
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_drain(cx))?;
        let polled = with!(&mut self.socket, stream => Pin::new(stream).poll_write_vectored(cx, pieces));
        self.line.wrote(polled.is_ready());
        polled
    }

    /// What is gathered is copied anyway.
    fn is_write_vectored(&self) -> bool {
        self.http2 && with!(&self.socket, stream => stream.is_write_vectored())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.unsent.is_empty() && !self.dry && self.line.is_patient() {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_drain(cx))?;
        with!(&mut self.socket, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        with!(&mut self.socket, stream => Pin::new(stream).poll_shutdown(cx))
    }
}
