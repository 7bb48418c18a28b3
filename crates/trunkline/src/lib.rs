//! Register a procedure once; every kind of caller can reach it.

pub use trunkline_core::*;
pub use trunkline_dialects::jsonrpc;
pub use trunkline_net as net;
