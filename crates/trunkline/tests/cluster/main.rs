//! Several servers on one broker in memory: what goes from one to another, and how it ends.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod calls;
mod ending;
#[cfg(feature = "nats")]
mod nats;
mod trouble;
mod trust;
mod world;
