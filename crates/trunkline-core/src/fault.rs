//! [`Fault`]: what the caller is told.
//!
//! An *error* is trouble on our side of the wire and stays here; a *fault* is
//! what we tell the caller. Handlers choose what crosses by implementing
//! `Into<Fault>`, so no error text leaves the process by accident. Dialects
//! spell a [`FaultKind`] their own way; no other part of trunkline knows a wire
//! code.

mod call_error;
mod typed;

pub use self::{call_error::CallError, typed::TypedFault};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{any::Any, borrow::Cow, error::Error, fmt, sync::Arc};

/// A failed call, as told to the caller.
///
/// ```
/// # use trunkline_core::{Fault, FaultKind};
/// let fault = Fault::new(FaultKind::Failed, "the room is full").with_code(4001).with_data(["lobby"]);
/// assert_eq!(fault.to_string(), "the room is full");
/// assert_eq!(fault.data::<[String; 1]>().unwrap()[0], "lobby");
/// ```
#[derive(Clone)]
pub struct Fault(Box<Told>);

#[derive(Clone)]
struct Told {
    kind: FaultKind,
    code: Option<i64>,
    message: Cow<'static, str>,
    data: Option<Box<RawValue>>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Fault {
    /// Creates a fault; `message` is shown to the caller as it stands.
    #[must_use]
    pub fn new(kind: FaultKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Told { kind, code: None, message: message.into(), data: None, source: None }))
    }

    /// A failure that is not the caller's business: the caller hears
    /// "Internal error", `source` stays at home for the error hooks.
    #[must_use]
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(FaultKind::Internal, "Internal error").with_source(source)
    }

    /// The same fault in other words.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.0.message = message.into();
        self
    }

    /// What a caller is told of a handler that panicked, by what
    /// [`catch_unwind`](std::panic::catch_unwind) caught; the message of the panic is
    /// the source.
    #[cold]
    #[must_use]
    pub fn panicked(panic: &(dyn Any + Send)) -> Self {
        Self::panicked_in("the handler", panic)
    }

    /// The same of other code of the program, which `who` names.
    #[cold]
    #[must_use]
    pub fn panicked_in(who: &str, panic: &(dyn Any + Send)) -> Self {
        let what = panic.downcast_ref::<&str>().copied();
        let what = what.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Self::internal(format!("{who} panicked: {}", what.unwrap_or("no message")))
    }

    /// Gives the application's own error code.
    ///
    /// Dialects that have numbers for errors send it in place of the one that
    /// stands for the kind. JSON-RPC 2.0 section 5.1 reserves -32768 to -32000.
    #[must_use]
    pub fn with_code(mut self, code: i64) -> Self {
        self.0.code = Some(code);
        self
    }

    /// Attaches a value for the caller to look at. A value that cannot be
    /// written as JSON is left out.
    #[must_use]
    pub fn with_data(mut self, data: impl Serialize) -> Self {
        self.0.data = serde_json::value::to_raw_value(&data).ok();
        self
    }

    /// Attaches the error behind this fault. It is never sent: hooks and logs
    /// see it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// The same fault, its message followed by those of all its sources: for
    /// [`Security::redact`](crate::Security::redact) while a program is being developed. They may name what
    /// strangers should not know.
    ///
    /// ```
    /// # use trunkline_core::Fault;
    /// let fault = Fault::internal("disk on fire").with_sources_shown();
    /// assert_eq!(fault.message(), "Internal error: disk on fire");
    /// ```
    #[must_use]
    pub fn with_sources_shown(&self) -> Self {
        let mut message = self.message().to_owned();
        let mut source = self.source();
        while let Some(error) = source {
            message = format!("{message}: {error}");
            source = error.source();
        }
        self.clone().with_message(message)
    }

    /// What went wrong, in terms every dialect can spell.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        self.0.kind
    }

    /// The application's own code, or the one that came over the wire.
    #[must_use]
    pub fn code(&self) -> Option<i64> {
        self.0.code
    }

    /// The sentence shown to the caller.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The attached value, decoded; `None` if there is none or it is of another shape.
    #[must_use]
    pub fn data<'a, T: serde::Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_str(self.raw_data()?).ok()
    }

    /// The attached value as JSON text.
    #[must_use]
    pub fn raw_data(&self) -> Option<&str> {
        self.0.data.as_deref().map(RawValue::get)
    }
}

/// Equal is what the caller cannot tell apart: the source does not matter.
impl PartialEq for Fault {
    fn eq(&self, other: &Self) -> bool {
        (self.kind(), self.code(), self.message(), self.raw_data())
            == (other.kind(), other.code(), other.message(), other.raw_data())
    }
}

impl Eq for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault")
            .field("kind", &self.0.kind)
            .field("code", &self.0.code)
            .field("message", &self.0.message)
            .field("data", &self.raw_data())
            .field("source", &self.0.source)
            .finish()
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|error| error as _)
    }
}

impl From<String> for Fault {
    /// A failure in plain words, shown to the caller.
    fn from(message: String) -> Self {
        Self::new(FaultKind::Failed, message)
    }
}

impl From<&'static str> for Fault {
    /// A failure in plain words, shown to the caller.
    fn from(message: &'static str) -> Self {
        Self::new(FaultKind::Failed, message)
    }
}

impl From<std::convert::Infallible> for Fault {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FaultKind {
    /// The procedure ran and refused, or failed, in the application's own terms.
    Failed,
    /// The arguments do not fit the procedure.
    InvalidArgs,
    /// No procedure has that name, or none that this caller may know of.
    NotFound,
    /// The message was not a call.
    InvalidRequest,
    /// The caller has not shown who it is, or not well enough, or too long ago.
    Unauthenticated,
    /// The caller may not do this.
    Forbidden,
    /// The caller has done this too often of late.
    RateLimited,
    /// The procedure panicked, or failed in a way that is not the caller's business.
    Internal,
    /// Not now; perhaps later.
    Unavailable,
    /// The caller gave up on the call.
    Cancelled,
    /// The call took longer than it was given.
    DeadlineExceeded,
    /// What the caller sent is over a limit.
    RequestTooLarge,
    /// What the procedure answered is over a limit.
    ReplyTooLarge,
    /// The connection ended before the answer came; whether the procedure ran is not known.
    Disconnected,
    /// The far side answered with something that is not an answer.
    InvalidReply,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_stays_out_of_what_is_shown() {
        let fault = Fault::internal("disk on fire");
        assert_eq!(fault.to_string(), "Internal error");
        assert_eq!(fault.source().unwrap().to_string(), "disk on fire");
    }

    #[test]
    fn data_that_has_no_json_form_is_left_out() {
        let fault = Fault::from("no").with_data(std::collections::HashMap::from([((1, 2), 3)]));
        assert_eq!(fault.raw_data(), None);
    }
}
