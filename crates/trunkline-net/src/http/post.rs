//! POST: one document in the body, one in the reply.

use super::{
    body::{self, Untaken},
    endpoint::Endpoint,
    mapped,
    reply::{Reply, ReplyBody, json, text},
};
use crate::exchange;
use http::{HeaderMap, Request, Response, StatusCode, header::CONTENT_TYPE};
use hyper::body::{Body, Bytes};
use std::{net::SocketAddr, sync::Arc};
use trunkline_core::{Connection, Context};

/// The media types of JSON-RPC. A browser lets a page send none of them to
/// another origin without asking there first.
const TYPES: [&[u8]; 3] = [b"application/json", b"application/json-rpc", b"application/jsonrequest"];

/// Answers a POST. The reply has status 200 whatever it says, because clients
/// take other statuses for failures of the transport and lose the reply.
pub(super) async fn answer<B>(endpoint: &Endpoint, request: Request<B>, remote: Option<SocketAddr>) -> Reply
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    let service = &endpoint.service;
    let limits = &service.limits;
    let (head, mut body) = request.into_parts();
    if !is_json(&head.headers) {
        body::leave(body, &head.headers);
        return text(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the Content-Type of a call must be application/json",
        );
    }
    let announced = body.size_hint().lower();
    let taken = match announced > limits.max_message as u64 {
        true => Err(Untaken::TooLarge),
        false => body::take(&mut body, limits.max_message, limits.message_timeout).await,
    };
    let document = match taken {
        Ok(document) => document,
        Err(untaken) => {
            body::leave(body, &head.headers);
            return refuse(endpoint, untaken);
        }
    };
    let connection = Connection::new("http", service.language.name())
        .with_remote(remote)
        .with_request(head.uri.path(), head.headers);
    let context = Context::new(Arc::new(connection), head.extensions);
    match exchange::answer(&document, service, context).await {
        Some(reply) if endpoint.mapped => json(mapped::status(&reply), reply),
        Some(reply) => json(StatusCode::OK, reply),
        None => {
            let mut nothing = Response::new(ReplyBody::default());
            *nothing.status_mut() = StatusCode::NO_CONTENT;
            nothing
        }
    }
}

#[cold]
fn refuse(endpoint: &Endpoint, untaken: Untaken) -> Reply {
    match untaken {
        Untaken::TooLarge => json(StatusCode::PAYLOAD_TOO_LARGE, exchange::oversize(&endpoint.service)),
        Untaken::Slow => text(
            StatusCode::REQUEST_TIMEOUT,
            "the body did not arrive whole within the limit `message_timeout`",
        ),
        Untaken::Broken => text(StatusCode::BAD_REQUEST, "the body could not be read"),
    }
}

/// Whether the body claims to be JSON, whatever the parameters say.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else { return false };
    let value = value.as_bytes();
    let media_type = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    TYPES.iter().any(|known| media_type.eq_ignore_ascii_case(known))
}
