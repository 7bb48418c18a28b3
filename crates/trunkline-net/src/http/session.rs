//! [`upgrade`]: a request becomes a WebSocket.

use super::{
    body::decline,
    endpoint::{Endpoint, Messages},
    reply::{Reply, ReplyBody},
    wire::Wire,
};
use crate::{link::Link, serve, ws};
use http::Request;
use hyper::{
    body::{Body, Bytes},
    upgrade::{OnUpgrade, Upgraded},
};
use hyper_util::rt::TokioIo;
use std::{net::SocketAddr, pin::Pin};
use trunkline_core::{
    Connection,
    framing::{Framing, Lines},
};

/// The life of a WebSocket, which begins once the response has been sent.
pub(super) type Session = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Answers a request for a WebSocket; what follows on it is given to `spawn`.
pub(super) fn upgrade<B>(
    endpoint: &Endpoint,
    mut request: Request<B>,
    remote: Option<SocketAddr>,
    spawn: impl FnOnce(Session),
) -> Reply
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    let response = match ws::accept(&request, &endpoint.subprotocols) {
        Ok(response) => response.map(|()| ReplyBody::default()),
        Err(refusal) => {
            return decline(request, refusal.response().map(|words| words.into_bytes().into()));
        }
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let (head, _) = request.into_parts();
    let connection = Connection::new("websocket", endpoint.service.language.name())
        .with_remote(remote)
        .with_request(head.uri.path(), head.headers);
    spawn(Box::pin(live(upgrade, connection, endpoint.clone())));
    response
}

async fn live(upgrade: OnUpgrade, connection: Connection, endpoint: Endpoint) {
    match upgrade.await {
        Ok(upgraded) => {
            let link = link(upgraded, connection, &endpoint);
            serve(link, &endpoint.service).await;
        }
        Err(error) => tracing::debug!(%error, "a connection broke before it became a WebSocket"),
    }
}

/// A link over what hyper gives back; over the bare stream if that is ours.
fn link(upgraded: Upgraded, connection: Connection, endpoint: &Endpoint) -> Link {
    let framing = Box::new(framing(endpoint));
    match upgraded.downcast::<TokioIo<Wire>>() {
        Ok(parts) => Link::of(parts.io.into_inner().into_stream(), framing, connection)
            .with_arrived(parts.read_buf.into()),
        Err(upgraded) => Link::of(Box::new(TokioIo::new(upgraded)), framing, connection),
    }
}

fn framing(endpoint: &Endpoint) -> ws::WebSocket {
    let limit = endpoint.service.limits.max_message;
    let framing = ws::WebSocket::server().limit(limit);
    let carried: Box<dyn Framing> = match &endpoint.messages {
        Messages::Whole => return framing,
        Messages::Lines => Box::new(Lines::default().limit(limit)),
        Messages::Mux(make) => return framing.binary().carrying(Box::new(make().limit(limit))),
    };
    framing.carrying(carried)
}
