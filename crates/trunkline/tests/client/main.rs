//! The client against real servers, scripted ones, and none at all.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod calls;
mod closing;
mod connecting;
#[cfg(all(feature = "http", feature = "http-client"))]
mod events;
mod oversize;
#[cfg(all(feature = "http", feature = "http-client"))]
mod ports;
#[cfg(feature = "http-client")]
mod posting;
mod reconnecting;
mod refused;
mod scripted;
#[cfg(all(feature = "http", feature = "http-client", feature = "tls"))]
mod secured;
mod sending;
mod stdio;
mod support;
