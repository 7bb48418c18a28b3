//! [`Endpoint`]: what is served under one path.

use super::{
    body::decline,
    gate,
    origins::Origins,
    post,
    reply::{Reply, not_allowed, text},
    session::{self, Session},
};
use crate::{service::Service, ws};
use http::{Method, Request, StatusCode, header::ORIGIN};
use hyper::body::{Body, Bytes};
use std::{convert::Infallible, fmt, net::SocketAddr, sync::Arc};
use tower::{Layer, ServiceExt, service_fn};
use trunkline_core::framing::Mux;

const FOREIGN: &str = "pages of this origin may not call here: it is neither the origin of this server, nor one that \
                       it allows; the setting is `allow_origins`";

/// What is served under one path: POST and WebSocket, unless told otherwise.
///
/// ```
/// # use trunkline_net::{Service, http::Endpoint};
/// # fn endpoints(service: Service) -> [Endpoint; 3] {
/// [
///     Endpoint::new(service.clone()).subprotocols(["jsonrpc"]),
///     Endpoint::new(service.clone()).only_post().mapped_status(),
///     Endpoint::new(service).only_websocket().mux(),
/// ]
/// # }
/// ```
#[derive(Clone)]
#[must_use = "an endpoint serves nothing until a listener has it"]
pub struct Endpoint {
    pub(super) service: Service,
    pub(super) post: bool,
    pub(super) websocket: bool,
    pub(super) messages: Messages,
    pub(super) subprotocols: Vec<String>,
    pub(super) mapped: bool,
}

/// What WebSocket messages are.
#[derive(Clone, Default)]
pub(super) enum Messages {
    /// Each a document.
    #[default]
    Whole,
    /// Pieces of a stream of lines.
    Lines,
    /// Pieces of a mux stream.
    Mux(Arc<dyn Fn() -> Mux + Send + Sync>),
}

impl Endpoint {
    /// Serves `service`, its language, limits and hooks with it.
    pub fn new(service: Service) -> Self {
        Self {
            service,
            post: true,
            websocket: true,
            messages: Messages::Whole,
            subprotocols: Vec::new(),
            mapped: false,
        }
    }

    /// Does not accept WebSocket.
    pub fn only_post(mut self) -> Self {
        (self.post, self.websocket) = (true, false);
        self
    }

    /// Does not accept POST.
    pub fn only_websocket(mut self) -> Self {
        (self.post, self.websocket) = (false, true);
        self
    }

    /// WebSocket messages are pieces of one newline-delimited stream, as those
    /// of websocket-stream are. Default: each is one document.
    pub fn lines(mut self) -> Self {
        self.messages = Messages::Lines;
        self
    }

    /// Binary WebSocket messages are pieces of one stream of mux frames, as
    /// those of mux-demux-stream are, with two channels. Text messages are passed over.
    pub fn mux(self) -> Self {
        self.mux_with(Mux::default)
    }

    /// The same with another number of channels, or with line feeds. The message
    /// limit is set by the endpoint.
    pub fn mux_with(mut self, make: impl Fn() -> Mux + Send + Sync + 'static) -> Self {
        self.messages = Messages::Mux(Arc::new(make));
        self
    }

    /// Agrees on these WebSocket subprotocols, if one is offered. Default: none,
    /// and those who offer some are accepted without.
    pub fn subprotocols<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.subprotocols = names.into_iter().map(Into::into).collect();
        self
    }

    /// Answers a single error with the status that the old draft of JSON-RPC
    /// over HTTP has for it. Default: 200 with every reply.
    pub fn mapped_status(mut self) -> Self {
        self.mapped = true;
        self
    }

    /// Answers a request that may come in.
    #[inline]
    pub(super) async fn respond<B>(
        &self,
        request: Request<B>,
        remote: Option<SocketAddr>,
        origins: &Origins,
        spawn: impl FnOnce(Session) + Send,
    ) -> Reply
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
    {
        if request.headers().contains_key(ORIGIN) {
            // pages pay for what pages need
            Box::pin(self.to_page(request, remote, origins, spawn)).await
        } else {
            self.act(request, remote, spawn).await
        }
    }

    #[inline]
    async fn act<B>(
        &self,
        request: Request<B>,
        remote: Option<SocketAddr>,
        spawn: impl FnOnce(Session) + Send,
    ) -> Reply
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
    {
        if self.post && request.method() == Method::POST {
            return post::answer(self, request, remote).await;
        }
        if self.websocket && (!self.post || ws::is_requested(&request)) {
            return session::upgrade(self, request, remote, spawn);
        }
        decline(request, not_allowed("POST"))
    }

    /// Answers a page in a browser.
    async fn to_page<B>(
        &self,
        request: Request<B>,
        remote: Option<SocketAddr>,
        origins: &Origins,
        spawn: impl FnOnce(Session) + Send,
    ) -> Reply
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
    {
        let host = gate::host(&request);
        let acts = request.method() == Method::POST || ws::is_requested(&request);
        if acts && !request.headers().get(ORIGIN).is_some_and(|origin| origins.admit(origin, host)) {
            return decline(request, text(StatusCode::FORBIDDEN, FOREIGN));
        }
        let Some(cors) = &origins.cors else { return self.act(request, remote, spawn).await };
        let mut spawn = Some(spawn);
        let acting = service_fn(|request| {
            let spawn = spawn.take();
            async move {
                let spawn = |session| spawn.map_or((), |spawn| spawn(session));
                Ok::<_, Infallible>(self.act(request, remote, spawn).await)
            }
        });
        match cors.layer(acting).oneshot(request).await {
            Ok(reply) => reply,
            Err(never) => match never {},
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("service", &self.service)
            .field("post", &self.post)
            .field("websocket", &self.websocket)
            .finish_non_exhaustive()
    }
}
