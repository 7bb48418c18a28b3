//! The service that tonic's server and client share; `build.rs` says what it is made of.

#![allow(missing_docs, clippy::must_use_candidate, clippy::use_self, reason = "the code is tonic's")]

include!(concat!(env!("OUT_DIR"), "/rivals.Numbers.rs"));

/// An item, as protobuf has it.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Item {
    /// Its place in the stream.
    #[prost(uint64, tag = "1")]
    pub n: u64,
}
