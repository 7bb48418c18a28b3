//! POST: one document in the body, one in the reply.

use super::{
    body::{self, Untaken, decline},
    door::Door,
    endpoint::Endpoint,
    identify::{hide_credentials, identify},
    mapped,
    reply::{Reply, ReplyBody, json, text},
};
use crate::exchange::{self, Exchange};
use http::{Extensions, HeaderMap, HeaderValue, Request, Response, StatusCode, header::ACCEPT_ENCODING};
use hyper::body::{Body, Bytes};
use std::sync::Arc;
use trunkline_core::{Connection, Context};

/// Answers a POST. The reply has status 200 whatever it says, because clients
/// take other statuses for failures of the transport and lose the reply.
///
/// The head goes at once to where handlers look for it: the future is moved
/// several times before it is polled, and is to be small.
#[inline]
pub(super) fn answer<B, D>(door: D, request: Request<B>) -> impl Future<Output = Reply> + Send
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    D: Door,
{
    let (connection, extensions, body) = take_apart(&door, request);
    answer_to(door, Context::new(Arc::new(connection), extensions), body)
}

/// The same once it is known whose request it is.
pub(super) async fn answer_known<B, D>(door: D, mut request: Request<B>) -> Reply
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    D: Door,
{
    hide_credentials(request.headers_mut());
    let (connection, extensions, body) = take_apart(&door, request);
    let waits = body::waits(connection.headers());
    match identify(&door.endpoint().service, connection, &extensions).await {
        Ok(connection) => answer_to(door, Context::new(Arc::new(connection), extensions), body).await,
        Err(refusal) => {
            body::leave(body, waits);
            door.part(refusal)
        }
    }
}

/// What is known of whoever sends a request, and its body.
#[inline]
pub(super) fn take_apart<B>(door: &impl Door, request: Request<B>) -> (Connection, Extensions, B) {
    let (head, body) = request.into_parts();
    let connection = Connection::new("http", door.endpoint().service.language.name())
        .with_remote(door.remote())
        .trust_proxies(door.proxies())
        .with_request(head.uri, head.headers);
    (connection, head.extensions, body)
}

#[inline]
async fn answer_to<B, D>(door: D, context: Context, mut body: B) -> Reply
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    D: Door,
{
    let endpoint = door.endpoint();
    let document = match body::take(&mut body, &endpoint.service.limits).await {
        Ok(document) => document,
        Err(untaken) => {
            let refusal = refuse_untaken(endpoint, body, context.connection().headers(), untaken);
            return door.part(refusal);
        }
    };
    let mut exchange = endpoint
        .spares
        .take(context)
        .unwrap_or_else(|context| Box::new(Exchange::new(&endpoint.service, context)));
    let reply = exchange.answer(&document).await;
    endpoint.spares.leave(exchange);
    let reply = match reply {
        Some(reply) if endpoint.mapped => json(mapped::status(&reply), reply),
        Some(reply) => json(StatusCode::OK, reply),
        None => nothing(),
    };
    door.part(reply)
}

/// The answer to what wants none.
fn nothing() -> Reply {
    let mut nothing = Response::new(ReplyBody::default());
    *nothing.status_mut() = StatusCode::NO_CONTENT;
    nothing
}

/// Refuses a body that was not taken, and lets the rest of it arrive.
#[cold]
pub(super) fn refuse_untaken<B>(endpoint: &Endpoint, body: B, headers: &HeaderMap, untaken: Untaken) -> Reply
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    body::leave(body, untaken == Untaken::Announced && body::waits(headers));
    match untaken {
        Untaken::Announced | Untaken::TooLarge => {
            json(StatusCode::PAYLOAD_TOO_LARGE, exchange::oversize(&endpoint.service))
        }
        Untaken::Slow => text(
            StatusCode::REQUEST_TIMEOUT,
            "the body did not arrive whole within the limit `message_timeout`",
        ),
        Untaken::Broken | Untaken::Encoded => text(StatusCode::BAD_REQUEST, "the body could not be read"),
    }
}

/// Refuses a body that does not claim to be JSON.
#[cold]
pub(super) fn refuse_type<B>(request: Request<B>) -> Reply
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    let words = "the Content-Type of a call must be application/json";
    decline(request, text(StatusCode::UNSUPPORTED_MEDIA_TYPE, words))
}

/// Refuses a body that is compressed. Of a few bytes, any number may come out.
#[cold]
pub(super) fn refuse_encoding<B>(request: Request<B>) -> Reply
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    let words = "the body of a call must not be compressed: no Content-Encoding is taken";
    let mut reply = text(StatusCode::UNSUPPORTED_MEDIA_TYPE, words);
    // which this status calls for (RFC 9110, section 15.5.16)
    reply.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    decline(request, reply)
}
