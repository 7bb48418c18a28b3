//! [`Broker`]: carries messages between the nodes of a network.
//!
//! It knows no dialect: what it carries is opaque. What it must know is which node
//! serves what, so that a request reaches exactly one that can answer it, and the rest
//! (who may call, how a body is spelled, which answer belongs to which call) is the
//! [node](crate::node)'s business. So a broker is small: a node [attaches](Broker::attach)
//! to it, says things on its [`Line`], and hears [`Arrival`]s.

#[cfg(feature = "amqp")]
mod amqp;
mod arrival;
mod memory;
#[cfg(feature = "nats")]
mod nats;
mod url;
mod waiting;

pub use self::{
    arrival::{Arrival, Delivery, Inbox, Ticket},
    memory::Memory,
    url::{UrlError, from_url, url_to_show},
};

#[cfg(feature = "amqp")]
pub use self::amqp::{Amqp, InvalidUri};
#[cfg(feature = "nats")]
pub use self::nats::{Nats, NatsError};

use bytes::Bytes;
use std::{fmt, pin::Pin, sync::Arc, time::Duration};
use trunkline_core::{Fault, FaultKind, Key};

/// How long a broker has to have been there for the pauses between attempts to reach it to
/// be short again: one that takes each connection and cuts it is tried more and more seldom.
#[cfg(any(feature = "amqp", feature = "nats"))]
const STABLE: Duration = Duration::from_secs(10);

/// Something that takes its time.
pub type Soon<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Carries messages between the nodes of a network: RabbitMQ, NATS, or the
/// [memory](Memory) of one process.
pub trait Broker: Send + Sync + 'static {
    /// Makes a node a member of its network, and gives the line on which it speaks.
    ///
    /// Returns at once, whether or not the broker can be reached: the line is lost until
    /// the inbox hears [`Arrival::Restored`], for the first time as after each loss. The
    /// line finds its way back by itself, for as long as it takes, and all that was
    /// [served](Line::serve) and [subscribed](Line::subscribe) to is so again before it
    /// says that it is restored.
    ///
    /// The inbox may hear things before this returns. A line that is dropped leaves at
    /// once: what it has not [settled](Line::settle) goes to other nodes.
    fn attach(&self, member: Member, inbox: Arc<dyn Inbox>) -> Arc<dyn Line>;

    /// Whether programs that are no trunkline may be nodes of its networks: then calls are
    /// spelled in a way that they understand too. All nodes of a network are to hear the same
    /// of it. Default: there are none.
    fn has_others(&self) -> bool {
        false
    }
}

impl<B: Broker + ?Sized> Broker for Arc<B> {
    fn attach(&self, member: Member, inbox: Arc<dyn Inbox>) -> Arc<dyn Line> {
        (**self).attach(member, inbox)
    }

    fn has_others(&self) -> bool {
        (**self).has_others()
    }
}

/// A node, as its broker knows it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by nodes, read by brokers")]
pub struct Member {
    /// Which network of those that share the broker: nodes of one hear nothing of
    /// another.
    pub network: Box<str>,
    /// What people call it; several nodes may have the same name.
    pub name: Box<str>,
    /// What tells it from all others: 32 hexadecimal digits, drawn anew at each start.
    pub id: Box<str>,
    /// How many requests it may hold that it has not [settled](Line::settle); at least 1.
    pub prefetch: usize,
}

