//! [`Call`]: one invocation on its way in.

use crate::{
    context::Context,
    feed::Feed,
    payload::{Format, OwnedPayload, Payload},
    states::States,
    trace::Trace,
};
use std::{sync::Arc, time::Instant};

/// One invocation of a procedure, borrowed from the frame it came in.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Call<'a> {
    /// The name it was called by.
    pub procedure: &'a str,
    /// The arguments, still encoded.
    pub args: Option<Payload<'a>>,
    /// With what the names begin that it serves, if it is a
    /// [fallback](crate::Router::fallback) that was called: the name is the caller's choice then.
    pub fallback: Option<&'a str>,
    /// What is known of the caller.
    pub context: &'a Context,
    /// The states of the router that the procedure belongs to.
    pub states: &'a Arc<States>,
    /// When the caller will have lost interest.
    pub deadline: Option<Instant>,
    /// How the reply is to be encoded.
    pub format: Format,
    /// How many bytes of reply the caller may be sent.
    pub max_reply: usize,
    /// The stream that the caller sends, to procedures that take one.
    pub feed: Option<&'a Feed>,
}

impl<'a> Call<'a> {
    /// A call without deadline; the reply will be JSON, of any length.
    #[must_use]
    pub fn new(
        procedure: &'a str,
        args: Option<Payload<'a>>,
        context: &'a Context,
        states: &'a Arc<States>,
    ) -> Self {
        Self {
            procedure,
            args,
            fallback: None,
            context,
            states,
            deadline: None,
            format: Format::Json,
            max_reply: usize::MAX,
            feed: None,
        }
    }

    /// What is known of the caller, with the place in a trace that the arguments give
    /// as clients of MCP do, in `_meta.traceparent`, if the message gives none.
    #[must_use]
    pub fn context_and_trace(&self) -> Context {
        let context = self.context.clone();
        match &self.args {
            Some(args) if context.said_trace().is_none() => context.with_trace(Trace::of_args(args)),
            _ => context,
        }
    }

    /// Copies the call, so that it can outlive its frame.
    #[must_use]
    pub fn to_owned(&self) -> OwnedCall {
        OwnedCall {
            procedure: self.procedure.into(),
            args: self.args.as_ref().map(Payload::to_owned),
            fallback: self.fallback.map(Into::into),
            context: self.context.clone(),
            states: self.states.clone(),
            deadline: self.deadline,
            format: self.format,
            max_reply: self.max_reply,
            feed: self.feed.cloned(),
        }
    }
}

/// A [`Call`] that outlives the frame it came in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OwnedCall {
    /// The name it was called by.
    pub procedure: Box<str>,
    /// The arguments, still encoded.
    pub args: Option<OwnedPayload>,
    /// With what the names begin that it serves, if it is a fallback that was called.
    pub fallback: Option<Box<str>>,
    /// What is known of the caller.
    pub context: Context,
    /// The states of the router that the procedure belongs to.
    pub states: Arc<States>,
    /// When the caller will have lost interest.
    pub deadline: Option<Instant>,
    /// How the reply is to be encoded.
    pub format: Format,
    /// How many bytes of reply the caller may be sent.
    pub max_reply: usize,
    /// The stream that the caller sends, to procedures that take one.
    pub feed: Option<Feed>,
}

impl OwnedCall {
    /// The same call, borrowed.
    #[must_use]
    pub fn borrow(&self) -> Call<'_> {
        Call {
            procedure: &self.procedure,
            args: self.args.as_ref().map(OwnedPayload::borrow),
            fallback: self.fallback.as_deref(),
            context: &self.context,
            states: &self.states,
            deadline: self.deadline,
            format: self.format,
            max_reply: self.max_reply,
            feed: self.feed.as_ref(),
        }
    }
}
