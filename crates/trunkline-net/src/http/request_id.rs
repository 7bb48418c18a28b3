//! Requests that come with a name of their caller's choice, `X-Request-Id`.

use super::{
    claims::Claims,
    door::{Door, act, to_page},
    reply::Reply,
};
use http::{HeaderName, HeaderValue, Request};
use hyper::body::{Body, Bytes};
use trunkline_core::connection::{REQUEST_ID, request_id};

pub(super) const NAME: HeaderName = HeaderName::from_static(REQUEST_ID);

/// Answers a request, and says in the answer which request that was.
pub(super) async fn echoed<B, D>(door: D, claims: Claims, request: Request<B>) -> Reply
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    D: Door,
{
    let id = request_id(request.headers()).and_then(|id| HeaderValue::from_str(id).ok());
    let mut reply = match claims.page {
        false => act(door, claims, request).await,
        true => to_page(door, claims, request).await,
    };
    if let Some(id) = id {
        reply.headers_mut().insert(NAME, id);
    }
    reply
}
