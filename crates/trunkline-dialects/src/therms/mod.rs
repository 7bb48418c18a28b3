//! The protocols of @therms/rpc-server.

mod network;

pub use self::network::{Network, code};
