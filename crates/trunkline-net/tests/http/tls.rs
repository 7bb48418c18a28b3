//! TLS, for HTTP and for bare streams.

use crate::support::{Gate, SUM, SUMMED, drive, service};
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, KeyPair};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
};
use tokio_rustls::rustls::{
    self, ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use trunkline_core::{Connection, Limits, framing::Lines};
use trunkline_net::{
    Hooks, Link,
    http::{Endpoint, Http},
    listen::{Shutdown, StreamListener, Streams},
    tls::{TlsClient, TlsError, TlsServer},
    ws::{self, WebSocket},
};

/// A certificate that vouches for itself, and its key.
fn certificate(names: &[&str]) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

struct Secured {
    address: SocketAddr,
    client: TlsClient,
    root: String,
    errors: Arc<Mutex<Vec<String>>>,
    failed: Arc<Notify>,
}

/// Starts a server that has a certificate for localhost.
async fn start(limits: Limits, streams: bool) -> Secured {
    let (root, key) = certificate(&["localhost", "127.0.0.1"]);
    let tls = TlsServer::from_pem(root.as_bytes(), key.as_bytes()).unwrap();
    let client = TlsClient::with_root_pem(root.as_bytes()).unwrap();
    let errors: Arc<Mutex<Vec<String>>> = Arc::default();
    let failed = Arc::new(Notify::new());
    let (noted, notify) = (errors.clone(), failed.clone());
    let hooks = Hooks::default().on_error(move |error| {
        noted.lock().unwrap().push(error.to_string());
        notify.notify_one();
    });
    let service = service(limits, &Gate::default()).hooks(hooks);
    let address = match streams {
        true => {
            let socket = StreamListener::tcp("127.0.0.1:0").await.unwrap();
            let address = socket.address().unwrap();
            let framing = Arc::new(|_: &Limits| Box::new(Lines::default()) as _);
            tokio::spawn(Streams::new(socket, service, framing).tls(tls).run(Shutdown::new()));
            address
        }
        false => {
            let http = Http::bind("127.0.0.1:0").await.unwrap();
            let address = http.address();
            tokio::spawn(http.endpoint("/", Endpoint::new(service)).tls(tls).run(Shutdown::new()));
            address
        }
    };
    Secured { address, client, root, errors, failed }
}

impl Secured {
    async fn connect(&self) -> trunkline_net::tls::client::TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        self.client.connect(stream, "localhost").await.unwrap()
    }

    async fn is_well(&self) {
        let mut stream = self.connect().await;
        let request = "GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[tokio::test]
async fn calls_and_web_sockets_travel_inside_tls() {
    let server = start(Limits::default(), false).await;
    server.is_well().await;
    let uri = "wss://localhost/".parse().unwrap();
    let connected =
        ws::connect(server.connect().await, &uri, &http::HeaderMap::new(), &Limits::default()).await.unwrap();
    let peer = drive(Link::new(connected.io, WebSocket::client(), Connection::new("websocket", "jsonrpc")));
    let sum: i64 = peer.call("sum", (1, 2)).await.unwrap();
    assert_eq!(sum, 3);
}

#[tokio::test]
async fn http_2_is_agreed_on() {
    let server = start(Limits::default(), false).await;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(server.root.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(server.address).await.unwrap();
    let stream = TlsClient::from(Arc::new(config)).connect(stream, "localhost").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post("https://localhost/").header("content-type", "application/json");
    let answer = sender.send_request(request.body(Full::<Bytes>::from(SUM)).unwrap()).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), SUMMED);
}

#[tokio::test]
async fn lines_travel_inside_tls() {
    let server = start(Limits::default(), true).await;
    let peer = drive(Link::new(server.connect().await, Lines::default(), Connection::new("tcp", "jsonrpc")));
    let sum: i64 = peer.call("sum", (1, 2)).await.unwrap();
    assert_eq!(sum, 3);
}

#[tokio::test]
async fn rubbish_is_told_to_the_operator_and_concerns_nobody_else() {
    for streams in [false, true] {
        let server = start(Limits::default(), streams).await;
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        server.failed.notified().await;
        let errors = server.errors.lock().unwrap().clone();
        assert!(errors.len() == 1 && errors[0].starts_with("no TLS with 127.0.0.1:"), "{errors:?}");
        server.connect().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_does_not_end_is_cut_off() {
    for streams in [false, true] {
        let limits = Limits::default().handshake_timeout(Duration::from_secs(10));
        let server = start(limits, streams).await;
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(&[22, 3, 1]).await.unwrap();
        let since = tokio::time::Instant::now();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        assert_eq!(since.elapsed().as_secs(), 10);
        let errors = server.errors.lock().unwrap().clone();
        assert!(errors.len() == 1 && errors[0].contains("`handshake_timeout`"), "{errors:?}");
    }
}

#[tokio::test]
async fn a_client_believes_only_whom_it_knows_and_only_their_own_names() {
    let server = start(Limits::default(), false).await;
    let dial = async |client: &TlsClient, name: &str| {
        client.connect(TcpStream::connect(server.address).await.unwrap(), name).await
    };
    assert!(dial(&server.client, "localhost").await.is_ok());
    assert!(dial(&server.client, "127.0.0.1").await.is_ok());
    for (client, name) in [
        (&TlsClient::new(), "localhost"),
        (&server.client, "other.example"),
        (&server.client, "no name"),
        (&server.client, "[::1]"),
    ] {
        assert!(dial(client, name).await.is_err(), "{name}");
    }
}

#[test]
fn what_cannot_be_used_is_named() {
    let (chain, key) = certificate(&["localhost"]);
    let (_, other_key) = certificate(&["localhost"]);
    let fails = |chain: &str, key: &str| TlsServer::from_pem(chain.as_bytes(), key.as_bytes()).unwrap_err();
    assert_eq!(fails("", &key).to_string(), "the certificate chain has no certificate in it");
    assert_eq!(fails(&chain, "").to_string(), "the private key cannot be read as PEM");
    assert!(matches!(fails(&chain, &other_key), TlsError::Unfit(_)));
    let error = TlsServer::from_files("/nowhere/chain.pem", "/nowhere/key.pem").unwrap_err();
    assert!(error.to_string().contains("/nowhere/chain.pem"), "{error}");
}
