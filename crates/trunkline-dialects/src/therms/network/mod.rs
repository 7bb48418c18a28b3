//! [`Network`]: how the nodes of a cluster spell requests and responses, on any broker.
//!
//! What @therms/rpc-server puts into its messages on RabbitMQ, so that its processes and
//! ours can serve each other: `{"request": {…, "trace": {…}}}`, and
//! `{"request": {…}, "response": {…}}` for the answer, which names its request by
//! `request.trace.id`.
//!
//! # What is said besides
//!
//! The original hands the object `trace` on as it is, and so this is where the rest goes:
//!
//! | member of `request.trace` | |
//! |---|---|
//! | `timeout` | for how many milliseconds the caller waits; only trunkline says this |
//! | `traceparent`, `tracestate` | the W3C's trace context |
//! | `parentId` | the id of the call that this one is made for |
//! | `depth` | how many calls of this program there are around it |
//! | `identity` | who the gateway has found the caller to be: `subject`, `groups`, `claims` |
//!
//! Whoever may publish to the broker is believed, as the original does: a gateway must
//! make `trace` itself, and never take it from its clients.
//!
//! # Faults
//!
//! A fault is a `code`, a `message` and perhaps `data`. The code is the fault's own, or
//! that [of its kind](super::code). To a node that says a `timeout` the exact kind is told too,
//! in `response.trace.kind`, and in `response.trace.code` the code if it is the fault's
//! own. Of a code that comes without a kind, 401, 403, 422, 429, 501 and 503 tell the
//! kind, and all others are a plain failure; the code is kept either way.
//!
//! # What is left out
//!
//! The original repeats the whole request in the response. Its processes are answered so;
//! a node that says a `timeout` is told the id of its request, as that is all that it looks at.

mod answer;
mod delivery;
mod exactly;
mod request;

use trunkline_core::{
    Limits,
    envelope::{Answered, Asked, Envelope, Opened},
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
/// assert_eq!(answer.outcome.unwrap().decode::<[u8; 2]>().unwrap(), [1, 2]);
///
/// let body = br#"{"request": {"trace": {"id": "8"}}, "response": {"code": 401, "message": "who are you?", "success": false}}"#;
/// let fault = Network.answer(body).unwrap().outcome.unwrap_err();
/// assert_eq!((fault.kind(), fault.code()), (FaultKind::Unauthenticated, Some(401)));
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has no settings")]
pub struct Network;

impl Envelope for Network {
    fn request(&self, asked: &Asked<'_>, body: &mut Vec<u8>) {
        request::write(asked, body);
    }

    fn open(&self, body: &[u8], limits: &Limits) -> Option<Opened> {
        delivery::open(std::str::from_utf8(body).ok()?, limits.max_depth)
    }

    fn answer<'b>(&self, body: &'b [u8]) -> Option<Answered<'b>> {
        answer::read(std::str::from_utf8(body).ok()?)
    }

    fn name(&self) -> &'static str {
        "therms"
    }
}

#[cfg(test)]
mod tests;
