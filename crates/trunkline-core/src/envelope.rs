//! [`Envelope`]: how a call, and its answer, is spelled between the nodes of a network.
//!
//! The counterpart of a [`Dialect`] where there is no connection, but a broker that
//! carries one message at a time from any node to any other. It has no state: what must
//! be known of a call is in its message, or with who waits for it.

use crate::{
    context::Context,
    dialect::Dialect,
    fault::Fault,
    key::Key,
    limits::Limits,
    payload::{CowPayload, Payload},
};
use std::{borrow::Cow, fmt, ops::Range, sync::Arc, time::Duration};

/// How a call, and its answer, is spelled between the nodes of a network.
///
/// Arguments and results are copied through as they are spelled; nothing is decoded but
/// what is around them.
pub trait Envelope: Send + Sync + 'static {
    /// Appends the message that asks something of another node; gives where in `body` its
    /// arguments stand, if it has any, so that it can be said again in other words. It knows
    /// how long such a message is, and makes room for it first.
    fn request(&self, asked: &Asked<'_>, body: &mut Vec<u8>) -> Option<Range<usize>>;

    /// What the call is called around its message, for those who do not read that: 255 bytes
    /// at most.
    fn correlation(&self, asked: &Asked<'_>) -> String;

    /// Reads such a message; `None` if it is none. Then there is nobody to answer.
    fn open(&self, body: &[u8], limits: &Limits) -> Option<Opened>;

    /// Reads the answer to a message of ours; `None` if it is none.
    fn answer<'b>(&self, body: &'b [u8]) -> Option<Answered<'b>>;

    /// Says more of an answer, whole as its [dialect](Opened::dialect) has written it, to
    /// who [understands](Opened::understands) that.
    fn remark(&self, answer: &mut Vec<u8>, remark: Remark);

    /// What the spelling is called, for logs.
    fn name(&self) -> &'static str;
}

/// A call that another node is asked to make.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by nodes, read by envelopes")]
pub struct Asked<'a> {
    /// What tells it from all others: 32 hexadecimal digits, which were made up for this.
    /// It is nothing that a caller has said.
    pub id: &'a str,
    /// The procedure.
    pub key: &'a Key<'a>,
    /// Its arguments.
    pub args: Option<Payload<'a>>,
    /// What is known of its caller, of which as much goes along as there are words for:
    /// also whether it [finds](Context::finds_internal) procedures that are
    /// [internal](crate::Registration::internal), for only then they answer.
    pub context: &'a Context,
    /// Whether it has been found out who the caller is, be it that it is nobody.
    pub identified: bool,
    /// For how long its caller waits.
    pub timeout: Duration,
    /// Whether it has been asked before, under the same id, and may have run.
    pub repeated: bool,
}

/// A call that another node asks for.
#[expect(clippy::exhaustive_structs, reason = "made by envelopes, read by nodes")]
pub struct Opened {
    /// What tells it from others, as far as the one who asks has made sure of it.
    pub id: Arc<str>,
    /// The procedure, by its [name](Key::name).
    pub procedure: Box<str>,
    /// Whether it is a program of the network that calls, and no stranger.
    pub internal: bool,
    /// Whether it was asked before, and may have run.
    pub repeated: bool,
    /// Whether who asks reads [remarks](Envelope::remark).
    pub understands: bool,
    /// By what the caller is to be known, where the gateway has not said who it is.
    pub authorization: Option<Box<str>>,
    /// What is known of the caller.
    pub context: Context,
    /// Hears the same message as one call, and writes the answer to it.
    pub dialect: Box<dyn Dialect>,
}

/// What another node has answered.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by envelopes, read by nodes")]
pub struct Answered<'b> {
    /// The id of the call; or, from those who do not say all of it, its first 24 digits.
    pub id: Cow<'b, str>,
    /// What came of it, in [`Format::CodedJson`](crate::Format::CodedJson).
    pub outcome: Result<CowPayload<'b>, Fault>,
    /// What is said of it besides.
    pub remark: Option<Remark>,
}

/// What a node says of an answer besides.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "envelopes have a word for each of them")]
pub enum Remark {
    /// The node has not begun with the call, and another one may.
    NotStarted,
    /// The procedure is [idempotent](crate::Registration::idempotent).
    Idempotent,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("id", &self.id)
            .field("procedure", &self.procedure)
            .field("internal", &self.internal)
            .field("repeated", &self.repeated)
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}
