//! [`IntoService`]: an endpoint in somebody else's server.

use super::{
    endpoint::Endpoint,
    origins::Origins,
    reply::{Reply, ReplyBody},
};
use crate::listen::Shutdown;
use http::{Request, Response};
use hyper::body::{Body, Bytes};
use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tower::Service;

/// An endpoint as a tower service, to be mounted in a server of the user's own.
///
/// It answers POST and WebSocket whatever the path; hosts, health and the time
/// that heads take are up to the server around it. Handlers find what layers
/// have put into the request's extensions, and a
/// [`SocketAddr`] there is taken for the caller's.
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
    shutdown: Shutdown,
}

impl IntoService {
    /// Makes a service of an endpoint. The shutdown waits for its WebSockets.
    #[must_use]
    pub fn new(endpoint: Endpoint, shutdown: Shutdown) -> Self {
        Self { endpoint: Arc::new(endpoint), origins: Arc::default(), shutdown }
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
        let Self { endpoint, origins, shutdown } = self.clone();
        let remote = request.extensions().get::<SocketAddr>().copied();
        Box::pin(async move {
            let spawn = |session| shutdown.spawn(session);
            Ok(endpoint.respond(request, remote, &origins, spawn).await)
        })
    }
}
