//! [`Network`]: how the nodes of a cluster spell requests and responses, where processes of
//! @therms may be among them.
//!
//! What @therms/rpc-server puts into its messages on RabbitMQ, so that its processes and
//! ours can serve each other: `{"request": {…, "trace": {…}}}`, and
//! `{"request": {…}, "response": {…}}` for the answer. Requests and responses are read and
//! written by what reads and writes those of clients; the client's `correlationId` and
//! `identity` go along as it has spelled them.
//!
//! # What is said besides
//!
//! The original hands the object `trace` on as it is, and so this is where the rest goes:
//!
//! | member of `request.trace` | |
//! |---|---|
//! | `key` | what tells the call from all others, 32 digits that were made up for it |
//! | `timeout` | for how many milliseconds the caller waits |
//! | `exact` | true if the caller speaks no therms: its arguments are [not coerced](super::Coercion) |
//! | `traceparent`, `tracestate` | the W3C's trace context |
//! | `parentId` | the trace id of the call that this one is made for |
//! | `depth` | how many calls of this program there are around it |
//! | `connectionId` | the id of the caller's connection, if a node holds it |
//! | `repeated` | `true`: it was asked before, with the same `key`, and may have run |
//! | `identity` | who the gateway has found the caller to be: `subject`, `groups`, `claims` |
//! | `anonymous` | `true`: it has found out that the caller is nobody |
//!
//! And in `response.trace`, to a node that says a `key`: `started`, `false` if the node
//! has not begun with the call, and another one may; `idempotent`, `true` if the procedure
//! may run twice.
//!
//! Where a gateway has said neither `identity` nor `anonymous` in `trace`, the client's own word is
//! looked at, `request.identity.authorization`, which @therms/rpc-server hands on. Nodes hand
//! on there too, in these cases, the bearer tokens of clients who speak other languages.
//!
//! The trace's own `id` is the client's correlation id, where that is a string of 1 to 255
//! bytes, or else the first 24 digits of the key. It is the correlation id around the message, too.
//!
//! Whoever may publish to the broker is believed, as the original does: a gateway must
//! make `trace` itself, and never take it from its clients.
//!
//! # Which call is answered
//!
//! A response repeats its request, and so says `request.trace.key`. One without, from
//! those who drop what they do not know, counts by its `trace.id` if that was made up. The
//! correlation id of a client is never looked at.
//!
//! # Faults
//!
//! A fault is a `code`, a `message` and perhaps `data`, as clients are told them. A node
//! that says a `key` is told all of it: the message and data as they are, in
//! `response.trace.kind` the kind, in `code` the code if it is the fault's own, and in
//! `unknown` and `why` which procedure was not found, and why. Of a code that comes
//! without a kind, 401, 403, 422, 429, 501 and 503 tell the kind, and all others are a plain
//! failure; the code is kept either way.
//!
//! # What is left out
//!
//! The original repeats the whole request in the response, with its arguments as they were
//! coerced. Its processes are told the request as it came; a node that says a `key` the
//! trace's `id` and `key`, as that is all that it looks at.

mod answer;
mod delivery;
mod exactly;
mod request;

pub(crate) use self::exactly::{why, why_named};

use super::request::{SHORT, Trace};
use std::ops::Range;
use trunkline_core::{
    Limits,
    envelope::{Answered, Asked, Envelope, Opened, Remark},
};

/// How the nodes of a cluster spell requests and responses: as @therms/rpc-server does.
///
/// ```
/// use trunkline_core::{Envelope, FaultKind};
/// use trunkline_dialects::therms::Network;
///
/// let body = br#"{"request": {"trace": {"id": "7"}}, "response": {"code": 200, "data": [1, 2], "success": true}}"#;
/// let answer = Network.answer(body).unwrap();
/// assert_eq!(answer.id, "7");
/// assert_eq!(answer.outcome.unwrap().borrow().decode::<[u8; 2]>().unwrap(), [1, 2]);
///
/// let body = br#"{"request": {"trace": {"id": "8"}}, "response": {"code": 401, "message": "who are you?", "success": false}}"#;
/// let fault = Network.answer(body).unwrap().outcome.unwrap_err();
/// assert_eq!((fault.kind(), fault.code()), (FaultKind::Unauthenticated, Some(401)));
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has no settings")]
pub struct Network;

impl Envelope for Network {
    fn request(&self, asked: &Asked<'_>, body: &mut Vec<u8>) -> Option<Range<usize>> {
        request::write(asked, body)
    }

    fn correlation(&self, asked: &Asked<'_>) -> String {
        Trace::id_of(asked.context, asked.id.get(..SHORT))
    }

    fn open(&self, body: &[u8], limits: &Limits) -> Option<Opened> {
        delivery::open(std::str::from_utf8(body).ok()?, limits.max_depth)
    }

    fn answer<'b>(&self, body: &'b [u8]) -> Option<Answered<'b>> {
        answer::read(std::str::from_utf8(body).ok()?)
    }

    fn remark(&self, answer: &mut Vec<u8>, remark: Remark) {
        delivery::remark(answer, remark);
    }

    fn name(&self) -> &'static str {
        "therms"
    }
}

#[cfg(test)]
pub(crate) mod tests;
