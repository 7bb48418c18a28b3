//! Whatever waits: links, peers, listeners, and the two drivers.

mod access;
pub mod batch;
mod conversation;
pub mod dial;
pub mod exchange;
mod feeds;
pub mod hooks;
#[cfg(feature = "http")]
pub mod http;
pub mod link;
pub mod listen;
pub mod peer;
pub mod peers;
pub mod serve;
pub mod service;
mod streams;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(feature = "ws")]
pub mod ws;

pub use crate::{
    batch::{Answers, Batch},
    hooks::{FaultReport, Hooks},
    link::{ByteStream, Ended, Link},
    peer::{Calling, Peer, Subscription},
    peers::Peers,
    serve::{open, serve},
    service::Service,
};
