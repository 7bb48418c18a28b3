//! RabbitMQ and NATS for tests: real servers on loopback, which tests kill, stop and restart.
//!
//! A test that disturbs its server starts one of its own; all others use the shared one, which
//! `cargo xtask services` starts and `cargo xtask test` has running. Nothing here skips a test: a
//! server that is missing is an error, which says what to do about it.
//!
//! ```no_run
//! use trunkline_services::{Nats, RabbitMq};
//!
//! // The shared servers: RabbitMQ in a virtual host of one's own, NATS with subjects of one's own.
//! let amqp = RabbitMq::shared()?.vhost()?;
//! let nats = Nats::shared()?.uri();
//!
//! // A server of one's own, which ends with `broker`.
//! let mut broker = RabbitMq::start()?;
//! broker.stop()?; // hangs
//! broker.resume()?;
//! broker.kill()?; // dies
//! broker.restart()?; // is back where it was
//! # Ok::<(), String>(())
//! ```
//!
//! Everything blocks, and errors are sentences for whoever runs the tests. The programs are those of
//! Debian's packages, and processes are looked up in `/proc`: this is for Linux.

mod home;
mod nats;
mod process;
mod rabbitmq;
mod server;

pub use home::end_all;
pub use nats::{Nats, NatsServer};
pub use rabbitmq::{RabbitMq, RabbitMqServer};
pub use server::{Kind, Server};
