//! Calls that this side makes, as they are told of.

use super::failed;
use crate::dial::Address;
use futures_util::{TryFutureExt, future::Either};
use tracing::{Instrument, Level, Span, field, level_filters::LevelFilter};
use trunkline_core::{Connection, Fault, Trace};

/// Who is called.
#[derive(Clone, Debug)]
pub struct Far {
    dialect: &'static str,
    address: Option<String>,
    port: Option<u16>,
}

impl Far {
    /// Who is at an address, or at the end of a link if there is none.
    #[must_use]
    pub fn at(address: Option<&Address>, dialect: &'static str) -> Self {
        let (address, port) = address.map_or((None, None), Address::place);
        Self { dialect, address, port }
    }

    pub(crate) fn of(connection: &Connection) -> Self {
        let remote = connection.remote();
        let (address, port) = (remote.map(|it| it.ip().to_string()), remote.map(|it| it.port()));
        Self { dialect: connection.dialect(), address, port }
    }
}

/// Whether anybody may listen to what is told, or to where it stands. Costs next to nothing.
#[must_use]
#[inline(always)]
pub fn is_heard() -> bool {
    // spans that calls are made in may be of any level
    let least = if cfg!(feature = "otel") { LevelFilter::ERROR } else { LevelFilter::DEBUG };
    LevelFilter::current() >= least
}

/// The span of a call of `procedure`, or of a batch; none if nobody collects spans.
///
/// `trace` is where the call is said to stand. With the feature `otel`, it is where the
/// span does from now on, or the one that is current: if that is in the trace that was
/// said, or none was.
#[cold]
pub fn outgoing(
    procedure: Option<&str>,
    far: impl FnOnce() -> Far,
    trace: &mut Option<Trace>,
) -> Option<Span> {
    let span = tracing::enabled!(Level::DEBUG).then(|| span(procedure, &far()));
    #[cfg(feature = "otel")]
    super::otel::go_on(span.as_ref(), trace);
    #[cfg(not(feature = "otel"))]
    if let (Some(span), Some(trace)) = (&span, trace) {
        span.record("trace", field::display(trace));
    }
    span
}

fn span(procedure: Option<&str>, far: &Far) -> Span {
    tracing::debug_span!(
        "call",
        otel.name = procedure.unwrap_or(far.dialect),
        otel.kind = "client",
        otel.status_code = field::Empty,
        otel.status_description = field::Empty,
        rpc.system.name = far.dialect,
        rpc.method = procedure,
        rpc.response.status_code = field::Empty,
        jsonrpc.protocol.version = (far.dialect == "jsonrpc").then_some("2.0"),
        error.type = field::Empty,
        server.address = far.address,
        server.port = far.port,
        trace = field::Empty,
    )
}

/// Gives the span of a call the name of its procedure, once it is known that there is one:
/// what strangers make up is none.
#[cold]
pub(crate) fn name(span: &Span, procedure: &str) {
    span.record("otel.name", procedure);
    span.record("rpc.method", procedure);
    #[cfg(feature = "otel")]
    super::otel::rename(span, procedure);
}

/// Where something stands that is said without a span of its own, by what is said of it.
#[must_use]
#[inline]
pub fn place(said: Option<&Trace>) -> Option<Trace> {
    #[cfg_attr(not(feature = "otel"), expect(unused_mut, reason = "nobody else knows where it stands"))]
    let mut trace = said.cloned();
    #[cfg(feature = "otel")]
    if is_heard() {
        super::otel::go_on(None, &mut trace);
    }
    trace
}

/// Makes a call in its span, which is told how it fails.
///
/// # Errors
///
/// Fails as the call does.
pub fn told<T>(
    span: Option<Span>,
    call: impl Future<Output = Result<T, Fault>>,
) -> impl Future<Output = Result<T, Fault>> {
    // an `async fn` would hold the call three times
    match span {
        None => Either::Left(call),
        Some(span) => {
            let told = call.instrument(span.clone());
            Either::Right(told.inspect_err(move |fault| failed(&span, fault, fault.code())))
        }
    }
}
