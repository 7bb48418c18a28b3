//! [`answer`]: at a gateway every request is a message, whatever its method and path.

use super::{
    body::{self, Untaken, decline},
    claims::Claims,
    door::Door,
    events,
    origins::Origins,
    post,
    reply::{Reply, ReplyBody, json},
};
use crate::exchange;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
        CONTENT_ENCODING, CONTENT_TYPE, ORIGIN, VARY,
    },
};
use http_body_util::Full;
use hyper::body::{Body, Bytes};
use trunkline_core::Limits;

/// What is JSON besides that which is called so.
const TYPES: [&[u8]; 4] = [
    b"application/json-patch+json",
    b"application/vnd.api+json",
    b"application/csp-report",
    b"application/scim+json",
];

/// Answers a request that asks for no WebSocket. The status is 200, whatever the answer
/// says; a body that does not claim to be JSON counts as none.
pub(super) async fn answer<B, D>(door: D, claims: Claims, request: Request<B>) -> Reply
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    D: Door,
{
    let permission = permission(door.origins(), request.headers());
    let mut reply = match is_preflight(&request) {
        true => {
            let reply = preflight(request.headers());
            door.part(decline(request, reply))
        }
        false if claims.events && claims.json == Some(true) => events::answer(door, request).await,
        false => answer_call(door, claims, request).await,
    };
    permit(reply.headers_mut(), permission);
    reply
}

async fn answer_call<B, D>(door: D, claims: Claims, request: Request<B>) -> Reply
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    D: Door,
{
    let endpoint = door.endpoint();
    let limits = endpoint.gateway.as_deref().unwrap_or(&endpoint.service.limits);
    let (head, mut body) = request.into_parts();
    let document = match claims.json == Some(true) || is_json(&head.headers) {
        true => {
            body::take(&mut body, limits).await.and_then(|document| decoded(document, &head.headers, limits))
        }
        false => Ok(Bytes::new()),
    };
    let document = match document {
        Ok(document) => {
            body::leave(body, body::waits(&head.headers));
            document
        }
        Err(Untaken::Announced | Untaken::TooLarge) => {
            body::leave(body, body::waits(&head.headers));
            let told = exchange::oversize(&endpoint.service);
            return with_charset(door.part(json(StatusCode::OK, told)));
        }
        Err(Untaken::Encoded) => {
            return door.part(post::refuse_encoding(Request::from_parts(head, body)));
        }
        Err(untaken) => {
            let refusal = post::refuse_untaken(endpoint, body, &head.headers, untaken);
            return door.part(refusal);
        }
    };
    let request = Request::from_parts(head, Full::new(document));
    with_charset(match endpoint.service.security.is_some() {
        true => post::answer_known(door, request).await,
        false => post::answer(door, request).await,
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let media_type = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    TYPES.iter().any(|known| media_type.eq_ignore_ascii_case(known))
}

/// The body as it was before it was compressed, up to the limit.
fn decoded(body: Bytes, headers: &HeaderMap, limits: &Limits) -> Result<Bytes, Untaken> {
    let mut codings = headers.get_all(CONTENT_ENCODING).into_iter().map(HeaderValue::as_bytes);
    match (codings.next(), codings.next()) {
        (None | Some(b"" | b"identity"), None) => Ok(body),
        (Some(coding), None) if coding.eq_ignore_ascii_case(b"gzip") => unzipped(&body, limits.max_message),
        _ => Err(Untaken::Encoded),
    }
}

#[cfg(feature = "gzip")]
fn unzipped(body: &[u8], limit: usize) -> Result<Bytes, Untaken> {
    use std::io::Read;
    let mut plain = Vec::new();
    let most = (limit as u64).saturating_add(1);
    flate2::read::GzDecoder::new(body).take(most).read_to_end(&mut plain).map_err(|_| Untaken::Broken)?;
    if plain.len() > limit { Err(Untaken::TooLarge) } else { Ok(plain.into()) }
}

#[cfg(not(feature = "gzip"))]
fn unzipped(_body: &[u8], _limit: usize) -> Result<Bytes, Untaken> {
    Err(Untaken::Encoded)
}

/// The type as the reference server of @therms has it, of which some clients look for all.
fn with_charset(mut reply: Reply) -> Reply {
    if let Some(value) = reply.headers_mut().get_mut(CONTENT_TYPE)
        && value == "application/json"
    {
        *value = HeaderValue::from_static("application/json; charset=utf-8");
    }
    reply
}

/// Whether a browser asks what a page may do.
fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight(asked: &HeaderMap) -> Reply {
    let mut reply = Response::new(ReplyBody::default());
    *reply.status_mut() = StatusCode::NO_CONTENT;
    let headers = reply.headers_mut();
    let methods = HeaderValue::from_static("GET,HEAD,PUT,POST,DELETE,PATCH");
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    if let Some(names) = asked.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
    reply
}

/// Which pages are told that they may read the answer: those of any origin, unless some
/// are listed.
pub(super) fn permission(origins: &Origins, headers: &HeaderMap) -> Option<HeaderValue> {
    match headers.get(ORIGIN) {
        _ if !origins.are_listed() => Some(HeaderValue::from_static("*")),
        Some(origin) if origins.admit(origin, None) => Some(origin.clone()),
        _ => None,
    }
}

/// Tells it. Cookies are not asked for: what a page may do must not hang on who sits before it.
pub(super) fn permit(headers: &mut HeaderMap, permission: Option<HeaderValue>) {
    headers.insert(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = permission {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
}

#[cfg(feature = "gzip")]
#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn zipped(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_was_small_is_not_unpacked_beyond_the_limit() {
        let bomb = zipped(&vec![b' '; 1 << 20]);
        assert!(bomb.len() < 2000, "{}", bomb.len());
        assert_eq!(unzipped(&bomb, 1 << 20).map(|plain| plain.len()), Ok(1 << 20));
        assert_eq!(unzipped(&bomb, (1 << 20) - 1), Err(Untaken::TooLarge));
        assert_eq!(unzipped(b"{}", 10), Err(Untaken::Broken));
        assert_eq!(unzipped(&bomb[..100], 1 << 20), Err(Untaken::Broken));
    }
}
