//! [`accept`]: the server's side of the handshake.

use super::{accept_value, has_token, list, only};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{
    HeaderValue, Method, Request, Response, StatusCode, Version,
    header::{
        ALLOW, CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
        SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use hyper::ext::Protocol;

/// The only version there is, RFC 6455.
const VERSION: &str = "13";

/// Why a request is no handshake that can be accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It does not ask for WebSocket.
    #[error("this address speaks WebSocket only: the request must ask for `Upgrade: websocket`")]
    NotRequested,
    /// It asks for another protocol than WebSocket, by extended CONNECT.
    #[error("of the protocols that CONNECT may ask for, this address speaks only `websocket`")]
    Protocol,
    /// The method is not the one that a handshake has.
    #[error("a WebSocket handshake is a GET request over HTTP/1.1, or a CONNECT request over HTTP/2")]
    Method,
    /// `Sec-WebSocket-Version` is not 13.
    #[error("the header Sec-WebSocket-Version must be 13")]
    Version,
    /// `Sec-WebSocket-Key` is missing or misshapen.
    #[error("the header Sec-WebSocket-Key must be there once, and be 16 bytes in base64")]
    Key,
}

impl Refusal {
    /// The status to answer with.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::NotRequested | Self::Version => StatusCode::UPGRADE_REQUIRED,
            // as RFC 9220, section 3, has it, also for what RFC 8441 left open
            Self::Protocol => StatusCode::NOT_IMPLEMENTED,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Key => StatusCode::BAD_REQUEST,
        }
    }

    /// The answer, with the headers that its status demands and the reason as its body.
    #[must_use]
    pub fn response(self) -> Response<String> {
        let mut response = Response::new(self.to_string());
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        match self {
            Self::NotRequested | Self::Version => {
                headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
                headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
            }
            Self::Method => {
                headers.insert(ALLOW, HeaderValue::from_static("GET"));
            }
            Self::Protocol | Self::Key => {}
        }
        response
    }
}

/// Whether a request asks for WebSocket, rightly or not.
#[must_use]
pub fn is_requested<B>(request: &Request<B>) -> bool {
    match request.extensions().get::<Protocol>() {
        Some(protocol) => protocol.as_str() == "websocket",
        None => request.version() == Version::HTTP_11 && has_token(request.headers(), &UPGRADE, "websocket"),
    }
}

/// Accepts a handshake: the answer to give, after which the connection, or over
/// HTTP/2 the stream, is a WebSocket.
///
/// Of `subprotocols`, the first that the client names is agreed on; none if it
/// names none of them. The order is the client's.
///
/// ```
/// # use trunkline_net::ws::accept;
/// let request = http::Request::get("/")
///     .header("connection", "keep-alive, Upgrade")
///     .header("upgrade", "websocket")
///     .header("sec-websocket-version", "13")
///     .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
///     .body(())?;
/// let response = accept(&request, &["jsonrpc"])?;
/// assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Fails if the request does not ask for a WebSocket, or not as RFC 6455,
/// section 4.2.1, has it.
pub fn accept<B>(request: &Request<B>, subprotocols: &[impl AsRef<str>]) -> Result<Response<()>, Refusal> {
    let extended = request.extensions().get::<Protocol>().is_some();
    if !is_requested(request) {
        return Err(if extended { Refusal::Protocol } else { Refusal::NotRequested });
    }
    let headers = request.headers();
    let method = if extended { Method::CONNECT } else { Method::GET };
    if request.method() != method {
        return Err(Refusal::Method);
    }
    if !extended && !has_token(headers, &CONNECTION, "upgrade") {
        return Err(Refusal::NotRequested);
    }
    if only(headers, &SEC_WEBSOCKET_VERSION).is_none_or(|version| version != VERSION) {
        return Err(Refusal::Version);
    }
    let mut response = Response::new(());
    if !extended {
        let key = only(headers, &SEC_WEBSOCKET_KEY).ok_or(Refusal::Key)?.as_bytes();
        if BASE64_STANDARD.decode(key).map_or(0, |key| key.len()) != 16 {
            return Err(Refusal::Key);
        }
        let proof = HeaderValue::try_from(accept_value(key)).map_err(|_| Refusal::Key)?;
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
        response.headers_mut().insert(SEC_WEBSOCKET_ACCEPT, proof);
    }
    let chosen = list(headers, &SEC_WEBSOCKET_PROTOCOL)
        .find(|offered| subprotocols.iter().any(|allowed| allowed.as_ref() == *offered));
    if let Some(chosen) = chosen.and_then(|chosen| HeaderValue::from_str(chosen).ok()) {
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, chosen);
    }
    Ok(response)
}
