//! The wire languages of trunkline, as pure state machines.
//!
//! With default features off, what is left needs neither a runtime nor the rest
//! of trunkline: [`jsonrpc`] is then a library of JSON-RPC 2.0 messages.

pub mod jsonrpc;
#[cfg(feature = "dialect")]
pub mod therms;

/// Compiles what the guide for users of the Node package shows.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/from-jsonrpc-lib.md")]
mod from_jsonrpc_lib {}
