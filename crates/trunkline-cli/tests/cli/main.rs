//! The `trunkline` command as its users meet it: arguments in, output and exit codes out.

mod bench;
mod call;
mod demo;
mod discover;
#[cfg(feature = "gateway")]
mod gateway;
mod help;
mod listen;
#[path = "../../../../tests/openrpc/valid.rs"]
mod openrpc;
mod program;
mod stranger;
