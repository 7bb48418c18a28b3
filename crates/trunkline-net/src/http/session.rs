//! [`upgrade`]: a request becomes a WebSocket.

use super::{
    body::decline,
    door::Door,
    endpoint::{Endpoint, Messages},
    reply::{Reply, ReplyBody, text},
    wire::Wire,
};
use crate::{
    link::{ByteStream, Link},
    listen::Shutdown,
    serve,
    service::Service,
    ws,
};
use http::{Request, StatusCode};
use hyper::{
    body::{Body, Bytes},
    upgrade::{OnUpgrade, Upgraded},
};
use hyper_util::rt::TokioIo;
use std::{future::Future, pin::Pin, time::Duration};
use tokio::{io::AsyncWriteExt, time::timeout};
use trunkline_core::{
    Connection,
    framing::{Framing, Lines},
};

/// The life of a WebSocket, which begins once the response has been sent.
pub(super) type Session = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Answers a request for a WebSocket, and begins what follows on it.
pub(super) fn upgrade<B, D>(door: &D, mut request: Request<B>) -> Reply
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    D: Door,
{
    let endpoint = door.endpoint();
    let response = match ws::accept(&request, &endpoint.subprotocols) {
        Ok(response) => response.map(|()| ReplyBody::default()),
        Err(refusal) => {
            return decline(request, refusal.response().map(|words| words.into_bytes().into()));
        }
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let (head, _) = request.into_parts();
    let connection = Connection::new("websocket", endpoint.service.language.name())
        .with_remote(door.remote())
        .with_request(head.uri.path(), head.headers);
    let session =
        live(upgrade, connection, framing(endpoint), endpoint.service.clone(), door.shutdown().clone());
    match door.begin(Box::pin(session)) {
        true => response,
        false => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "there are as many WebSockets over HTTP/2 as the limit `max_connections` allows",
        ),
    }
}

async fn live(
    upgrade: OnUpgrade,
    connection: Connection,
    framing: Box<dyn Framing>,
    service: Service,
    shutdown: Shutdown,
) {
    let stream = match upgrade.await {
        // the shutdown has told all peers that there were; nobody would tell this one
        Ok(_) if shutdown.has_begun() => return,
        Ok(upgraded) => bare(upgraded, service.limits.stall_timeout).await,
        Err(error) => return tracing::debug!(%error, "a connection broke before it became a WebSocket"),
    };
    drop(shutdown);
    if let Some((stream, arrived)) = stream {
        serve(Link::of(stream, framing, connection).with_arrived(arrived), &service).await;
    }
}

/// The stream that hyper gives back, and what it had read of it already. A
/// connection of our own is stripped of all that HTTP needed.
async fn bare(upgraded: Upgraded, time: Duration) -> Option<(Box<dyn ByteStream>, Vec<u8>)> {
    match upgraded.downcast::<TokioIo<Wire>>() {
        Ok(parts) => {
            let mut wire = parts.io.into_inner();
            timeout(time, wire.flush()).await.ok()?.ok()?;
            Some((wire.into_stream(), parts.read_buf.into()))
        }
        Err(upgraded) => Some((Box::new(TokioIo::new(upgraded)), Vec::new())),
    }
}

fn framing(endpoint: &Endpoint) -> Box<dyn Framing> {
    let limit = endpoint.service.limits.max_message;
    let framing = ws::WebSocket::server().limit(limit);
    Box::new(match &endpoint.messages {
        Messages::Whole => framing,
        Messages::Lines => framing.carrying(Box::new(Lines::default().limit(limit))),
        Messages::Mux(make) => framing.binary().carrying(Box::new(make().limit(limit))),
    })
}
