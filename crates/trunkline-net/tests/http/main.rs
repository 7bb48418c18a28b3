//! The HTTP port over real sockets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod events;
mod flood;
mod frames;
mod health;
mod http2;
mod mounting;
mod never;
mod pages;
mod pipelining;
mod post;
mod room;
mod shutdown;
mod smuggling;
mod support;
mod times;
#[cfg(feature = "tls")]
mod tls;
mod websocket;
