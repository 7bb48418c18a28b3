//! [`HttpListener`]: HTTP and WebSocket on one port.

use super::BindError;
use crate::{JsonRpc, Mixed, Service, Therms};
use std::fmt;
use trunkline_net::http::{Endpoint, Http};

type MakeEndpoint = Box<dyn FnOnce(&Service) -> Endpoint + Send>;
type Settings = Box<dyn FnOnce(Http) -> Http + Send>;

/// HTTP and WebSocket on one port, made by [`Listener::http`](super::Listener::http).
///
/// The server's router is at `/` unless another endpoint takes that path.
#[must_use = "a listener listens when a server is bound"]
pub struct HttpListener {
    address: String,
    language: Option<JsonRpc>,
    /// The other language, beside the first.
    therms: Option<(JsonRpc, Therms)>,
    endpoints: Vec<(String, MakeEndpoint)>,
    settings: Vec<Settings>,
}

impl HttpListener {
    pub(super) fn new(address: String) -> Self {
        Self { address, language: None, therms: None, endpoints: Vec::new(), settings: Vec::new() }
    }

    /// How JSON-RPC is spoken at endpoints that do not say otherwise.
    pub fn language(mut self, language: JsonRpc) -> Self {
        self.language = Some(language);
        self
    }

    /// Serves another endpoint, made from what the server serves.
    ///
    /// ```
    /// use trunkline::{JsonRpc, Listener, http::Endpoint};
    ///
    /// let listener = Listener::http("127.0.0.1:0")
    ///     .endpoint("/mux", |service| Endpoint::new(service.in_language(JsonRpc::mux())).mux());
    /// ```
    pub fn endpoint(
        mut self,
        path: impl Into<String>,
        make: impl FnOnce(&Service) -> Endpoint + Send + 'static,
    ) -> Self {
        self.endpoints.push((path.into(), Box::new(make)));
        self
    }

    /// Changes anything else: allowed hosts and origins, the health path, TLS,
    /// what is mounted beside the endpoints.
    pub fn settings(mut self, change: impl FnOnce(Http) -> Http + Send + 'static) -> Self {
        self.settings.push(Box::new(change));
        self
    }

    /// Speaks the dialect of @therms too, beside the server's language or its own.
    pub(in crate::server) fn speak(&mut self, language: &JsonRpc, therms: Option<&Therms>) {
        let language = self.language.as_ref().unwrap_or(language);
        self.therms = therms.map(|therms| (language.clone(), therms.clone()));
    }

    pub(super) fn place(&self) -> String {
        format!("http {}", self.address)
    }

    pub(super) fn bind(&self) -> impl Future<Output = Result<Http, BindError>> + Send + use<> {
        let address = self.address.clone();
        async move { Http::bind(&address).await.map_err(BindError::at(&address)) }
    }

    /// What is served on a port.
    pub(super) fn over(self, mut http: Http, service: &Service) -> Http {
        let service = match self.language {
            Some(language) => service.in_language(language),
            None => service.clone(),
        };
        if !self.endpoints.iter().any(|(path, _)| path == "/") {
            let endpoint = match self.therms {
                None => Endpoint::new(service.clone()),
                Some((language, therms)) => {
                    let max_body = therms.body_limit();
                    Endpoint::new(service.in_language(Mixed::new(language, therms))).gateway(max_body)
                }
            };
            http = http.endpoint("/", endpoint);
        }
        for (path, make) in self.endpoints {
            http = http.endpoint(path, make(&service));
        }
        self.settings.into_iter().fold(http, |http, change| change(http))
    }
}

impl fmt::Debug for HttpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpListener").field("address", &self.address).finish_non_exhaustive()
    }
}
