//! Several servers on one broker in memory: what goes from one to another, and how it ends.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod calls;
mod ending;
#[cfg(feature = "therms")]
#[path = "../vectors/http_client.rs"]
#[allow(dead_code, reason = "vectors need the rest")]
mod http_client;
#[cfg(feature = "therms")]
mod therms;
mod trouble;
mod trust;
mod world;
