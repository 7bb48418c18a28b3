//! [`AnsweredHere`]: a call that is answered here, as it is told of.

use super::Shown;
use tracing::{Level, Span, field};
use trunkline_core::{Attempt, Context, Payload, Trace};

/// A call that is answered here.
pub(crate) struct AnsweredHere<'a> {
    pub(crate) procedure: &'a str,
    /// Whether the name is one that procedures were registered with, and not the choice
    /// of a stranger.
    pub(crate) known: bool,
    /// As its caller spells it; a notification has none.
    pub(crate) id: Option<&'a str>,
    pub(crate) args: Option<&'a Payload<'a>>,
    pub(crate) context: &'a Context,
}

/// Whether anybody collects spans of calls.
#[inline(always)]
pub(crate) fn is_told() -> bool {
    tracing::enabled!(Level::DEBUG)
}

/// An id that is a text, as it reads.
fn without_quotes(id: &str) -> &str {
    id.strip_prefix('"').and_then(|id| id.strip_suffix('"')).unwrap_or(id)
}

impl AnsweredHere<'_> {
    /// Its span; none if nobody collects spans, so that it costs nothing.
    #[inline(always)]
    pub(crate) fn span(&self) -> Option<Span> {
        is_told().then(|| self.make())
    }

    #[cold]
    fn make(&self) -> Span {
        let (context, connection) = (self.context, self.context.connection());
        // what came from another node was called there, however deep inside of others
        let from_afar = context.depth() == 0 || Attempt::of(context).is_some();
        let (system, shown) = (connection.dialect(), Shown(self.procedure));
        let span = tracing::debug_span!(
            "call",
            otel.name = field::Empty,
            otel.kind = if from_afar { "server" } else { "internal" },
            otel.status_code = field::Empty,
            otel.status_description = field::Empty,
            rpc.system.name = system,
            rpc.method = field::Empty,
            rpc.method_original = field::Empty,
            rpc.response.status_code = field::Empty,
            jsonrpc.protocol.version = (system == "jsonrpc").then_some("2.0"),
            jsonrpc.request.id = self.id.map(|id| field::display(Shown(without_quotes(id)))),
            error.type = field::Empty,
            network.peer.address = connection.remote().map(|remote| field::display(remote.ip())),
            network.peer.port = connection.remote().map(|remote| remote.port()),
            depth = context.depth(),
            trace = field::Empty,
            request_id = connection.request_id(),
        );
        if self.known {
            span.record("otel.name", field::display(&shown));
            span.record("rpc.method", field::display(&shown));
        } else {
            // names of strangers' choice are no names for what operators count
            span.record("otel.name", system);
            span.record("rpc.method", "_OTHER");
            span.record("rpc.method_original", field::display(&shown));
        }
        let trace = self.trace();
        if let Some(trace) = &trace {
            span.record("trace", field::display(trace));
        }
        #[cfg(feature = "otel")]
        if from_afar || super::otel::here().is_none() {
            super::otel::set_parent(&span, trace.as_ref());
        }
        span
    }

    /// Where its caller says that it stands.
    fn trace(&self) -> Option<Trace> {
        let said = self.context.said_trace().cloned();
        said.or_else(|| self.args.and_then(Trace::of_args)).or_else(|| self.context.trace())
    }
}
