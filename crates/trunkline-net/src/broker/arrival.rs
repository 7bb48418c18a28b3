//! [`Arrival`]: what a node hears from its broker.

use bytes::Bytes;

/// Where a node hears what arrives.
pub trait Inbox: Send + Sync {
    /// Something has arrived. It does not wait, and may speak on the line. Several
    /// threads may call it at once; but what is lost and what is restored is said in order,
    /// and no request that was sent before the loss is under way when it has been said.
    fn arrived(&self, arrival: Arrival<'_>);
}

/// What a node hears from its broker.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "nodes act on each of them")]
pub enum Arrival<'a> {
    /// A request for something that the node serves. Where the broker can hold others
    /// back, no more arrive than its [`prefetch`](super::Member::prefetch) says, before
    /// some are settled; where it can do so for one procedure only, and too much waits of
    /// several, more do, for the node to refuse.
    Request(Delivery<'a>),
    /// An answer, or what claims to be one: whoever may speak to the broker may have sent it.
    /// To which request, it says itself.
    Answer(Bytes),
    /// Nobody serves what this request of ours asked for.
    Unroutable {
        /// The request.
        id: &'a str,
    },
    /// Something was published that the node has subscribed to.
    Event {
        /// Under which topic.
        topic: &'a str,
        /// What.
        body: Bytes,
    },
    /// The broker is out of reach. What was said on the line and had not reached it is
    /// dropped; of requests under way it is not known what will become. Nothing else
    /// arrives before [`Restored`](Self::Restored).
    Lost,
    /// The broker is there, and knows what is served and subscribed to, but what it does not
    /// let this node serve: that is tried again, and said in the log.
    Restored,
}

/// A request as it is delivered.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by brokers, read by nodes")]
pub struct Delivery<'a> {
    /// Where its answer goes.
    pub reply_to: &'a str,
    /// Whether it may have been delivered before, to a node that went without settling it.
    pub redelivered: bool,
    /// What is asked.
    pub body: Bytes,
    /// By which it is [settled](super::Line::settle).
    pub ticket: Ticket,
}

/// Which request is meant; of use to the line only that gave it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by brokers, for themselves")]
pub struct Ticket {
    /// Which of the times that the line was restored.
    pub restored: u64,
    /// Which of the requests that were delivered since.
    pub number: u64,
}
