//! The wire languages of trunkline, as pure state machines.
//!
//! With default features off, what is left needs neither a runtime nor the rest
//! of trunkline: [`jsonrpc`] is then a library of JSON-RPC 2.0 messages.

pub mod jsonrpc;
