//! [`Native`]: how nodes spell requests and responses where only nodes of trunkline are.
//!
//! It says what [`therms::Network`](crate::therms::Network) says, in fewer bytes that are
//! read in one pass. Arguments and results are JSON, as they came; what is around them is
//! not. Both sides understand all of it.
//!
//! # Requests
//!
//! | bytes | |
//! |---|---|
//! | 1 | `0x81`: a request, of the first version. No text begins so |
//! | 32 | the id of the call, hexadecimal digits that were made up for it |
//! | 1 | flags, see below |
//! | a number | for how many milliseconds the caller waits |
//! | a text | the procedure, by its [name](trunkline_core::Key::name) |
//! | fields | of what there is to be said, see below |
//! | 1 | `0x00`: that was all |
//! | the rest | the arguments, JSON; nothing if there are none |
//!
//! Numbers are written as in LEB128: seven bits a byte, the lowest first, and the highest
//! bit set in all but the last byte. A text is its length, a number, and its bytes, UTF-8.
//!
//! | flag | |
//! |---|---|
//! | `0x01` | it is a program of the network that calls |
//! | `0x02` | the caller speaks no therms: its arguments are not coerced |
//! | `0x04` | it was asked before, under the same id, and may have run |
//! | `0x08` | the client has called by WebSocket, not by HTTP or another way |
//! | `0x10` | the gateway has found out that the caller is nobody |
//!
//! A field is its number, of one byte, its length, and its bytes. What a usual call has not
//! costs nothing.
//!
//! | field | |
//! |---|---|
//! | 1 | the client's correlation id, JSON |
//! | 2 | what the client shows, and nobody has looked at: the `identity` of therms, a JSON object |
//! | 3 | who calls, in the words of therms, if it is not a client by itself |
//! | 4 | the id of the trace that therms has, if it is neither the correlation id nor the first 24 digits of the id |
//! | 5 | the same of the call that this one is made for |
//! | 6 | the address of the client: 4 bytes or 16 |
//! | 7 | the caller's connection, if a node holds it: the 16 bytes of its id |
//! | 8 | the W3C's trace context: trace id, parent id, flags, and then `tracestate` |
//! | 9 | how many calls there are around it, a number; 1 if a program calls and nothing is said |
//! | 10 | who the gateway has found the caller to be: the subject |
//! | 11 | the groups of the caller, each a text |
//! | 12 | the claims of the caller, a JSON object |
//!
//! Fields come in the order of their numbers, each once. A field that is not known is passed
//! over; a flag that is not known makes the message none. So what a later version adds, and
//! an earlier one must not miss, is to be a flag.
//!
//! # Answers
//!
//! | bytes | |
//! |---|---|
//! | 1 | `0x82`: an answer, of the first version |
//! | 32 | the id of the call |
//! | 1 | `0x01`: it is a fault; `0x02`: the node has not begun with the call; `0x04`: the procedure is idempotent |
//! | the rest | the result, in [`Format::CodedJson`](trunkline_core::Format::CodedJson); or the fields of a fault, and `0x00` |
//!
//! | field | |
//! |---|---|
//! | 1 | the kind, a JSON string; one that is not known is a plain failure |
//! | 2 | the code, if it has one: 8 bytes, the lowest first |
//! | 3 | the message |
//! | 4 | the data, JSON |
//! | 5 | the procedure that was not found |
//! | 6 | why it was not: `absent`, `internal`, `version`, `nowhere` |
//!
//! # Whom to believe
//!
//! Whoever may publish to the broker is believed, as in the other spelling. But nothing that
//! comes, be it of any bytes, ends in a panic or in JSON that is none.

mod answer;
mod delivery;
mod fields;
mod request;

use std::ops::Range;
use trunkline_core::{
    Limits,
    envelope::{Answered, Asked, Envelope, Opened, Remark},
};

/// How nodes spell requests and responses where only nodes of trunkline are.
///
/// ```
/// use trunkline_core::Envelope;
/// use trunkline_dialects::native::Native;
///
/// let body = b"\x820123456789abcdef0123456789abcdef\0[1,2]";
/// let answer = Native.answer(body).unwrap();
/// assert_eq!(answer.id, "0123456789abcdef0123456789abcdef");
/// assert_eq!(answer.outcome.unwrap().borrow().decode::<[u8; 2]>().unwrap(), [1, 2]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has no settings")]
pub struct Native;

/// What the spelling is called.
const NAME: &str = "trunkline";

/// Digits of an id.
const ID: usize = 32;

impl Envelope for Native {
    fn request(&self, asked: &Asked<'_>, body: &mut Vec<u8>) -> Option<Range<usize>> {
        request::write(asked, body)
    }

    fn correlation(&self, asked: &Asked<'_>) -> String {
        asked.id.to_owned()
    }

    fn open(&self, body: &[u8], limits: &Limits) -> Option<Opened> {
        request::open(body, limits.max_depth)
    }

    fn answer<'b>(&self, body: &'b [u8]) -> Option<Answered<'b>> {
        answer::read(body)
    }

    fn remark(&self, answer: &mut Vec<u8>, remark: Remark) {
        answer::remark(answer, remark);
    }

    fn name(&self) -> &'static str {
        NAME
    }
}

#[cfg(test)]
mod tests;
