//! Several servers on one broker in memory: what goes from one to another, and how it ends.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod calls;
mod ending;
#[cfg(feature = "http")]
mod events;
#[cfg(feature = "http")]
#[path = "../vectors/http_client.rs"]
#[allow(dead_code, reason = "vectors need the rest")]
mod http_client;
mod messages;
mod trouble;
mod trust;
#[cfg(feature = "http")]
#[path = "../vectors/wire.rs"]
#[allow(dead_code, reason = "vectors need the rest")]
mod wire;
mod world;
