//! TLS: [`TlsServer`] for listeners, [`TlsClient`] for those who dial.
//!
//! rustls, with ring for its ciphers. Whatever else rustls can do, such as
//! certificates of clients, comes in as a configuration of its own.

use crate::{hooks::Hooks, listen::Shutdown};
use std::{fmt, io, net::SocketAddr, path::Path, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{
    TlsAcceptor, TlsConnector,
    rustls::{
        self, ClientConfig, RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName, pem, pem::PemObject},
    },
};
use trunkline_core::Limits;

pub use tokio_rustls::{client, server};

/// What a server shows to those who connect: its certificates, and the key to them.
///
/// ```no_run
/// # use trunkline_net::tls::TlsServer;
/// let tls = TlsServer::from_files("/etc/tls/chain.pem", "/etc/tls/key.pem")?;
/// # Ok::<(), trunkline_net::tls::TlsError>(())
/// ```
#[derive(Clone)]
pub struct TlsServer(Arc<ServerConfig>);

/// What a client believes: which authorities may vouch for a server.
///
/// ```
/// # use trunkline_net::tls::TlsClient;
/// let public = TlsClient::new();
/// ```
#[derive(Clone)]
pub struct TlsClient(Arc<ClientConfig>);

/// A certificate or a key that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The PEM text has no certificate or key in it, or could not be read.
    #[error("the {what} cannot be read as PEM")]
    Pem {
        /// Which of the two, and where it came from.
        what: String,
        /// What the reader says.
        source: pem::Error,
    },
    /// There is no certificate in the PEM text.
    #[error("the {0} has no certificate in it")]
    Empty(String),
    /// The certificate and the key are not good together, or not good at all.
    #[error("the certificate or its key cannot be used")]
    Unfit(#[from] rustls::Error),
}

impl TlsServer {
    /// Takes a chain of certificates, the server's own first, and its key, both as PEM.
    ///
    /// # Errors
    ///
    /// Fails if either cannot be read, or they do not belong together.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        Self::from_named_pem("certificate chain", chain, "private key", key)
    }

    /// The same from files.
    ///
    /// # Errors
    ///
    /// Fails if either file cannot be read, or they do not belong together.
    pub fn from_files(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, TlsError> {
        let name = |what: &str, path: &Path| format!("{what} in {}", path.display());
        let (chain, key) = (chain.as_ref(), key.as_ref());
        let (chain_name, key_name) = (name("certificate chain", chain), name("private key", key));
        let read = |path: &Path, what: &str| {
            std::fs::read(path)
                .map_err(|error| TlsError::Pem { what: what.to_owned(), source: pem::Error::Io(error) })
        };
        Self::from_named_pem(&chain_name, &read(chain, &chain_name)?, &key_name, &read(key, &key_name)?)
    }

    fn from_named_pem(chain_name: &str, chain: &[u8], key_name: &str, key: &[u8]) -> Result<Self, TlsError> {
        let chain = certificates(chain_name, chain)?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|source| TlsError::Pem { what: key_name.to_owned(), source })?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        Ok(Self(Arc::new(config)))
    }

    #[cfg(feature = "http")]
    /// The same, agreeing on one of these protocols where the configuration
    /// names none of its own.
    pub(crate) fn with_alpn<const N: usize>(self, protocols: [&[u8]; N]) -> Self {
        if !self.0.alpn_protocols.is_empty() {
            return self;
        }
        let mut config = ServerConfig::clone(&self.0);
        config.alpn_protocols = protocols.map(<[u8]>::to_vec).into();
        Self(Arc::new(config))
    }

    /// Makes a TLS connection of one that was accepted.
    ///
    /// # Errors
    ///
    /// Fails if the connection breaks, or the client does not speak TLS, or not
    /// well enough.
    pub async fn accept<IO>(&self, io: IO) -> io::Result<server::TlsStream<IO>>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        TlsAcceptor::from(self.0.clone()).accept(io).await
    }
}

/// A client that was accepted and did not get as far as TLS.
#[derive(Debug, thiserror::Error)]
#[error("no TLS with {remote}: {source}")]
struct Unsecured {
    remote: SocketAddr,
    source: io::Error,
}

/// Makes a TLS connection of one that a listener has accepted. What goes wrong
/// is told to the hooks, and concerns nobody else.
pub(crate) async fn secure(
    tls: &TlsServer,
    stream: TcpStream,
    remote: SocketAddr,
    limits: &Limits,
    hooks: &Hooks,
    shutdown: &Shutdown,
) -> Option<server::TlsStream<TcpStream>> {
    let secured = tokio::select! {
        secured = timeout(limits.handshake_timeout, tls.accept(stream)) => secured,
        () = shutdown.begun() => return None,
    };
    let late =
        |_| io::Error::new(io::ErrorKind::TimedOut, "it took longer than the limit `handshake_timeout`");
    match secured.map_err(late).flatten() {
        Ok(stream) => Some(stream),
        Err(source) => {
            let error = Unsecured { remote, source };
            tracing::debug!(%error, "TLS failed");
            hooks.error(&error);
            None
        }
    }
}

impl From<Arc<ServerConfig>> for TlsServer {
    fn from(config: Arc<ServerConfig>) -> Self {
        Self(config)
    }
}

impl TlsClient {
    /// Believes the authorities that browsers believe, as Mozilla lists them.
    #[must_use]
    pub fn new() -> Self {
        Self::believing(public_roots())
    }

    /// Believes the authorities in this PEM text as well.
    ///
    /// # Errors
    ///
    /// Fails if there is none in it, or one that cannot be read.
    pub fn with_root_pem(roots: &[u8]) -> Result<Self, TlsError> {
        let mut store = public_roots();
        for root in certificates("root certificate", roots)? {
            store.add(root)?;
        }
        Ok(Self::believing(store))
    }

    fn believing(roots: RootCertStore) -> Self {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has ciphers for every version of TLS that rustls speaks")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self(Arc::new(config))
    }

    /// The same, offering these protocols where the configuration names none of
    /// its own.
    #[cfg(feature = "http-client")]
    pub(crate) fn with_alpn<const N: usize>(self, protocols: [&[u8]; N]) -> Self {
        if !self.0.alpn_protocols.is_empty() {
            return self;
        }
        let mut config = ClientConfig::clone(&self.0);
        config.alpn_protocols = protocols.map(<[u8]>::to_vec).into();
        Self(Arc::new(config))
    }

    /// For clients of others, that make their own connections.
    #[cfg(feature = "nats")]
    pub(crate) fn config(&self) -> &ClientConfig {
        &self.0
    }

    /// Makes a TLS connection of one that was dialled, to a server that can
    /// prove that it is `name`: a host or an IP address.
    ///
    /// # Errors
    ///
    /// Fails if `name` is neither, the connection breaks, or the server cannot
    /// prove who it is.
    pub async fn connect<IO>(&self, io: IO, name: &str) -> io::Result<client::TlsStream<IO>>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|error: InvalidDnsNameError| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        TlsConnector::from(self.0.clone()).connect(name, io).await
    }
}

impl Default for TlsClient {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Arc<ClientConfig>> for TlsClient {
    fn from(config: Arc<ClientConfig>) -> Self {
        Self(config)
    }
}

fn public_roots() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

fn certificates(what: &str, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>();
    let read = read.map_err(|source| TlsError::Pem { what: what.to_owned(), source })?;
    if read.is_empty() { Err(TlsError::Empty(what.to_owned())) } else { Ok(read) }
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsServer").finish_non_exhaustive()
    }
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient").finish_non_exhaustive()
    }
}
