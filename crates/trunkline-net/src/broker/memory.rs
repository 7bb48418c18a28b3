//! [`Memory`]: the broker of nodes that live in one process.

mod network;
mod post;

use self::{
    network::Network,
    post::{Post, Posts},
};
use super::{Broker, Inbox, Line, Member, Request, Soon, Ticket, Unsent};
use bytes::Bytes;
use foldhash::fast::RandomState;
use std::{
    collections::HashMap,
    fmt,
    future::ready,
    sync::{Arc, Mutex, PoisonError},
};
use trunkline_core::Key;

/// The broker of nodes that live in one process; clones are the same broker.
///
/// Gives all that [`Broker`] promises, and can be [lost](Self::lose) at will. What waits
/// is bounded: 65,536 requests of each network, and 64 MiB.
///
/// ```
/// use trunkline_net::broker::Memory;
///
/// let broker = Memory::new();
/// let the_same = broker.clone();
/// ```
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Networks>>);

#[derive(Default)]
struct Networks {
    by_name: HashMap<Box<str>, Network, RandomState>,
    lost: bool,
}

impl Memory {
    /// A broker that nobody is attached to.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Loses the broker, as if it had been stopped: all that waits in it is gone, and all
    /// nodes hear that it is lost. For tests of what a program does then.
    pub fn lose(&self) {
        self.with(|networks, posts| {
            if !std::mem::replace(&mut networks.lost, true) {
                networks.by_name.values_mut().for_each(|network| network.lose(posts));
            }
        });
    }

    /// Brings the broker back, with all nodes that are attached.
    pub fn restore(&self) {
        self.with(|networks, posts| {
            if std::mem::replace(&mut networks.lost, false) {
                networks.by_name.values().for_each(|network| network.tell_all(&Post::Restored, posts));
            }
        });
    }

    /// Changes something, and then says what there is to say of it.
    fn with<T>(&self, change: impl FnOnce(&mut Networks, &mut Posts) -> T) -> T {
        let mut posts = Vec::new();
        // no code of others runs under the lock, so that it cannot be poisoned half-way
        let changed = change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), &mut posts);
        for (inbox, post) in posts {
            inbox.arrived(post.arrival());
        }
        changed
    }
}

impl Broker for Memory {
    fn attach(&self, member: Member, inbox: Arc<dyn Inbox>) -> Arc<dyn Line> {
        let (network, address) = (member.network.clone(), member.id.clone());
        self.with(|networks, posts| {
            if !networks.lost {
                posts.push((inbox.clone(), Post::Restored));
            }
            networks.by_name.entry(member.network.clone()).or_default().attach(member, inbox);
        });
        Arc::new(Wire { broker: self.clone(), network, address })
    }
}

/// The line of one node.
struct Wire {
    broker: Memory,
    network: Box<str>,
    address: Box<str>,
}

impl Wire {
    /// Says something, unless the broker is lost, or the node has left.
    fn say(&self, what: impl FnOnce(&mut Network, &mut Posts) -> Result<(), Unsent>) -> Result<(), Unsent> {
        self.broker.with(|Networks { by_name, lost }, posts| match by_name.get_mut(&self.network) {
            Some(network) if !*lost && network.has(&self.address) => what(network, posts),
            _ => Err(Unsent::Lost),
        })
    }

    /// Changes what is known of the node, whether or not the broker is lost.
    fn change(&self, what: impl FnOnce(&mut Network, &mut Posts)) {
        self.broker.with(|networks, posts| {
            if let Some(network) = networks.by_name.get_mut(&self.network) {
                what(network, posts);
                if network.is_empty() {
                    networks.by_name.remove(&self.network);
                }
            }
        });
    }
}

impl Line for Wire {
    fn serve(&self, key: &Key<'_>) {
        self.change(|network, posts| network.serve(&self.address, key.to_string().into(), posts));
    }

    fn subscribe(&self, topic: &str) {
        self.change(|network, _| network.subscribe(&self.address, topic));
    }

    fn unsubscribe(&self, topic: &str) {
        self.change(|network, _| network.unsubscribe(&self.address, topic));
    }

    fn request(&self, key: &Key<'_>, request: Request<'_>) -> Result<(), Unsent> {
        self.say(|network, posts| network.request(&self.address, &key.to_string(), request, posts))
    }

    fn answer(&self, reply_to: &str, _id: &str, body: Bytes) -> Result<(), Unsent> {
        self.say(|network, posts| {
            network.tell(reply_to, Post::Answer(body), posts);
            Ok(())
        })
    }

    fn publish(&self, topic: &str, body: Bytes) -> Result<(), Unsent> {
        self.say(|network, posts| {
            network.publish(topic, &body, posts);
            Ok(())
        })
    }

    fn settle(&self, ticket: Ticket) {
        self.change(|network, posts| network.settle(&self.address, ticket.number, posts));
    }

    fn stop_serving(&self, kept: Option<&Key<'_>>) -> Soon<'_> {
        let kept = kept.map(ToString::to_string);
        self.change(|network, posts| network.stop_serving(&self.address, kept.as_deref(), posts));
        Box::pin(ready(()))
    }

    fn leave(&self) -> Soon<'_> {
        self.change(|network, posts| network.detach(&self.address, posts));
        Box::pin(ready(()))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.change(|network, posts| network.detach(&self.address, posts));
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
