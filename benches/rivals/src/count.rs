//! `count`: the one procedure all servers that stream have.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// `{"items": 1000000}`, in JSON and in protobuf.
#[derive(Clone, Copy, PartialEq, Deserialize, Serialize, prost::Message, schemars::JsonSchema)]
pub struct Count {
    /// How many items are to come.
    #[prost(uint64, tag = "1")]
    pub items: u64,
}

impl Count {
    /// The items: each is its place in the stream, from 0 on.
    #[must_use]
    pub const fn numbers(self) -> Range<u64> {
        0..self.items
    }
}
