//! [`About`]: what a message says of a call besides what is called.

use crate::trace::Trace;
use std::time::Duration;

/// What a message says of a call besides what is called, and with what. Most say nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct About {
    /// Where in a distributed trace the call stands.
    pub trace: Option<Trace>,
    /// For how long the caller will wait, from when it said so. It can ask for less
    /// time than it would have, not for more.
    pub timeout: Option<Duration>,
}

impl About {
    /// The same of a call in a trace.
    #[must_use]
    pub fn with_trace(mut self, trace: Option<Trace>) -> Self {
        self.trace = trace;
        self
    }

    /// The same of a call that its caller waits for so long.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.timeout = timeout;
        self
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.trace.is_none() && self.timeout.is_none()
    }
}
