//! [`upgrade`]: a request becomes a WebSocket.

use super::{
    body::decline,
    door::Door,
    endpoint::{Endpoint, Messages},
    identify::{hide_credentials, identify},
    reply::{Reply, ReplyBody, text},
    wire::Wire,
};
use crate::{
    link::{ByteStream, Link},
    listen::Shutdown,
    service::Service,
    ws,
};
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri, header::SEC_WEBSOCKET_PROTOCOL};
use hyper::{
    body::{Body, Bytes},
    upgrade::{OnUpgrade, Upgraded},
};
use hyper_util::rt::TokioIo;
use std::{future::Future, pin::Pin, time::Duration};
use tokio::{io::AsyncWriteExt, time::timeout};
use tokio_util::bytes::BytesMut;
use trunkline_core::{
    Connection,
    framing::{Framing, Lines},
};

/// How many of the subprotocols that are offered in vain are shown.
const SHOWN: usize = 8;
/// How long the name of a subprotocol may be to be shown.
const LONGEST_NAME: usize = 32;

/// The life of a WebSocket, which begins once the response has been sent.
pub(super) type Life = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Answers a request for a WebSocket once it is known whose it is, and begins what
/// follows on it.
pub(super) async fn upgrade_known<B, D>(door: D, mut request: Request<B>) -> Reply
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    D: Door,
{
    hide_credentials(request.headers_mut());
    let asking = connection(&door, request.uri(), request.headers());
    // the body of a request need not be something that several tasks may look at
    let extensions = request.extensions().clone();
    let reply = match identify(&door.endpoint().service, asking, &extensions).await {
        Ok(known) => upgrade(&door, request, Some(known)),
        Err(refusal) => decline(request, refusal),
    };
    door.part(reply)
}

/// Answers a request for a WebSocket, and begins what follows on it.
pub(super) fn upgrade<B, D>(door: &D, mut request: Request<B>, known: Option<Connection>) -> Reply
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
    if let Some(offered) = passed_over(request.headers(), response.headers()) {
        tracing::debug!(
            %offered,
            "a WebSocket without any of the subprotocols that were offered, for which browsers close it; \
             the setting is `Endpoint::subprotocols`"
        );
    }
    let upgrade = hyper::upgrade::on(&mut request);
    let connection = known.unwrap_or_else(|| connection(door, request.uri(), request.headers()));
    drop(request);
    let session =
        live(upgrade, connection, framing(endpoint), endpoint.service.clone(), door.shutdown().clone());
    match door.begin(Box::pin(session)) {
        true => response,
        false => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "there are as many WebSockets as the limit `max_connections` allows",
        ),
    }
}

/// What is known of the far end of a WebSocket that is asked for.
fn connection(door: &impl Door, uri: &Uri, headers: &HeaderMap) -> Connection {
    let service = &door.endpoint().service;
    Connection::new("websocket", service.language.name())
        .held_by(service.peers.holder())
        .with_remote(door.remote())
        .trust_proxies(door.proxies())
        .with_request(apart(uri), headers_apart(headers))
}

async fn live(
    upgrade: OnUpgrade,
    connection: Connection,
    framing: Box<dyn Framing>,
    service: Service,
    shutdown: Shutdown,
) {
    let stream = match upgrade.await {
        Ok(upgraded) => bare(upgraded, service.limits.stall_timeout).await,
        Err(error) => return tracing::debug!(%error, "a connection broke before it became a WebSocket"),
    };
    if let Some((stream, arrived)) = stream {
        shutdown.serve(Link::of(stream, framing, connection).with_arrived(arrived), &service).await;
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

/// The subprotocols that a client has offered in vain. Some send tokens in their
/// place, so those that are too long for a name are left out.
fn passed_over(asked: &HeaderMap, answered: &HeaderMap) -> Option<String> {
    if answered.contains_key(SEC_WEBSOCKET_PROTOCOL) {
        return None;
    }
    let lines = asked.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter().filter_map(|line| line.to_str().ok());
    let names = lines.flat_map(|line| line.split(',')).map(str::trim).filter(|name| !name.is_empty());
    let shown = names.take(SHOWN).map(|name| if name.len() > LONGEST_NAME { "…" } else { name });
    shown.map(str::to_owned).reduce(|all, name| all + ", " + &name)
}

/// What was asked for, in memory of its own. That of a request is a slice of the
/// buffer that it was read into, all of which would stay for as long as it does.
fn apart(uri: &Uri) -> Uri {
    uri.to_string().parse().unwrap_or_default()
}

/// Headers, in memory of their own for the same reason.
fn headers_apart(headers: &HeaderMap) -> HeaderMap {
    let values: BytesMut = headers.values().flat_map(HeaderValue::as_bytes).copied().collect();
    let mut values = values.freeze();
    let mut kept = HeaderMap::with_capacity(headers.keys_len());
    for (name, value) in headers {
        // what has been the value of a header is one
        if let Ok(mut copy) = HeaderValue::from_maybe_shared(values.split_to(value.len())) {
            copy.set_sensitive(value.is_sensitive());
            kept.append(name, copy);
        }
    }
    kept
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_stays_the_same() {
        for uri in ["/", "/rpc?token=a%20b", "http://api.example:80/rpc", "*"] {
            let uri: Uri = uri.parse().unwrap();
            assert_eq!(apart(&uri), uri);
        }
    }

    #[test]
    fn subprotocols_that_were_offered_in_vain_are_told() {
        let told = |offered: &[&'static str]| {
            let mut asked = HeaderMap::new();
            for line in offered {
                asked.append(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(line));
            }
            passed_over(&asked, &HeaderMap::new())
        };
        assert_eq!(told(&[]), None);
        assert_eq!(told(&[" , "]), None);
        assert_eq!(told(&["jsonrpc,chat", "graphql-ws"]).as_deref(), Some("jsonrpc, chat, graphql-ws"));
        assert_eq!(
            told(&["bearer, eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.x"]).as_deref(),
            Some("bearer, …"),
            "that may be a secret"
        );
        assert_eq!(told(&["a,b,c,d,e,f,g,h,i,j"]).as_deref(), Some("a, b, c, d, e, f, g, h"));
        let mut agreed = HeaderMap::new();
        agreed.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("chat"));
        assert_eq!(passed_over(&agreed, &agreed), None);
    }

    #[test]
    fn headers_stay_the_same_apart_from_where_they_are() {
        let read = Bytes::from("ab-c".repeat(1000));
        let mut headers = HeaderMap::new();
        for (name, at) in [("host", 0..4), ("x-twice", 4..6), ("x-twice", 8..9), ("x-empty", 0..0)] {
            headers.append(name, HeaderValue::from_maybe_shared(read.slice(at)).unwrap());
        }
        let secret = HeaderValue::from_maybe_shared(read.slice(0..2)).map(|mut value| {
            value.set_sensitive(true);
            value
        });
        headers.append("authorization", secret.unwrap());
        let kept = headers_apart(&headers);
        assert_eq!(kept, headers);
        assert!(kept["authorization"].is_sensitive());
        drop(headers);
        assert!(read.is_unique(), "no slice of what was read is kept");
    }
}
