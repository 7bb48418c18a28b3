//! The `trunkline` command as its users meet it: arguments in, output and exit codes out.

mod bench;
mod call;
mod demo;
mod discover;
#[cfg(feature = "gateway")]
mod gateway;
mod help;
mod listen;
#[cfg(all(feature = "amqp", feature = "nats"))]
mod nodes;
#[path = "../../../../tests/openrpc/valid.rs"]
mod openrpc;
mod program;
mod stranger;
