//! [`Unknown`]: why a procedure was not found.

use super::Router;
use crate::{
    fault::{Fault, FaultKind},
    key::Key,
};
use std::error::Error;

/// Why a procedure was not found: the source of the fault that says so. The fault itself
/// is the same whatever the reason, and so is what most dialects tell.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no procedure is served to this caller under the name {name:?}: {why}")]
pub struct Unknown {
    name: Box<str>,
    why: Why,
}

/// Why there is no procedure of a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// There is none.
    #[error("there is none")]
    Absent,
    /// There is one, [for this program only](crate::Registration::internal).
    #[error("it is internal")]
    Internal,
    /// There are only [others](Key) of its scope and name, in other versions.
    #[error("there are only other versions of it")]
    Version,
    /// No node of the network has it.
    #[error("no node of the network serves it")]
    Nowhere,
}

impl Unknown {
    /// A name under which there is nothing, as it was called.
    #[must_use]
    pub fn new(name: &str, why: Why) -> Self {
        Self { name: name.into(), why }
    }

    /// What a fault says of a name that was not found, if that is what it says.
    #[must_use]
    pub fn of(fault: &Fault) -> Option<&Self> {
        fault.source()?.downcast_ref()
    }

    /// The name, as it was called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why there is nothing.
    #[must_use]
    pub fn why(&self) -> Why {
        self.why
    }
}

/// What its caller is told.
impl From<Unknown> for Fault {
    #[cold]
    fn from(unknown: Unknown) -> Self {
        Self::new(FaultKind::NotFound, "Method not found").with_source(unknown)
    }
}

/// What a caller of an unknown name is told.
#[must_use]
#[cold]
pub fn unknown(name: &str) -> Fault {
    Unknown::new(name, Why::Absent).into()
}

impl Router {
    /// What is said to connections that call `name`, which they
    /// [do not find](Self::find): always the same, but for the [source](Unknown), which
    /// stays here.
    #[must_use]
    #[cold]
    pub fn unknown(&self, name: &str) -> Fault {
        let why = match self.internal.contains_key(name) {
            true => Why::Internal,
            false if self.versioned.contains(&*without_version(name)) => Why::Version,
            false => Why::Absent,
        };
        Unknown::new(name, why).into()
    }
}

/// What all versions of a procedure have in common.
pub(super) fn without_version(name: &str) -> Box<str> {
    let Key { scope, procedure, .. } = Key::of(name);
    [scope, "::", procedure].concat().into()
}
