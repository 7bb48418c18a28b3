//! [`Site`]: what stands behind a listener: its gate, its endpoints, and the rest.

use super::{
    body::decline,
    endpoint::Endpoint,
    gate::{Gate, Shut},
    line::{Busy, Line},
    mount::Mounted,
    origins::Origins,
    reply::{Reply, json, not_allowed, text},
    session::Session,
    speaking,
};
use crate::{hooks::Hooks, listen::Shutdown};
use http::{Method, Request, StatusCode, Version};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
};
use hyper_util::rt::TokioExecutor;
use std::{net::SocketAddr, sync::Arc};
use tokio::sync::Semaphore;
use trunkline_core::Limits;

/// What is served on a port, and for whom.
pub(super) struct Plan {
    pub(super) gate: Gate,
    pub(super) origins: Origins,
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
            endpoints: Vec::new(),
            health: Some("/health".to_owned()),
            mounted: None,
            #[cfg(feature = "tls")]
            tls: None,
        }
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
    streams: Arc<Semaphore>,
}

impl Site {
    pub(super) fn new(plan: Plan, shutdown: Shutdown) -> Self {
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
            streams: Arc::new(Semaphore::new(limits.max_connections.min(Semaphore::MAX_PERMITS))),
            limits,
        }
    }

    /// Answers a request.
    pub(super) async fn respond(request: Request<Incoming>, busy: Busy) -> Reply {
        let line = &busy.0;
        let mut reply = match line.site.plan.gate.admit(&request) {
            Ok(()) => line.site.route(request, line).await,
            Err(shut) => decline(request, refusal(shut)),
        };
        reply.body_mut().hold(busy);
        reply
    }

    async fn route(&self, mut request: Request<Incoming>, line: &Arc<Line>) -> Reply {
        let path = request.uri().path();
        if let Some((_, endpoint)) = self.plan.endpoints.iter().find(|(taken, _)| taken == path) {
            let http2 = request.version() == Version::HTTP_2;
            let begin = |session| if http2 { self.beside(session, line) } else { line.becomes(session) };
            return endpoint.respond(request, Some(line.remote), &self.plan.origins, begin).await;
        }
        if self.plan.health.as_deref() == Some(path) {
            let reply = self.health(request.method());
            return decline(request, reply);
        }
        match &self.plan.mounted {
            Some(mounted) => {
                request.extensions_mut().insert(line.remote);
                mounted(request).await
            }
            None => decline(request, text(StatusCode::NOT_FOUND, "not found")),
        }
    }

    fn health(&self, method: &Method) -> Reply {
        match (method, self.shutdown.has_begun()) {
            (&Method::GET | &Method::HEAD, false) => json(StatusCode::OK, r#"{"status":"ok"}"#),
            (&Method::GET | &Method::HEAD, true) => {
                json(StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"draining"}"#)
            }
            _ => not_allowed("GET, HEAD"),
        }
    }

    /// Runs a WebSocket that is one of several streams of its connection.
    fn beside(&self, session: Session, line: &Arc<Line>) {
        let Ok(permit) = self.streams.clone().try_acquire_owned() else {
            tracing::warn!("refused a WebSocket over HTTP/2: the limit `max_connections`");
            return;
        };
        let busy = Busy::new(line.clone());
        self.shutdown.spawn(async move {
            session.await;
            drop((permit, busy));
        });
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
