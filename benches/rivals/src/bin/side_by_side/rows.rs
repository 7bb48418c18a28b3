//! [`all`]: the rows, which server each needs and how it is loaded.

/// What is measured of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// CPU time of the server; `(wire, connections, window each, method)`.
    Server(&'static str, &'static str, &'static str, &'static str),
    /// CPU time of this client program at `.2` in flight, over the address of kind `.1`.
    Client(&'static str, &'static str, &'static str),
    /// CPU time of the server for each item of one stream; `(program that reads it, wire, items that may wait
    /// there)`, where the last is up to the program if it is empty.
    Stream(&'static str, &'static str, &'static str),
    /// Write system calls of the server, as [`Kind::Server`].
    Writes(&'static str, &'static str, &'static str, &'static str),
    /// Memory of connections that rest, over this wire.
    Idle(&'static str),
    /// Memory of a connection that calls and never reads, over this wire.
    Deaf(&'static str),
}

/// One line of the result.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// `workload/who`.
    pub(crate) name: &'static str,
    /// The server program and its flags.
    pub(crate) server: &'static str,
    /// What is measured.
    pub(crate) kind: Kind,
    /// The row to state it as a multiple of.
    pub(crate) floor: &'static str,
}

impl Row {
    /// Whether the row is measured each round: counts and memory hardly vary.
    pub(crate) const fn repeats(&self) -> bool {
        matches!(self.kind, Kind::Server(..) | Kind::Client(..) | Kind::Stream(..))
    }
}

const RAW: &str = "raw_echo";
const HYPER: &str = "hyper_fixed";
const JSONRPSEE: &str = "jsonrpsee_server";
const TONIC: &str = "tonic_server";
const TARPC: &str = "tarpc_server";
const OURS: &str = "trunkline_server";
/// Closes a caller that reads nothing after two seconds, so that a run need not wait for the default.
const OURS_STALL: &str = "trunkline_server --stall 2";
const OURS_MULTI: &str = "trunkline_server --runtime multi";

/// Every row this build can measure, rivals of one workload side by side.
pub(crate) fn all() -> impl Iterator<Item = Row> {
    ROWS.iter()
        .copied()
        .filter(|row| cfg!(feature = "trunkline") || !format!("{row:?}").contains("trunkline_"))
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("tcp-64/raw", RAW, Kind::Server("tcp", "1", "64", "echo"), "tcp-64/raw"),
    row("tcp-64/trunkline", OURS, Kind::Server("tcp", "1", "64", "add"), "tcp-64/raw"),
    row("ws-64/trunkline", OURS, Kind::Server("ws", "1", "64", "add"), "tcp-64/raw"),
    row("ws-64/jsonrpsee", JSONRPSEE, Kind::Server("ws", "1", "64", "add"), "tcp-64/raw"),
    row("tcp-1024/raw", RAW, Kind::Server("tcp", "1", "1024", "echo"), "tcp-1024/raw"),
    row("tcp-1024/trunkline", OURS, Kind::Server("tcp", "1", "1024", "add"), "tcp-1024/raw"),
    row("ws-1024/trunkline", OURS, Kind::Server("ws", "1", "1024", "add"), "tcp-1024/raw"),
    row("ws-1024/jsonrpsee", JSONRPSEE, Kind::Server("ws", "1", "1024", "add"), "tcp-1024/raw"),
    row("http-64x1/hyper", HYPER, Kind::Server("http", "64", "1", "add"), "http-64x1/hyper"),
    row("http-64x1/trunkline", OURS, Kind::Server("http", "64", "1", "add"), "http-64x1/hyper"),
    row("http-64x1/jsonrpsee", JSONRPSEE, Kind::Server("http", "64", "1", "add"), "http-64x1/hyper"),
    row("http-1x64/hyper", HYPER, Kind::Server("http", "1", "64", "add"), "http-1x64/hyper"),
    row("http-1x64/trunkline", OURS, Kind::Server("http", "1", "64", "add"), "http-1x64/hyper"),
    row("http-1x64/jsonrpsee", JSONRPSEE, Kind::Server("http", "1", "64", "add"), "http-1x64/hyper"),
    row("multi-64/ready", OURS_MULTI, Kind::Server("tcp", "1", "64", "add"), "multi-64/ready"),
    row("multi-64/awaits", OURS_MULTI, Kind::Server("tcp", "1", "64", "add_spawn"), "multi-64/ready"),
    row("order-tcp-64/unchecked", OURS, Kind::Server("tcp", "1", "64", "order_unchecked"), "order-tcp-64/unchecked"),
    row("order-tcp-64/checked", OURS, Kind::Server("tcp", "1", "64", "order"), "order-tcp-64/unchecked"),
    row("order-ws-64/unchecked", OURS, Kind::Server("ws", "1", "64", "order_unchecked"), "order-ws-64/unchecked"),
    row("order-ws-64/checked", OURS, Kind::Server("ws", "1", "64", "order"), "order-ws-64/unchecked"),
    row("order-http-64x1/unchecked", OURS, Kind::Server("http", "64", "1", "order_unchecked"), "order-http-64x1/unchecked"),
    row("order-http-64x1/checked", OURS, Kind::Server("http", "64", "1", "order"), "order-http-64x1/unchecked"),
    row("client-64/trunkline-tcp", OURS, Kind::Client("trunkline_client", "tcp", "64"), "client-64/tarpc"),
    row("client-64/trunkline-ws", OURS, Kind::Client("trunkline_client", "ws", "64"), "client-64/tarpc"),
    row("client-64/tarpc", TARPC, Kind::Client("tarpc_client", "tcp", "64"), "client-64/tarpc"),
    row("client-64/jsonrpsee", JSONRPSEE, Kind::Client("jsonrpsee_client", "ws", "64"), "client-64/tarpc"),
    row("stream-ws/trunkline", OURS, Kind::Stream("load", "ws", ""), "stream-h2/tonic"),
    row("stream-tcp/trunkline", OURS, Kind::Stream("load", "tcp", ""), "stream-h2/tonic"),
    row("stream-own/trunkline", OURS, Kind::Stream("trunkline_client", "ws", ""), "stream-h2/tonic"),
    row("stream-own-1024/trunkline", OURS, Kind::Stream("trunkline_client", "ws", "1024"), "stream-h2/tonic"),
    row("stream-h2/tonic", TONIC, Kind::Stream("tonic_client", "h2", ""), "stream-h2/tonic"),
    row("stream-ws/jsonrpsee", JSONRPSEE, Kind::Stream("load", "ws", ""), "stream-h2/tonic"),
    row("writes-tcp-64/raw", RAW, Kind::Writes("tcp", "1", "64", "echo"), "writes-tcp-64/raw"),
    row("writes-tcp-64/trunkline", OURS, Kind::Writes("tcp", "1", "64", "add"), "writes-tcp-64/raw"),
    row("writes-ws-64/trunkline", OURS, Kind::Writes("ws", "1", "64", "add"), "writes-tcp-64/raw"),
    row("writes-ws-64/jsonrpsee", JSONRPSEE, Kind::Writes("ws", "1", "64", "add"), "writes-tcp-64/raw"),
    row("writes-http-1x64/hyper", HYPER, Kind::Writes("http", "1", "64", "add"), "writes-http-1x64/hyper"),
    row("writes-http-1x64/trunkline", OURS, Kind::Writes("http", "1", "64", "add"), "writes-http-1x64/hyper"),
    row("writes-multi-64/awaits", OURS_MULTI, Kind::Writes("tcp", "1", "64", "add_spawn"), "writes-tcp-64/raw"),
    row("idle/trunkline", OURS, Kind::Idle("ws"), "idle/trunkline"),
    row("idle/jsonrpsee", JSONRPSEE, Kind::Idle("ws"), "idle/trunkline"),
    row("deaf/trunkline", OURS_STALL, Kind::Deaf("ws"), "deaf/trunkline"),
    row("deaf/jsonrpsee", JSONRPSEE, Kind::Deaf("ws"), "deaf/trunkline"),
];

const fn row(name: &'static str, server: &'static str, kind: Kind, floor: &'static str) -> Row {
    Row { name, server, kind, floor }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_floors_exist() {
        let names: HashSet<_> = ROWS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), ROWS.len());
        assert!(ROWS.iter().all(|row| names.contains(row.floor)));
    }
}
