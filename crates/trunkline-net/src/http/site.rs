//! [`Site`]: what stands behind a listener: its gate, its endpoints, and the rest.

use super::{
    body::decline,
    door::{Boxed, at_once, respond},
    endpoint::Endpoint,
    gate::{Gate, Shut},
    gateway,
    line::Busy,
    mount::Mounted,
    origins::Origins,
    port::Port,
    reply::{Reply, json, not_allowed, text},
    speaking,
};
use crate::{
    hooks::Hooks,
    listen::{Seats, Shutdown},
};
use futures_util::future::Either;
use http::{Method, Request, StatusCode, Version};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    upgrade::OnUpgrade,
};
use hyper_util::rt::TokioExecutor;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
use trunkline_core::Limits;

/// What is served on a port, and for whom.
pub(super) struct Plan {
    pub(super) gate: Gate,
    pub(super) origins: Origins,
    /// Who is believed where its client is.
    pub(super) proxies: Vec<IpAddr>,
    pub(super) endpoints: Vec<(String, Endpoint)>,
    pub(super) health: Option<String>,
    pub(super) mounted: Option<Mounted>,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<crate::tls::TlsServer>,
}

impl Plan {
    pub(super) fn at(address: SocketAddr) -> Self {
        Self {
            gate: Gate::at(address),
            origins: Origins::default(),
            proxies: Vec::new(),
            endpoints: Vec::new(),
            health: Some("/health".to_owned()),
            mounted: None,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// The endpoint that takes every request, if there is one.
    fn gateway(&self) -> Option<usize> {
        self.endpoints.iter().position(|(_, endpoint)| endpoint.gateway.is_some())
    }
}

/// What stands behind a listener.
pub(super) struct Site {
    pub(super) plan: Plan,
    pub(super) limits: Arc<Limits>,
    pub(super) hooks: Hooks,
    pub(super) shutdown: Shutdown,
    pub(super) http1: http1::Builder,
    pub(super) http2: http2::Builder<TokioExecutor>,
    /// Room for WebSockets that share an HTTP/2 connection.
    pub(super) streams: Seats,
}

impl Site {
    pub(super) fn new(plan: Plan, streams: Seats, shutdown: Shutdown) -> Self {
        let (limits, hooks) = match plan.endpoints.first() {
            Some((_, first)) => (first.service.limits.clone(), first.service.hooks.clone()),
            None => Default::default(),
        };
        Self {
            plan,
            hooks,
            shutdown,
            http1: speaking::http1(&limits),
            http2: speaking::http2(&limits),
            streams,
            limits,
        }
    }

    /// Answers a request.
    #[inline]
    pub(super) fn respond(
        mut request: Request<Incoming>,
        busy: Busy,
    ) -> Either<impl Future<Output = Reply> + Send, Boxed> {
        let plan = &busy.0.site.plan;
        if request.extensions().get::<OnUpgrade>().is_some() {
            busy.0.upgrades();
        }
        if let Err(shut) = plan.gate.admit(&request) {
            return at_once(busy.part(decline(request, refusal(shut))));
        }
        let path = request.uri().path();
        if let Some(place) = plan.endpoints.iter().position(|(taken, _)| taken == path) {
            let http2 = request.version() == Version::HTTP_2;
            return respond(Port { busy, place, http2 }, request);
        }
        if plan.health.as_deref() == Some(path) {
            let health = busy.0.site.health(&request);
            return at_once(busy.part(decline(request, health)));
        }
        if plan.mounted.is_none()
            && let Some(place) = plan.gateway()
        {
            let http2 = request.version() == Version::HTTP_2;
            return respond(Port { busy, place, http2 }, request);
        }
        match plan.mounted.clone() {
            None => at_once(busy.part(decline(request, text(StatusCode::NOT_FOUND, "not found")))),
            Some(mounted) => Either::Right(Box::pin(async move {
                request.extensions_mut().insert(busy.0.remote);
                busy.part(mounted(request).await)
            })),
        }
    }

    fn health<B>(&self, request: &Request<B>) -> Reply {
        if self.plan.gateway().is_some() {
            return self.health_of_gateway(request);
        }
        match (request.method(), self.shutdown.has_begun()) {
            (&Method::GET | &Method::HEAD, false) => json(StatusCode::OK, r#"{"status":"ok"}"#),
            (&Method::GET | &Method::HEAD, true) => {
                json(StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"draining"}"#)
            }
            _ => not_allowed("GET, HEAD"),
        }
    }

    fn health_of_gateway<B>(&self, request: &Request<B>) -> Reply {
        let mut reply = match self.shutdown.has_begun() {
            false => text(StatusCode::OK, "ok"),
            true => text(StatusCode::SERVICE_UNAVAILABLE, "draining"),
        };
        gateway::permit(reply.headers_mut(), gateway::permission(&self.plan.origins, request.headers()));
        reply
    }
}

#[cold]
fn refusal(shut: Shut) -> Reply {
    match shut {
        Shut::Unnamed => text(StatusCode::BAD_REQUEST, "a request must name one host, in one header Host"),
        Shut::Misnamed => text(
            StatusCode::FORBIDDEN,
            "this server does not answer to the name in the header Host; the setting is `allow_hosts`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_is_shutting_down_is_not_well() {
        let shutdown = Shutdown::new();
        let site = Site::new(Plan::at(([127, 0, 0, 1], 0).into()), Seats::default(), shutdown.clone());
        let asked = |method| Request::builder().method(method).body(()).unwrap_or_default();
        assert_eq!(site.health(&asked(Method::GET)).status(), 200);
        shutdown.run(std::time::Duration::ZERO).await;
        assert_eq!(site.health(&asked(Method::GET)).status(), 503);
        assert_eq!(site.health(&asked(Method::POST)).status(), 405);
    }
}
