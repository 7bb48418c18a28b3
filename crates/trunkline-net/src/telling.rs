//! What is told of connections and calls to whoever collects spans.
//!
//! Names are those of OpenTelemetry's conventions for RPC, see `docs/tracing.md`. What strangers have a say
//! in is bounded, and makes no lines of its own in a log.

mod answered;
#[cfg(feature = "otel")]
mod otel;
mod outgoing;

pub(crate) use self::answered::{AnsweredHere, Name, ToBeNamed, is_told};
pub(crate) use self::outgoing::name;
pub use self::outgoing::{Far, is_heard, outgoing, place, told};

use std::fmt;
use tracing::{Span, field};
use trunkline_core::{Connection, Fault};

/// As much of a name as is told, in characters.
const LONGEST: usize = 128;

/// The span of a connection, which is called `client` at the side that has dialled.
#[must_use]
pub fn connection_span(connection: &Connection, has_dialled: bool) -> Span {
    let remote = connection.remote();
    macro_rules! span {
        ($name:literal) => {
            tracing::info_span!(
                $name,
                id = %connection.id(),
                rpc.system.name = connection.dialect(),
                transport = connection.transport(),
                network.peer.address = remote.map(|remote| field::display(remote.ip())),
                network.peer.port = remote.map(|remote| remote.port()),
            )
        };
    }
    if has_dialled { span!("client") } else { span!("connection") }
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
