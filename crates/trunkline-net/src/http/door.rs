//! [`Door`]: where a request came in, and [`respond`], which answers it there.

use super::{
    body::decline,
    claims::Claims,
    endpoint::Endpoint,
    events, gate, gateway,
    origins::Origins,
    post,
    reply::{Reply, not_allowed, text},
    request_id,
    session::{self, Life},
};
use crate::{listen::Shutdown, ws};
use futures_util::future::Either;
use http::{Method, Request, StatusCode, header::ORIGIN};
use hyper::{
    body::{Body, Bytes},
    ext::Protocol,
};
use std::{
    convert::Infallible,
    future::{Future, ready},
    net::{IpAddr, SocketAddr},
    pin::Pin,
};
use tower::{Layer, ServiceExt, service_fn};

const FOREIGN: &str = "pages of this origin may not call here: it is neither the origin of this server, nor one that \
                       it allows; the setting is `allow_origins`";

/// Where a request came in: at a port of our own, or in somebody else's server.
pub(super) trait Door: Clone + Send + Sync + 'static {
    /// The endpoint that is behind it.
    fn endpoint(&self) -> &Endpoint;

    /// Which pages may come in.
    fn origins(&self) -> &Origins;

    /// Who is believed where its client is.
    fn proxies(&self) -> &[IpAddr];

    /// Where the caller is.
    fn remote(&self) -> Option<SocketAddr>;

    /// What ends the sessions that began here.
    fn shutdown(&self) -> &Shutdown;

    /// Runs a WebSocket, if there may be another.
    fn begin(&self, session: Life) -> bool;

    /// Sees a reply off.
    fn part(self, reply: Reply) -> Reply;
}

/// An answer that is not worth to be told apart from others.
pub(super) type Boxed = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// Answers a request that may come in.
///
/// The one future that is not in a box is that of a POST by a caller that is no
/// page: what is on the way of every call is to be small, and flat.
#[inline]
pub(super) fn respond<B, D>(door: D, request: Request<B>) -> Either<impl Future<Output = Reply> + Send, Boxed>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    D: Door,
{
    let claims = Claims::of(request.headers());
    match (claims.named, claims.page) {
        (false, false) => act(door, claims, request),
        (false, true) => Either::Right(Box::pin(to_page(door, claims, request))),
        (true, _) => Either::Right(Box::pin(request_id::echoed(door, claims, request))),
    }
}

#[inline]
pub(super) fn act<B, D>(
    door: D,
    claims: Claims,
    request: Request<B>,
) -> Either<impl Future<Output = Reply> + Send, Boxed>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    D: Door,
{
    let endpoint = door.endpoint();
    if endpoint.post && request.method() == Method::POST {
        if claims.json != Some(true) {
            return at_once(door.part(post::refuse_type(request)));
        }
        if claims.encoded {
            return at_once(door.part(post::refuse_encoding(request)));
        }
        if claims.events {
            return Either::Right(Box::pin(events::answer(door, request)));
        }
        if endpoint.service.security.is_some() {
            return Either::Right(Box::pin(post::answer_known(door, request)));
        }
        return Either::Left(post::answer(door, request));
    }
    if endpoint.gateway.is_some() && !ws::is_requested(&request) && !asks_for_another(&request) {
        return Either::Right(Box::pin(gateway::answer(door, claims, request)));
    }
    let websocket = endpoint.websocket && (!endpoint.post || ws::is_requested(&request));
    // another protocol is refused in the words that are kept where this one is accepted
    let reply = match websocket || asks_for_another(&request) {
        true if endpoint.service.security.is_some() => {
            return Either::Right(Box::pin(session::upgrade_known(door, request)));
        }
        true => session::upgrade(&door, request, None),
        false => decline(request, not_allowed("POST")),
    };
    at_once(door.part(reply))
}

/// Whether a request asks, by extended CONNECT, for what is no WebSocket.
fn asks_for_another<B>(request: &Request<B>) -> bool {
    request.extensions().get::<Protocol>().is_some() && !ws::is_requested(request)
}

/// An answer that is there already.
pub(super) fn at_once<F>(reply: Reply) -> Either<F, Boxed> {
    Either::Right(Box::pin(ready(reply)))
}

/// Answers a page in a browser.
pub(super) async fn to_page<B, D>(door: D, claims: Claims, request: Request<B>) -> Reply
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    D: Door,
{
    if is_foreign(&door, &request) {
        return door.part(decline(request, text(StatusCode::FORBIDDEN, FOREIGN)));
    }
    if door.endpoint().gateway.is_some() {
        return act(door, claims, request).await;
    }
    let Some(cors) = &door.origins().cors else { return act(door.clone(), claims, request).await };
    let acting = service_fn(|request| {
        let answer = act(door.clone(), claims, request);
        async { Ok::<_, Infallible>(answer.await) }
    });
    match cors.layer(acting).oneshot(request).await {
        Ok(reply) => reply,
        Err(never) => match never {},
    }
}

/// Whether a page wants to do something that it may not do.
fn is_foreign<B>(door: &impl Door, request: &Request<B>) -> bool {
    let is_gateway = door.endpoint().gateway.is_some();
    if is_gateway && !door.origins().are_listed() {
        return false;
    }
    let acts = match is_gateway {
        true => request.method() != Method::OPTIONS,
        false => request.method() == Method::POST || ws::is_requested(request),
    };
    let origin = request.headers().get(ORIGIN);
    acts && !origin.is_some_and(|origin| door.origins().admit(origin, gate::host(request)))
}
