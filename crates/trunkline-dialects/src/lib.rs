//! The wire languages of trunkline, as pure state machines.
//!
//! With default features off, what is left needs neither a runtime nor the rest
//! of trunkline: [`jsonrpc`] is then a library of JSON-RPC 2.0 messages.

pub mod jsonrpc;
#[cfg(feature = "dialect")]
mod mixed;
#[cfg(feature = "dialect")]
pub mod native;
#[cfg(feature = "dialect")]
pub mod therms;

#[cfg(feature = "dialect")]
pub use mixed::Mixed;

/// Compiles what the guide for users of the Node package shows.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/from-jsonrpc-lib.md")]
mod from_jsonrpc_lib {}
