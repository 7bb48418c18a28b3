//! The opening handshake: how an HTTP connection becomes a WebSocket.
//!
//! Over HTTP/1.1 by `Upgrade` (RFC 6455, section 4), over HTTP/2 by extended
//! CONNECT (RFC 8441).

mod accept;
mod connect;

#[cfg(test)]
mod tests;

pub use self::{
    accept::{Refusal, accept, is_requested},
    connect::{ConnectError, Connected, connect},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha1::{Digest, Sha1};

/// What RFC 6455, section 1.3, appends to the key.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The proof of having understood a handshake with this key.
fn accept_value(key: &[u8]) -> String {
    BASE64_STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

/// The members of a header that is a list, over all its lines.
fn list<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|member| !member.is_empty())
}

/// Whether a list has a member, in any case.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    list(headers, name).any(|member| member.eq_ignore_ascii_case(token))
}

/// The value of a header that may be there only once.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h HeaderValue> {
    let mut values = headers.get_all(name).into_iter();
    values.next().filter(|_| values.next().is_none())
}
