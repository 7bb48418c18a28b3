//! [`Connector`]: how hyper's pool gets its connections.

use crate::{
    dial::{Address, DialError, Dialer},
    link::ByteStream,
};
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tower::Service;

/// Connects to the address of a dialler, whatever it is asked for.
#[derive(Clone)]
pub(super) struct Connector(Arc<Dialer>);

impl Connector {
    pub(super) fn new(dialer: Dialer) -> Self {
        Self(Arc::new(dialer))
    }
}

impl Service<Uri> for Connector {
    type Response = Connecting;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Connecting, DialError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dialer = self.0.clone();
        Box::pin(async move {
            let tls = uri.scheme_str() == Some("https");
            let authority = Address::authority(&uri, tls);
            let connected = async {
                let (stream, _) = dialer.stream(&authority).await?;
                dialer.secured_for_http(stream, &authority).await
            };
            let timeout = dialer.connect_timeout;
            match tokio::time::timeout(timeout, connected).await {
                Ok(connected) => {
                    let (stream, h2) = connected?;
                    Ok(Connecting { stream: TokioIo::new(stream), h2 })
                }
                Err(_) => Err(DialError::Timeout { address: dialer.address.clone(), timeout }),
            }
        })
    }
}

/// A connection for hyper.
pub(super) struct Connecting {
    stream: TokioIo<Box<dyn ByteStream>>,
    h2: bool,
}

impl Connection for Connecting {
    fn connected(&self) -> Connected {
        if self.h2 { Connected::new().negotiated_h2() } else { Connected::new() }
    }
}

impl Read for Connecting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl Write for Connecting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl fmt::Debug for Connecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connecting").field("h2", &self.h2).finish_non_exhaustive()
    }
}

#[cfg(feature = "tls")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::{TlsClient, TlsServer};
    use tokio::net::TcpListener;

    /// Whether a connection speaks HTTP/2 to a server that speaks `protocol`.
    async fn speaks_h2(protocol: &'static [u8]) -> bool {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let server = TlsServer::from_pem(chain.as_bytes(), key.as_bytes()).unwrap().with_alpn([protocol]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let accepted = async { server.accept(listener.accept().await.unwrap().0).await.unwrap() };
        let dialer = Dialer::new(address.parse().unwrap());
        let mut connector = Connector::new(dialer.tls(TlsClient::with_root_pem(chain.as_bytes()).unwrap()));
        let (connecting, _accepted) = tokio::join!(connector.call(address.parse().unwrap()), accepted);
        connecting.unwrap().connected().is_negotiated_h2()
    }

    #[tokio::test]
    async fn tls_agrees_on_the_version_of_http() {
        assert!(speaks_h2(b"h2").await);
        assert!(!speaks_h2(b"http/1.1").await);
    }
}