/// One node's side of a broker.
///
/// None of the methods waits, or calls the inbox while it holds a lock that another
/// of them takes: nodes call them from anywhere, also from within their inbox. What is
/// said on a line reaches the broker in the order in which it was said.
pub trait Line: Send + Sync {
    /// Takes part in serving a procedure, from now on. Spelled as a text, its key has 255
    /// bytes at most, of any kind.
    ///
    /// All nodes that serve one compete for its requests: each request goes to exactly
    /// one of them, to one that holds fewer than its [`prefetch`](Member::prefetch), and
    /// of these, where the broker can tell, to the one that holds the fewest. While all
    /// hold as many as they may, requests wait in the broker, until they expire. A broker
    /// that cannot hold anything back delivers more than that: it is up to the node to
    /// refuse what is beyond.
    fn serve(&self, key: &Key<'_>);

    /// Hears, from now on, what is published under `topic`: a text of 1 to 255 bytes. What
    /// a node says of one topic is heard in that order; of two, in any.
    fn subscribe(&self, topic: &str);

    /// Hears no more, from now on, of what is published under `topic`; what is on its way
    /// may come still. A line that does not know how hears on.
    fn unsubscribe(&self, _topic: &str) {}

    /// Sends a request to one of the nodes that serve `key`, with the address of this
    /// node to answer to.
    ///
    /// If no node serves it, [`Arrival::Unroutable`] says so, at once. A broker may not
    /// deliver it once it has expired. One that it delivers again, because the node that
    /// held it went without settling it, is [marked](Delivery::redelivered); where a
    /// broker forgets requests of nodes that go, it says nothing.
    ///
    /// # Errors
    ///
    /// Fails if it has not been sent and will not be.
    fn request(&self, key: &Key<'_>, request: Request<'_>) -> Result<(), Unsent>;

    /// Answers the request `id`, at the address it [came with](Delivery::reply_to). The id
    /// is for those who look at messages from outside: the body says it too. If nobody has
    /// that address any more, the answer is lost.
    ///
    /// # Errors
    ///
    /// Fails if it has not been sent and will not be; but never with
    /// [`Unsent::Full`]: there is room for an answer to each request that is not settled.
    fn answer(&self, reply_to: &str, id: &str, body: Bytes) -> Result<(), Unsent>;

    /// Tells all nodes that have [subscribed](Self::subscribe) to `topic`, this one too;
    /// each at most once, and those whose line is lost not at all.
    ///
    /// # Errors
    ///
    /// Fails if it has not been sent and will not be.
    fn publish(&self, topic: &str, body: Bytes) -> Result<(), Unsent>;

    /// Is done with a request: the broker forgets it, and may deliver another. What was
    /// said on the line before, such as its answer, reaches the broker before this does.
    /// Of a request that was delivered before the line was last lost, nothing comes of it.
    fn settle(&self, ticket: Ticket);

    /// Takes no more requests, but for `kept` if there is one; ready once none of the others
    /// will be delivered any more. All else goes on. To be said again when `kept` is to be
    /// served no more, either.
    fn stop_serving(&self, kept: Option<&Key<'_>>) -> Soon<'_>;

    /// Leaves the network; ready once all that was said has reached the broker, or the
    /// line is lost. After that the inbox hears nothing more, and is dropped.
    fn leave(&self) -> Soon<'_>;
}

/// A call on its way to a node that serves it.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "made by nodes, read by brokers")]
pub struct Request<'a> {
    /// What tells it from all others: visible ASCII, 1 to 255 bytes.
    pub id: &'a str,
    /// Says what it is called by those who look at what is around the message, for brokers that
    /// have a place for it: 255 bytes at most. Others may be called the same.
    pub correlation: &'a dyn Fn() -> String,
    /// After which nobody waits for its answer any more.
    pub expires: Duration,
    /// What is asked.
    pub body: Bytes,
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("id", &self.id)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// Why a message has not been sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "nodes act on each of them")]
pub enum Unsent {
    /// The broker is out of reach: the inbox hears [`Arrival::Lost`], if it has not yet.
    #[error("the broker of this network cannot be reached")]
    Lost,
    /// As much as may waits to be sent, or to be taken by those who serve it.
    #[error("too much waits in the broker of this network")]
    Full,
    /// The broker carries no messages of this size.
    #[error("the broker of this network carries messages of {0} bytes at most")]
    TooLarge(usize),
}

impl From<Unsent> for Fault {
    fn from(unsent: Unsent) -> Self {
        let kind = match unsent {
            Unsent::TooLarge(_) => FaultKind::RequestTooLarge,
            Unsent::Lost | Unsent::Full => FaultKind::Unavailable,
        };
        Self::new(kind, unsent.to_string())
    }
}
