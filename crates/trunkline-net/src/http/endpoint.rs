//! [`Endpoint`]: what is served under one path.

use super::spares::Spares;
use crate::service::Service;
use std::{fmt, sync::Arc};
use trunkline_core::{Limits, framing::Mux};

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
    /// Whether only POST is taken for a message; not so at a gateway, which takes all.
    pub(super) post: bool,
    pub(super) websocket: bool,
    pub(super) messages: Messages,
    pub(super) subprotocols: Vec<String>,
    pub(super) mapped: bool,
    /// What bodies are limited by, where every request is a message.
    pub(super) gateway: Option<Arc<Limits>>,
    pub(super) spares: Arc<Spares>,
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
            gateway: None,
            spares: Arc::default(),
        }
    }

    /// Does not accept WebSocket.
    pub fn only_post(mut self) -> Self {
        (self.post, self.websocket) = (self.gateway.is_none(), false);
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

    /// Takes every request for a message, whatever its method, and whatever its path if
    /// nothing else is served there; and answers all with status 200. Bodies have at most
    /// `max_body` bytes, if the limit `max_message` is not less.
    ///
    /// What clients of @therms expect, and so is the rest: pages of any origin may call
    /// unless [some are listed](super::Http::allow_origins), bodies may be compressed with
    /// gzip (with the feature of that name), and the
    /// [health](super::Http::health) of a port with such an endpoint is told as the word `ok`.
    pub fn gateway(mut self, max_body: usize) -> Self {
        let limits = (*self.service.limits).clone();
        let max_body = max_body.min(limits.max_message);
        self.gateway = Some(Arc::new(limits.max_message(max_body)));
        self.post = false;
        self
    }

    /// Agrees on these WebSocket subprotocols, if one is offered. Default: none,
    /// and those who offer some are accepted without, which makes browsers close
    /// the WebSocket again; the log has it at the level `debug`.
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
