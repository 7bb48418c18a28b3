//! [`CallError`]: how a call fails whose procedure has errors of a type of its own.

use super::{Fault, TypedFault};
use std::{error::Error, fmt};

/// How a call fails whose procedure has errors of a type of its own.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "callers match on it, and there is no third way")]
pub enum CallError<E> {
    /// The procedure said so.
    Typed(E),
    /// Anything else: the connection is gone, the deadline has passed, the far
    /// side has an error that this side does not know yet.
    Other(Fault),
}

impl<E: TypedFault> From<Fault> for CallError<E> {
    fn from(fault: Fault) -> Self {
        E::from_fault(fault).map_or_else(Self::Other, Self::Typed)
    }
}

impl<E: Into<Self>> From<CallError<E>> for Fault {
    fn from(error: CallError<E>) -> Self {
        match error {
            CallError::Typed(error) => error.into(),
            CallError::Other(fault) => fault,
        }
    }
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Typed(error) => error.fmt(f),
            Self::Other(fault) => fault.fmt(f),
        }
    }
}

impl<E: Error> Error for CallError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Typed(error) => error.source(),
            Self::Other(fault) => fault.source(),
        }
    }
}
