//! Several servers on one broker: what goes from one to another, and how it ends. All in memory,
//! where the clock stands still, and what depends on no clock on RabbitMQ too.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod calls;
mod ending;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "amqp")]
mod rabbitmq;
mod trouble;
mod trust;
mod world;
