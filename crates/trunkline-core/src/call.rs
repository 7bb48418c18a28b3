//! [`Call`]: one invocation on its way in.

use crate::{
    context::{Context, States},
    feed::Feed,
    payload::{Format, OwnedPayload, Payload},
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
        let (deadline, format, max_reply, feed) = (None, Format::Json, usize::MAX, None);
        Self { procedure, args, context, states, deadline, format, max_reply, feed }
    }

    /// Copies the call, so that it can outlive its frame.
    #[must_use]
    pub fn to_owned(&self) -> OwnedCall {
        OwnedCall {
            procedure: self.procedure.into(),
            args: self.args.as_ref().map(Payload::to_owned),
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
            context: &self.context,
            states: &self.states,
            deadline: self.deadline,
            format: self.format,
            max_reply: self.max_reply,
            feed: self.feed.as_ref(),
        }
    }
}
