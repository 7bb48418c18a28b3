//! Crowds: more connections than a server has room for, or descriptors.
//!
//! Rows of the list of threats are named in the tests that show them off.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod descriptors;
mod names;
mod server;
mod silent;
