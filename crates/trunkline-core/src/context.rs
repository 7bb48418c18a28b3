//! [`Context`]: what a handler may know of its caller.

use crate::{
    about::About, attempt::Attempt, chain::Chain, connection::Connection, fault::Fault, identity::Identity,
    ordered::Turn, session::Store, trace::Trace,
};
use http::Extensions;
use std::{
    any::Any,
    sync::{Arc, LazyLock},
};

/// The transport and the dialect of calls that come from this very program, over no connection.
const LOCAL: (&str, &str) = ("in process", "none");

/// What a handler may know of its caller. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    connection: Arc<Connection>,
    /// Most requests over HTTP have none, and are spared the allocation.
    extensions: Option<Arc<Extensions>>,
    identity: Identity,
    chain: Chain,
    /// Where the call itself says that it stands.
    trace: Option<Trace>,
    /// What its dialect says of the call, for extractors of its own.
    said: Option<Arc<dyn Any + Send + Sync>>,
    /// Whether the program has chosen what is called.
    chosen: bool,
    /// Which call it is, or one around it, if that came by a network.
    attempt: Option<Attempt>,
}

impl Context {
    /// A context of calls that come over `connection`, from who is known to be at
    /// its far end.
    #[must_use]
    pub fn new(connection: Arc<Connection>, extensions: Extensions) -> Self {
        let identity = connection.store().map(Store::identity).unwrap_or_default();
        let extensions = (!extensions.is_empty()).then(|| Arc::new(extensions));
        let chain = Chain::default();
        let (trace, said, chosen, attempt) = (None, None, false, None);
        Self { connection, extensions, identity, chain, trace, said, chosen, attempt }
    }

