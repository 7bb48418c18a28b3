//! Whatever waits: links, peers, listeners, and the two drivers.

mod access;
#[doc(hidden)]
pub mod backoff;
pub mod batch;
pub mod broker;
pub mod caller;
#[doc(hidden)]
pub mod clock;
mod conversation;
pub mod decoded;
pub mod dial;
pub mod exchange;
mod feeds;
pub mod hooks;
#[cfg(feature = "http")]
pub mod http;
pub mod link;
pub mod listen;
pub mod node;
pub mod peer;
pub mod peers;
pub mod relay;
pub mod serve;
pub mod service;
mod streams;
#[doc(hidden)]
pub mod telling;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(feature = "ws")]
pub mod ws;

pub use crate::{
    batch::{Answers, Batch},
    caller::Caller,
    decoded::Decoded,
    hooks::{FaultReport, Hooks},
    link::{ByteStream, Ended, Link},
    node::{Cluster, NodeInfo, Published},
    peer::{Calling, Peer, Subscription},
    peers::Peers,
    serve::{open, serve},
    service::Service,
};
