//! Scenarios over live connections: what is promised, and what hostile peers try.
//!
//! Rows of the list of threats are named in the tests that show them off.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod caller;
mod calls;
mod cancellation;
mod context;
mod discovery;
#[cfg(feature = "http")]
mod draining;
mod ending;
mod everything;
mod flow;
mod hostile;
#[cfg(feature = "http")]
#[path = "../vectors/http_client.rs"]
#[allow(dead_code, reason = "vectors need the rest")]
mod http_client;
mod hygiene;
mod incoming;
mod internal;
mod language;
mod limits;
mod middleware;
mod narrow;
mod ordered;
mod panics;
mod reload;
mod rpc_websockets;
mod services;
mod streams;
mod support;
#[cfg(feature = "http")]
mod therms;
mod trouble;
mod typed_faults;
#[cfg(feature = "validate")]
mod validation;
#[cfg(feature = "http")]
#[path = "../vectors/wire.rs"]
#[allow(dead_code, reason = "vectors need the rest")]
mod vector_wire;
