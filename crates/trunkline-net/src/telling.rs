//! What is told of connections and calls to whoever collects spans.
//!
//! Names are those of OpenTelemetry's conventions for RPC. What strangers have a say
//! in is bounded, and makes no lines of its own in a log.

use std::fmt;
use tracing::{Level, Span, field};
use trunkline_core::{Connection, Context};

/// As much of a name as is told, in characters.
const LONGEST: usize = 128;

/// The span of a call; none if nobody collects spans, so that it costs nothing.
#[inline(always)]
pub(crate) fn call_span(procedure: &str, context: &Context) -> Option<Span> {
    tracing::enabled!(Level::DEBUG).then(|| span_of_call(procedure, context))
}

#[cold]
fn span_of_call(procedure: &str, context: &Context) -> Span {
    let connection = context.connection();
    let span = tracing::debug_span!(
        "call",
        otel.kind = if context.depth() == 0 { "server" } else { "internal" },
        rpc.system = connection.dialect(),
        rpc.method = %Shown(procedure),
        depth = context.depth(),
        trace = field::Empty,
        request_id = field::Empty,
    );
    if let Some(trace) = context.trace() {
        span.record("trace", field::display(trace));
    }
    if let Some(id) = connection.request_id() {
        span.record("request_id", id);
    }
    span
}

/// The span of a connection.
pub(crate) fn connection_span(connection: &Connection) -> Span {
    let span = tracing::info_span!(
        "connection",
        id = %connection.id(),
        rpc.system = connection.dialect(),
        transport = connection.transport(),
        network.peer.address = field::Empty,
        network.peer.port = field::Empty,
    );
    if let Some(remote) = connection.remote() {
        span.record("network.peer.address", field::display(remote.ip()));
        span.record("network.peer.port", remote.port());
    }
    span
}

/// A name that a stranger may have chosen.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.char_indices().nth(LONGEST).map_or(self.0.len(), |(end, _)| end);
        for character in self.0[..end].chars() {
            match character.is_control() {
                true => write!(f, "{}", character.escape_default())?,
                false => write!(f, "{character}")?,
            }
        }
        f.write_str(if end < self.0.len() { "…" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T41.
    #[test]
    fn a_name_is_one_line_and_not_long() {
        assert_eq!(Shown("math.add").to_string(), "math.add");
        assert_eq!(Shown("a\nb\u{1b}[31mü").to_string(), "a\\nb\\u{1b}[31mü");
        assert_eq!(Shown(&"ü".repeat(1 << 20)).to_string().chars().count(), LONGEST + 1);
    }
}
