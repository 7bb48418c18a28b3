//! What `trunkline::testing` promises to those who test with it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod clock;
mod server;
mod wire;
