//! [`About`]: what a message says of a call besides what is called.

use crate::trace::Trace;
use std::{any::Any, sync::Arc, time::Duration};

/// What a message says of a call besides what is called, and with what. Most say nothing.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct About {
    /// Where in a distributed trace the call stands.
    pub trace: Option<Trace>,
    /// For how long the caller will wait, from when it said so. It can ask for less
    /// time than it would have, not for more.
    pub timeout: Option<Duration>,
    /// Whether the program has chosen the procedure, by a setting of its language, and not
    /// the caller: those that are [internal](crate::Registration::internal) are found then.
    pub internal: bool,
    /// What only the dialect's own extractors understand, of [`Context::said`].
    ///
    /// [`Context::said`]: crate::Context::said
    pub extension: Option<Arc<dyn Any + Send + Sync>>,
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

    /// The same of a call of a procedure that the program has chosen. Where another program
    /// of the network has it, that is to know it too: see [`Context::finds_internal`].
    ///
    /// [`Context::finds_internal`]: crate::Context::finds_internal
    #[must_use]
    pub fn internal(mut self) -> Self {
        self.internal = true;
        self
    }

    /// The same with a value for the dialect's own extractors, in place of an earlier one.
    #[must_use]
    pub fn with_extension(mut self, value: impl Any + Send + Sync) -> Self {
        self.extension = Some(Arc::new(value));
        self
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.trace.is_none() && self.timeout.is_none() && !self.internal && self.extension.is_none()
    }
}

/// Equal is what goes over the wire: what dialects have to say to themselves does not.
impl PartialEq for About {
    fn eq(&self, other: &Self) -> bool {
        (&self.trace, self.timeout) == (&other.trace, other.timeout)
    }
}

impl Eq for About {}
