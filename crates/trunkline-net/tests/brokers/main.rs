//! What holds on every broker, asked of each of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod contract;
mod memory;
mod peer;
