//! [`AnsweredHere`]: a call that is answered here, as it is told of.

use super::Shown;
use tracing::{Level, Span, field};
use trunkline_core::{Attempt, Context, Payload, Trace, router::Route};

/// A call that is answered here.
pub(crate) struct AnsweredHere<'a> {
    pub(crate) procedure: &'a str,
    pub(crate) name: Name,
    /// As its caller spells it; a notification has none.
    pub(crate) id: Option<&'a str>,
    pub(crate) args: Option<&'a Payload<'a>>,
    pub(crate) context: &'a Context,
}

/// What is known of a procedure's name. Those of strangers' choice are no names for what
/// operators count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Name {
    /// Procedures were registered with it.
    Known,
    /// It is a stranger's choice.
    Other,
    /// Others are asked, and tell: whoever asks them [names](ToBeNamed) the span.
    ToBeTold,
}

impl Name {
    pub(crate) fn of(route: &Route) -> Self {
        match route.fallback() {
            None => Self::Known,
            Some(_) if route.asks_elsewhere() => Self::ToBeTold,
            Some(_) => Self::Other,
        }
    }
}

/// What spans of calls are called that are to be named; in OpenTelemetry they go by `otel.name`.
const TO_BE_NAMED: &str = "forwarded call";

/// The span of a call whose name others tell. Until then it has none, and if they do not it
/// is a stranger's choice.
pub(crate) struct ToBeNamed(Option<(Span, Box<str>)>);

impl ToBeNamed {
    /// The span of the call of `procedure` that is being started.
    pub(crate) fn current(procedure: &str) -> Self {
        let span = is_told().then(Span::current);
        let span = span.filter(|span| span.metadata().is_some_and(|it| it.name() == TO_BE_NAMED));
        Self(span.map(|span| (span, procedure.into())))
    }

    /// There is such a procedure.
    #[cold]
    pub(crate) fn name(mut self) {
        if let Some((span, procedure)) = self.0.take() {
            super::name(&span, &procedure);
        }
    }
}

impl Drop for ToBeNamed {
    fn drop(&mut self) {
        if let Some((span, procedure)) = &self.0 {
            other(span, procedure);
        }
    }
}

/// Says that a name is a stranger's choice.
fn other(span: &Span, procedure: &str) {
    span.record("rpc.method", "_OTHER");
    span.record("rpc.method_original", field::display(Shown(procedure)));
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
        macro_rules! span {
            ($called:expr) => {
                tracing::debug_span!(
                    $called,
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
                )
            };
        }
        let span = if self.name == Name::ToBeTold { span!(TO_BE_NAMED) } else { span!("call") };
        if self.name == Name::Known {
            span.record("otel.name", field::display(&shown));
            span.record("rpc.method", field::display(&shown));
        } else {
            span.record("otel.name", system);
        }
        if self.name == Name::Other {
            other(&span, self.procedure);
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