    /// The same context with calls from somebody else.
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.identity = identity;
        self
    }

    /// The same context where so many calls may be made inside of each other, in
    /// place of 32: the limit [`max_chain`](crate::Limits::max_chain).
    #[must_use]
    pub fn with_max_chain(mut self, most: usize) -> Self {
        self.chain = self.chain.limited(most);
        self
    }

    /// The context of a call that is made while one of this context runs: the same
    /// caller over the same connection, one call deeper.
    ///
    /// # Errors
    ///
    /// Fails if that is deeper than [`max_chain`](crate::Limits::max_chain).
    pub fn inner(&self) -> Result<Self, Fault> {
        Ok(Self { chain: self.chain.deeper()?, ..self.clone() })
    }

    /// The same context of a call that has so many around it, which were made elsewhere.
    #[must_use]
    pub fn at_depth(mut self, depth: usize) -> Self {
        self.chain = self.chain.at(depth);
        self
    }

    /// The same context of a call that this procedure has made.
    #[must_use]
    pub fn called_by(mut self, procedure: impl Into<Arc<str>>) -> Self {
        self.chain = self.chain.called_by(procedure.into());
        self
    }

    /// The same context of a call that stands here in a distributed trace.
    #[must_use]
    pub fn with_trace(mut self, trace: Option<Trace>) -> Self {
        self.trace = trace.or(self.trace);
        self
    }

    /// The same context in the turn of a procedure that is
    /// [ordered](crate::Registration::ordered).
    pub(crate) fn in_turn(&self, turn: &Arc<Turn>) -> Self {
        Self { chain: self.chain.in_turn(turn), ..self.clone() }
    }

    /// Whether a call around this one has its turn still. It may be over: who kept a
    /// context, or gives a stream, calls when it likes.
    pub(crate) fn has_turn(&self) -> bool {
        self.chain.has_turn()
    }

    /// The context of a call that comes from this very program.
    ///
    /// ```
    /// # use trunkline_core::Context;
    /// assert_eq!(Context::local().connection().transport(), "in process");
    /// ```
    #[must_use]
    pub fn local() -> Self {
        let (transport, dialect) = LOCAL;
        Self::from(Arc::new(Connection::new(transport, dialect)))
    }

    /// The connection, or the HTTP request, that the call came by.
    #[must_use]
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Who the caller was known to be when the call started.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// How many calls there are around this one, each made by the procedure of the
    /// one before: 0 if it came from outside.
    ///
    /// A guard, or a procedure, tells by it what the program's own code asks from
    /// what strangers ask.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.chain.depth()
    }

    /// The procedure that has made this call, by the name that it was called by, if one has.
    #[must_use]
    pub fn caller(&self) -> Option<&str> {
        self.chain.caller()
    }

    /// Whether this program's own code calls, one of its procedures or what is around
    /// them, and no stranger.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        self.depth() > 0 || (self.connection.transport(), self.connection.dialect()) == LOCAL
    }

    /// Whether procedures that are [internal](crate::Registration::internal) answer the
    /// call, wherever they are: the program's own code [calls](Self::is_internal), or a
    /// setting of it has [chosen](crate::About::internal) what a stranger calls.
    #[must_use]
    pub fn finds_internal(&self) -> bool {
        self.is_internal() || self.chosen
    }

    /// Where in a distributed trace the call stands: as its message says, or else the
    /// headers of the HTTP request, or of the one that became a WebSocket. For the calls
    /// that a handler makes, [`Client`] calls and others:
    ///
    /// ```
    /// # use trunkline_core::{Context, Trace};
    /// let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    /// let context = Context::local().with_trace(Trace::parse(parent));
    /// assert_eq!(context.trace().unwrap().to_string(), parent);
    /// ```
    ///
    /// [`Client`]: https://docs.rs/trunkline/latest/trunkline/struct.Client.html
    #[must_use]
    pub fn trace(&self) -> Option<Trace> {
        self.trace.clone().or_else(|| Trace::of_headers(self.connection.headers()))
    }

    /// Where the call's own message says that it stands, or whoever made this context.
    #[must_use]
    pub fn said_trace(&self) -> Option<&Trace> {
        self.trace.as_ref()
    }

    /// A name for the request that the call came with: the
    /// [one that its caller gave it](Connection::request_id), or else the id of the
    /// connection, which over HTTP is the request.
    #[must_use]
    pub fn request_id(&self) -> String {
        self.connection.request_id().map_or_else(|| self.connection.id().to_string(), str::to_owned)
    }

    /// Values that the transport has attached, by type.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        static NONE: LazyLock<Extensions> = LazyLock::new(Extensions::new);
        self.extensions.as_deref().unwrap_or(&NONE)
    }

    /// What the dialect of the call [says](About::with_extension) of it, if that is such a value.
    /// It goes along with all that is called for it.
    #[must_use]
    pub fn said<T: Any>(&self) -> Option<&T> {
        self.said.as_deref()?.downcast_ref()
    }

    /// The same context of a call of which this is said besides.
    #[must_use]
    pub fn with_about(mut self, about: &About) -> Self {
        if let Some(said) = &about.extension {
            self.said = Some(said.clone());
        }
        self.chosen |= about.internal;
        self.with_trace(about.trace.clone())
    }

    /// The same context of a call that came by a network, or of one inside of it.
    #[must_use]
    pub fn with_attempt(mut self, attempt: Attempt) -> Self {
        self.attempt = Some(attempt);
        self
    }

    /// The attempt at this call, or at one around it.
    pub(crate) fn attempt(&self) -> Option<&Attempt> {
        self.attempt.as_ref()
    }

    /// The same context with a value besides those that are attached; an earlier one
    /// of the same type is replaced.
    #[must_use]
    pub fn with_extension(mut self, value: impl Clone + Send + Sync + 'static) -> Self {
        Arc::make_mut(self.extensions.get_or_insert_default()).insert(value);
        self
    }
}

/// The context of calls that come over a connection, to which nothing is attached.
impl From<Arc<Connection>> for Context {
    fn from(connection: Arc<Connection>) -> Self {
        Self::new(connection, Extensions::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::REQUEST_ID;
    use http::{HeaderMap, Uri};

    /// T41.
    #[test]
    fn a_request_is_named_by_its_caller_or_by_us() {
        let named = |name: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, http::HeaderValue::from_str(name).unwrap());
            let connection = Connection::new("http", "jsonrpc").with_request(Uri::default(), headers);
            Context::new(Arc::new(connection), Extensions::new())
        };
        assert_eq!(named("job-7").request_id(), "job-7");
        for none in ["", "two words", "tab\t", &"x".repeat(129)] {
            let context = named(none);
            assert_eq!(context.connection().request_id(), None);
            assert_eq!(context.request_id(), context.connection().id().to_string());
        }
    }

    #[test]
    fn debug_output_keeps_secrets() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", http::HeaderValue::from_static("Bearer hidden"));
        let uri = Uri::from_static("/rpc?token=hidden");
        let connection = Connection::new("websocket", "jsonrpc").with_request(uri, headers);
        let context = Context::new(Arc::new(connection), Extensions::new());
        let printed = format!("{context:?}");
        assert!(printed.contains("/rpc") && !printed.contains("hidden"), "{printed}");
        assert_eq!(context.connection().uri().and_then(Uri::query), Some("token=hidden"));
    }
}
