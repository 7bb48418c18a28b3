//! [`connect`]: the client's side of the handshake.

use super::{accept_value, has_token, list, only};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode, Uri,
    header::{
        CONNECTION, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
        SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use hyper::{body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use trunkline_core::Limits;

/// The least that hyper can be told to buffer.
const LEAST_HEAD: usize = 8 << 10;

/// A connection that has become a WebSocket.
#[derive(Debug)]
#[non_exhaustive]
pub struct Connected<IO> {
    /// The connection itself, with no HTTP left around it.
    pub io: IO,
    /// What the server had already sent after its answer.
    pub leftover: Bytes,
    /// The server's answer.
    pub response: Response<()>,
}

/// Why a connection did not become a WebSocket.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address is no `ws://host/path`, or a header cannot be sent.
    #[error("the address `{0}` cannot be asked for over HTTP: it needs a host, as in ws://host:port/path")]
    Address(Uri),
    /// The connection failed, or what came was not HTTP.
    #[error("the connection failed during the WebSocket handshake")]
    Http(#[from] hyper::Error),
    /// The server answered, and declined.
    #[error("the server declined the WebSocket handshake: it answered {0} where 101 was asked for")]
    Declined(StatusCode),
    /// The server agreed to something else than was asked for.
    #[error("the server answered the WebSocket handshake with a wrong header {0}")]
    Header(http::HeaderName),
}

/// Asks for a WebSocket at `uri` over `io`, a connection to its host.
///
/// `headers` are sent along; subprotocols are offered as the header
/// `sec-websocket-protocol`, and the one that was agreed on is in the answer.
/// Of `limits`, `max_head` bounds the answer; the caller minds the time.
/// Dropping the future closes the connection.
///
/// # Errors
///
/// Fails if the connection fails, the server declines, or its answer is not
/// what RFC 6455, section 4.1, demands. Redirections are not followed.
pub async fn connect<IO>(
    io: IO,
    uri: &Uri,
    headers: &HeaderMap,
    limits: &Limits,
) -> Result<Connected<IO>, ConnectError>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let (request, key) = request(uri, headers).ok_or_else(|| ConnectError::Address(uri.clone()))?;
    let mut http = http1::Builder::new();
    http.max_buf_size(limits.max_head.max(LEAST_HEAD));
    let (mut sender, connection) = http.handshake(TokioIo::new(io)).await?;
    let answer = sender.send_request(request);
    let mut connection = std::pin::pin!(connection.without_shutdown());
    let mut answer = std::pin::pin!(answer);
    let mut parts = None;
    let response = loop {
        tokio::select! {
            biased;
            answer = &mut answer => break answer?,
            gone = &mut connection, if parts.is_none() => parts = Some(gone?),
        }
    };
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(ConnectError::Declined(response.status()));
    }
    check(&response, &key, headers)?;
    let parts = match parts {
        Some(parts) => parts,
        None => connection.await?,
    };
    Ok(Connected { io: parts.io.into_inner(), leftover: parts.read_buf, response: response.map(drop) })
}

/// The request, and the key in it.
fn request(uri: &Uri, headers: &HeaderMap) -> Option<(Request<String>, HeaderValue)> {
    let host = match (uri.host()?, uri.port()) {
        (host, Some(port)) => HeaderValue::try_from(format!("{host}:{port}")).ok()?,
        (host, None) => HeaderValue::try_from(host).ok()?,
    };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let key = HeaderValue::try_from(BASE64_STANDARD.encode(rand::random::<[u8; 16]>())).ok()?;
    let mut request = Request::get(path).body(String::new()).ok()?;
    let sent = request.headers_mut();
    sent.insert(HOST, host);
    sent.extend(headers.clone());
    sent.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    sent.insert(UPGRADE, HeaderValue::from_static("websocket"));
    sent.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    sent.insert(SEC_WEBSOCKET_KEY, key.clone());
    Some((request, key))
}

/// Whether the answer is what a server says that has understood what it agrees to.
fn check<B>(response: &Response<B>, key: &HeaderValue, asked: &HeaderMap) -> Result<(), ConnectError> {
    let answered = response.headers();
    let proof = accept_value(key.as_bytes());
    let subprotocol = only(answered, &SEC_WEBSOCKET_PROTOCOL).and_then(|value| value.to_str().ok());
    let offered = |name| list(asked, &SEC_WEBSOCKET_PROTOCOL).any(|offered| offered == name);
    for (header, fine) in [
        (UPGRADE, has_token(answered, &UPGRADE, "websocket")),
        (CONNECTION, has_token(answered, &CONNECTION, "upgrade")),
        (SEC_WEBSOCKET_ACCEPT, only(answered, &SEC_WEBSOCKET_ACCEPT).is_some_and(|value| value == &proof)),
        (SEC_WEBSOCKET_EXTENSIONS, !answered.contains_key(SEC_WEBSOCKET_EXTENSIONS)),
        (
            SEC_WEBSOCKET_PROTOCOL,
            !answered.contains_key(SEC_WEBSOCKET_PROTOCOL) || subprotocol.is_some_and(offered),
        ),
    ] {
        if !fine {
            return Err(ConnectError::Header(header));
        }
    }
    Ok(())
}
