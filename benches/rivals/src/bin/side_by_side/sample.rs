//! [`take`]: one fresh server, one generator, one figure.

use std::fmt;

use anyhow::{Context, Result};
use rivals::process::{Pinned, Server, load};
use serde_json::Value;

use crate::rows::{Kind, Row};
use crate::syscalls;

/// How long and how often to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Rounds of the CPU rows.
    pub(crate) rounds: usize,
    /// Seconds a sample.
    pub(crate) seconds: f64,
    /// Items of a stream.
    pub(crate) items: u64,
    /// Connections that rest.
    pub(crate) idle: usize,
}

/// What one visit to a row found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sample {
    /// CPU time.
    Cpu {
        /// Microseconds a call or an item, of the side that the row is about.
        micros: f64,
        /// Calls or items a second.
        rate: f64,
        /// Share of the time that the server was on its core.
        server_busy: f64,
        /// Share of the time that the load was on its core.
        load_busy: f64,
    },
    /// Write system calls an answer.
    Writes {
        /// 1 is a write for each.
        per_reply: f64,
    },
    /// There is no `strace` that works.
    NoStrace,
    /// Bytes a connection.
    Idle {
        /// After the handshake.
        opened: f64,
        /// After one call.
        called: f64,
    },
    /// One connection that never reads.
    Deaf {
        /// Bytes by which the server grew at most.
        grown: f64,
        /// Calls that it took in.
        sent: f64,
        /// Seconds until it closed.
        closed: Option<f64>,
    },
}

impl Sample {
    /// The figure that rows are compared by.
    pub(crate) const fn figure(&self) -> f64 {
        match *self {
            Self::Cpu { micros, .. } => micros,
            Self::Writes { per_reply } => per_reply,
            Self::NoStrace => f64::NAN,
            Self::Idle { called, .. } => called,
            Self::Deaf { grown, .. } => grown,
        }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Cpu { micros, rate, server_busy, load_busy } => write!(
                f,
                "{micros:8.3} µs each, {:7.0} k/s, server busy {:3.0} %, load {:3.0} %",
                rate / 1e3,
                server_busy * 100.0,
                load_busy * 100.0
            ),
            Self::Writes { per_reply } => write!(f, "{per_reply:8.3} writes a reply"),
            Self::NoStrace => f.write_str("skipped: no working strace"),
            Self::Idle { opened, called } => {
                write!(f, "{called:8.0} bytes a connection after a call ({opened:.0} after the handshake)")
            }
            Self::Deaf { grown, sent, closed } => {
                write!(f, "{:8.2} MiB grown, {sent:.0} calls taken in, ", grown / MIB)?;
                match closed {
                    Some(seconds) => write!(f, "closed after {seconds:.1} s"),
                    None => write!(f, "still open after {PATIENCE} s"),
                }
            }
        }
    }
}

/// Bytes of a MiB.
pub(crate) const MIB: f64 = 1_048_576.0;
/// Seconds that a server has to close a caller that reads nothing.
pub(crate) const PATIENCE: &str = "8";

/// Measures `row` once.
pub(crate) fn take(row: &Row, effort: &Effort, pinned: Pinned) -> Result<Sample> {
    match row.kind {
        Kind::Writes(..) if !syscalls::available() => Ok(Sample::NoStrace),
        Kind::Writes(wire, connections, window, method) => {
            let flags =
                [("wire", wire), ("connections", connections), ("window", window), ("method", method)];
            syscalls::count(row.server, wire, &flags, pinned)
        }
        Kind::Server(wire, connections, window, method) => {
            let seconds = effort.seconds.to_string();
            let flags = [
                ("wire", wire),
                ("connections", connections),
                ("window", window),
                ("method", method),
                ("seconds", &seconds),
            ];
            cpu(&visit(row, "load", wire, &flags, pinned)?, "server_cpu")
        }
        Kind::Stream(program, wire, waiting) => {
            let items = effort.items.to_string();
            let mut flags = vec![("mode", "stream"), ("wire", wire), ("items", &*items)];
            if !waiting.is_empty() {
                flags.push(("waiting", waiting));
            }
            cpu(&visit(row, program, wire, &flags, pinned)?, "server_cpu")
        }
        Kind::Client(program, wire, window) => {
            let seconds = effort.seconds.to_string();
            let flags = [("window", window), ("seconds", &seconds), ("wire", wire)];
            cpu(&visit(row, program, wire, &flags, pinned)?, "client_cpu")
        }
        Kind::Idle(wire) => {
            let connections = effort.idle.to_string();
            let flags = [("mode", "idle"), ("wire", wire), ("connections", &connections)];
            let found = visit(row, "load", wire, &flags, pinned)?;
            Ok(Sample::Idle { opened: number(&found, "opened")?, called: number(&found, "called")? })
        }
        Kind::Deaf(wire) => {
            let flags = [("mode", "deaf"), ("wire", wire), ("patience", PATIENCE)];
            let found = visit(row, "load", wire, &flags, pinned)?;
            Ok(Sample::Deaf {
                grown: number(&found, "grown")?,
                sent: number(&found, "sent")?,
                closed: found["closed_after"].as_f64(),
            })
        }
    }
}

/// Starts the row's server and runs `program` against its address for `wire`.
fn visit(row: &Row, program: &str, wire: &str, flags: &[(&str, &str)], pinned: Pinned) -> Result<Value> {
    let server = Server::start(row.server, pinned, &[])?;
    let (address, pid) = (server.address(wire)?, server.pid());
    load(program, flags.iter().copied().chain([("address", address), ("pid", &pid)]), pinned)
}

fn cpu(found: &Value, side: &str) -> Result<Sample> {
    let (calls, seconds) = (number(found, "calls")?, number(found, "seconds")?);
    Ok(Sample::Cpu {
        micros: number(found, side)? / 1e3 / calls,
        rate: calls / seconds,
        server_busy: number(found, "server_cpu")? / 1e9 / seconds,
        load_busy: number(found, "client_cpu")? / 1e9 / seconds,
    })
}

fn number(found: &Value, name: &str) -> Result<f64> {
    found[name].as_f64().with_context(|| format!("the load said nothing of {name}"))
}
