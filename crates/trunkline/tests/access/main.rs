//! Who callers are known to be, what they may do, and what they are told.
//!
//! Rows of the list of threats are named in the tests that show them off.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod authorize;
mod client;
mod events;
mod expiry;
mod guesses;
mod http;
#[path = "../vectors/http_client.rs"]
#[allow(dead_code, reason = "vectors need the rest")]
mod http_client;
mod jwt;
mod limits;
mod login;
mod redact;
mod session;
#[path = "../it/support.rs"]
#[allow(dead_code, reason = "scenarios of other kinds need the rest")]
mod support;
mod therms;
#[path = "../vectors/wire.rs"]
#[allow(dead_code, reason = "vectors need the rest")]
mod wire;
mod world;
