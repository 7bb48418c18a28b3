//! [`Chain`]: how deep a call is inside of others.

use crate::{
    fault::{Fault, FaultKind},
    limits::MAX_CHAIN,
};
use serde_json::json;

/// How deep a call is inside of others, and how deep it may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    depth: u32,
    most: u32,
    /// Whether one of the others has its turn among those that are ordered.
    has_turn: bool,
}

impl Default for Chain {
    fn default() -> Self {
        Self { depth: 0, most: MAX_CHAIN, has_turn: false }
    }
}

impl Chain {
    pub(crate) fn limited(self, most: usize) -> Self {
        Self { most: most.try_into().unwrap_or(u32::MAX), ..self }
    }

    pub(crate) fn at(self, depth: usize) -> Self {
        Self { depth: depth.try_into().unwrap_or(u32::MAX), ..self }
    }

    pub(crate) fn deeper(self) -> Result<Self, Fault> {
        match self.depth < self.most {
            true => Ok(Self { depth: self.depth + 1, ..self }),
            false => Err(too_deep(self.most)),
        }
    }

    pub(crate) fn in_turn(self) -> Self {
        Self { has_turn: true, ..self }
    }

    pub(crate) fn has_turn(self) -> bool {
        self.has_turn
    }

    pub(crate) fn depth(self) -> usize {
        self.depth as usize
    }
}

#[cold]
fn too_deep(most: u32) -> Fault {
    let fault = Fault::new(FaultKind::Unavailable, "too many calls inside of each other");
    fault.with_data(json!({"limit": most, "setting": "max_chain"}))
}
