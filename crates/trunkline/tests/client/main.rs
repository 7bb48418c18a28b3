//! The client against real servers, scripted ones, and none at all.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod calls;
mod closing;
mod connecting;
mod events;
mod oversize;
mod ports;
mod posting;
mod reconnecting;
mod refused;
mod scripted;
mod secured;
mod sending;
mod stdio;
mod support;
