//! `trunkline gateway`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod access;
mod checking;
mod client;
mod ending;
mod reloading;
mod serving;
mod world;
