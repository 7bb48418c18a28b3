//! [`Chain`]: how deep a call is inside of others.

use crate::{
    fault::{Fault, FaultKind},
    limits::MAX_CHAIN,
    ordered::Turn,
};
use serde_json::json;
use std::sync::{Arc, Weak};

/// How deep a call is inside of others, and how deep it may be.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    depth: u32,
    most: u32,
    /// The turn among those that are ordered that one of the others has, or had.
    turn: Weak<Turn>,
    /// The procedure that has made the call.
    caller: Option<Arc<str>>,
}

impl Default for Chain {
    fn default() -> Self {
        Self { depth: 0, most: MAX_CHAIN, turn: Weak::new(), caller: None }
    }
}

impl Chain {
    pub(crate) fn limited(self, most: usize) -> Self {
        Self { most: most.try_into().unwrap_or(u32::MAX), ..self }
    }

    pub(crate) fn at(self, depth: usize) -> Self {
        Self { depth: depth.try_into().unwrap_or(u32::MAX), ..self }
    }

    pub(crate) fn called_by(self, procedure: Arc<str>) -> Self {
        Self { caller: Some(procedure), ..self }
    }

    pub(crate) fn deeper(&self) -> Result<Self, Fault> {
        match self.depth < self.most {
            true => Ok(Self { depth: self.depth + 1, caller: None, ..self.clone() }),
            false => Err(too_deep(self.most)),
        }
    }

    pub(crate) fn in_turn(&self, turn: &Arc<Turn>) -> Self {
        Self { turn: Arc::downgrade(turn), ..self.clone() }
    }

    pub(crate) fn has_turn(&self) -> bool {
        self.turn.strong_count() > 0
    }

    pub(crate) fn depth(&self) -> usize {
        self.depth as usize
    }

    pub(crate) fn caller(&self) -> Option<&str> {
        self.caller.as_deref()
    }
}

#[cold]
fn too_deep(most: u32) -> Fault {
    let fault = Fault::new(FaultKind::Unavailable, "too many calls inside of each other");
    fault.with_data(json!({"limit": most, "setting": "max_chain"}))
}
