//! Peers that call each other by name, through a server: what is promised, and what
//! hostile ones try.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod access;
mod calls;
mod document;
mod ending;
mod hostile;
mod names;
mod reconnecting;
mod streams;
#[path = "../it/support.rs"]
#[allow(dead_code, reason = "scenarios of other kinds need the rest")]
mod support;
mod world;
