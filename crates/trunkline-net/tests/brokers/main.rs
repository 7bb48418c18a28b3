//! What holds on every broker, asked of each of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

#[cfg(feature = "amqp")]
mod amqp;
mod contract;
#[cfg(any(feature = "amqp", feature = "nats"))]
mod log;
mod memory;
#[cfg(feature = "nats")]
mod nats;
mod peer;
