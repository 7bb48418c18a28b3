//! [`IntoService`]: an endpoint in somebody else's server.

use super::{
    door::{Door, respond},
    endpoint::Endpoint,
    origins::Origins,
    reply::{Reply, ReplyBody},
    session::Life,
    speaking,
};
use crate::{link::ByteStream, listen::Shutdown};
use futures_util::FutureExt;
use http::{Request, Response};
use hyper::{
    body::{Body, Bytes, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::Semaphore;
use tower::Service;

/// An endpoint as a tower service, to be mounted in a server of the user's own.
///
/// It answers POST and WebSocket whatever the path; hosts, health and the time
/// that heads take are up to the server around it. Handlers find what layers
/// have put into the request's extensions, and a
/// [`SocketAddr`] there is taken for the caller's. There are no more WebSockets at
/// a time, over all clones, than the limit `max_connections` of the endpoint's
/// service; those who want one beyond it are answered with 503.
///
/// ```
/// # use trunkline_net::{Service, http::{Endpoint, IntoService}, listen::Shutdown};
/// # fn app(service: Service, shutdown: Shutdown) -> axum::Router {
/// let rpc = IntoService::new(Endpoint::new(service), shutdown);
/// axum::Router::new().route_service("/rpc", rpc)
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct IntoService {
    endpoint: Arc<Endpoint>,
    origins: Arc<Origins>,
    proxies: Arc<[IpAddr]>,
    shutdown: Shutdown,
    /// Room for WebSockets.
    room: Arc<Semaphore>,
}

impl IntoService {
    /// Makes a service of an endpoint. The shutdown waits for its WebSockets.
    #[must_use]
    pub fn new(endpoint: Endpoint, shutdown: Shutdown) -> Self {
        let room = endpoint.service.limits.max_connections.min(Semaphore::MAX_PERMITS);
        let room = Arc::new(Semaphore::new(room));
        Self {
            endpoint: Arc::new(endpoint),
            origins: Arc::default(),
            proxies: Arc::default(),
            shutdown,
            room,
        }
    }

    /// Lets web pages of these origins call, as [`Http::allow_origins`](super::Http::allow_origins) does.
    ///
    /// # Panics
    ///
    /// Panics if one of them is no origin.
    #[must_use]
    #[track_caller]
    pub fn allow_origins<S: Into<String>>(mut self, origins: impl IntoIterator<Item = S>) -> Self {
        Arc::make_mut(&mut self.origins).allow(origins);
        self
    }

    /// Lets web pages of any origin call, as [`Http::allow_any_origin`](super::Http::allow_any_origin) does.
    #[must_use]
    pub fn allow_any_origin(mut self) -> Self {
        Arc::make_mut(&mut self.origins).allow_any();
        self
    }

    /// Believes these proxies where their clients are, as [`Http::trust_proxies`](super::Http::trust_proxies) does.
    #[must_use]
    pub fn trust_proxies(mut self, proxies: impl IntoIterator<Item = IpAddr>) -> Self {
        self.proxies = proxies.into_iter().collect();
        self
    }

    /// Serves one connection that is there already, over HTTP/1.1, until it ends. How long
    /// heads may take to come is up to whoever has accepted it.
    ///
    /// # Errors
    ///
    /// Fails if the connection breaks, or what comes over it is not HTTP.
    pub async fn serve_stream(self, stream: impl ByteStream + 'static) -> Result<(), hyper::Error> {
        let http = speaking::http1(&self.endpoint.service.limits);
        let answer = service_fn(move |request: Request<Incoming>| self.clone().call(request));
        http.serve_connection(TokioIo::new(stream), answer).with_upgrades().await
    }
}

impl<B> Service<Request<B>> for IntoService
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    type Response = Response<ReplyBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Reply, Infallible>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let remote = request.extensions().get::<SocketAddr>().copied();
        Box::pin(respond(Guest { host: self.clone(), remote }, request).map(Ok))
    }
}

/// The door in somebody else's server, for one request.
#[derive(Clone)]
struct Guest {
    host: IntoService,
    remote: Option<SocketAddr>,
}

impl Door for Guest {
    fn endpoint(&self) -> &Endpoint {
        &self.host.endpoint
    }

    fn origins(&self) -> &Origins {
        &self.host.origins
    }

    fn proxies(&self) -> &[IpAddr] {
        &self.host.proxies
    }

    fn remote(&self) -> Option<SocketAddr> {
        self.remote
    }

    fn shutdown(&self) -> &Shutdown {
        &self.host.shutdown
    }

    fn begin(&self, session: Life) -> bool {
        let Ok(permit) = self.host.room.clone().try_acquire_owned() else { return false };
        self.host.shutdown.spawn(async move {
            session.await;
            drop(permit);
        });
        true
    }

    fn part(self, reply: Reply) -> Reply {
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Service as Rpc;
    use http_body_util::Full;
    use trunkline_core::Router;
    use trunkline_dialects::jsonrpc::JsonRpc;

    #[test]
    fn what_every_call_is_carried_in_is_small() {
        let rpc = Rpc::new(Router::new(), JsonRpc::default());
        let host = IntoService::new(Endpoint::new(rpc), Shutdown::new());
        let request = Request::post("/").body(Full::<Bytes>::default());
        let answer = respond(Guest { host, remote: None }, request.unwrap_or_default());
        let size = size_of_val(&answer);
        assert!(size <= 1024, "{size} bytes are moved for each call");
    }
}
