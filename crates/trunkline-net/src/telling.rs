//! What is told of connections and calls to whoever collects spans.
//!
//! Names are those of OpenTelemetry's conventions for RPC, see `docs/tracing.md`. What strangers have a say
//! in is bounded, and makes no lines of its own in a log.

mod answered;
#[cfg(feature = "otel")]
mod otel;
mod outgoing;

pub(crate) use self::answered::{AnsweredHere, is_told};
pub(crate) use self::outgoing::name;
pub use self::outgoing::{Far, is_heard, outgoing, place, told};

use std::fmt;
use tracing::{Span, field};
use trunkline_core::{Connection, Fault};

/// As much of a name as is told, in characters.
const LONGEST: usize = 128;

/// The span of a connection.
pub(crate) fn connection_span(connection: &Connection) -> Span {
    let span = tracing::info_span!(
        "connection",
        id = %connection.id(),
        rpc.system.name = connection.dialect(),
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

/// Tells of a call that it failed, with what its caller is told if that is a number.
#[cold]
pub(crate) fn failed(span: &Span, fault: &Fault, code: Option<i64>) {
    match code {
        Some(code) => {
            span.record("rpc.response.status_code", field::display(code));
            span.record("error.type", field::display(code));
        }
        None => {
            span.record("error.type", field::debug(fault.kind()));
        }
    }
    span.record("otel.status_code", "ERROR");
    span.record("otel.status_description", field::display(Shown(fault.message())));
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
