//! [`Cluster`]: reaches the clients of all nodes, and those who listen on them.
//!
//! Whoever sends to a client names its [connection](ConnectionId), and the id says which
//! node holds it. That node serves an internal procedure of its own for it, so sending is
//! a call as any other: it ends, in time, and with a fault if there is no such client any
//! more. What is for everybody is published, and told in this process without the broker.

mod published;
mod topics;

pub use self::published::Published;

use self::topics::Topics;
use super::{
    Node,
    desk::{Desk, left},
    presence::{NodeInfo, Watched, catalog_of},
};
use crate::{batch::not_encodable, broker::Line, clock::now, decoded::decode_reply, peers::Peers};
use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    fmt,
    sync::{Arc, OnceLock},
};
use trunkline_core::{
    Call, Catalog, ConnectionId, Context, Extract, Fault, FaultKind, Format, Holder, Open, OwnedPayload,
    Payload, Provide, Router, States, handler::handler,
};

/// The topic of what is for the clients of all nodes.
const BROADCAST: &str = "trunkline.broadcast";
/// What the topics of programs begin with, for a broker.
const TOPIC: &str = "topic.";
/// The most bytes of a topic's name.
const LONGEST_TOPIC: usize = 200;

/// Reaches the clients of all nodes of a network, and whoever listens to a topic on them.
/// Cheap to clone: all clones are the same. Without a broker it is a network of one node.
///
/// A handler takes it as it takes a [`Peer`](crate::Peer):
///
/// ```
/// # use trunkline_core::{ConnectionId, Fault, Router};
/// # use trunkline_net::Cluster;
/// async fn whisper(cluster: Cluster, (to, text): (ConnectionId, String)) -> Result<(), Fault> {
///     cluster.send_to(to, "whispered", (text,)).await
/// }
///
/// async fn shout(cluster: Cluster, text: String) -> Result<(), Fault> {
///     cluster.broadcast("shouted", (text,))
/// }
///
/// let router = Router::new().procedure("whisper", whisper).procedure("shout", shout);
/// ```
///
/// Clients cannot send to each other by it: whom handlers reach is up to them.
#[derive(Clone, Default)]
pub struct Cluster(Arc<Inner>);

#[derive(Default)]
struct Inner {
    peers: Peers,
    topics: Topics,
    roster: Watched,
    joined: OnceLock<Joined>,
}

/// What there is where there is a broker.
struct Joined {
    desk: Arc<Desk>,
    /// Asks other nodes, whatever it is asked.
    others: Router,
}

/// A message for one client, on its way to the node that holds its connection.
#[derive(Deserialize, Serialize)]
struct Sent {
    to: ConnectionId,
    name: String,
    message: OwnedPayload,
}

/// What is published, for clients or for programs.
#[derive(Deserialize, Serialize)]
struct Said {
    /// The node that says it: there it is known already.
    from: String,
    /// What clients are notified of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    data: OwnedPayload,
}

impl Cluster {
    /// The connections of this node.
    #[must_use]
    pub fn peers(&self) -> &Peers {
        &self.0.peers
    }

    /// Notifies the client at the far end of a connection, whichever node holds it, in
    /// whatever language it speaks. Ready once the message is on its way out there; no
    /// more is known of it then than of a [notification](crate::Peer::notify).
    ///
    /// The id is that of [`Peer::connection`](crate::Peer::connection), on any node.
    ///
    /// # Errors
    ///
    /// Fails with [`FaultKind::NotFound`] if there is no such connection, or it has
    /// ended; with [`FaultKind::Unavailable`] if more than `max_unsent` bytes wait for the
    /// client to read them, or the broker is lost; and, if another node holds it, as any
    /// call of another node may fail, which has the time of the limit `call_timeout`.
    pub async fn send_to(&self, to: ConnectionId, name: &str, message: impl Serialize) -> Result<(), Fault> {
        let message = OwnedPayload::encode(&message, Format::Json).map_err(not_encodable)?;
        if to.holder() == self.0.peers.holder() {
            return self.tell(to, name, &message);
        }
        let Joined { others, .. } = self.0.joined.get().ok_or_else(gone)?;
        let sent = Sent { to, name: name.to_owned(), message };
        let sent = OwnedPayload::encode(&sent, Format::Json).map_err(not_encodable)?;
        let told = others.call(&procedure(to.holder()), Some(sent.borrow()), &Context::local()).await;
        match told {
            Ok(told) if decode_reply(&told)? => Ok(()),
            Ok(_) => Err(gone()),
            // nor is there such a node
            Err(fault) if fault.kind() == FaultKind::NotFound => Err(gone()),
            Err(fault) => Err(fault),
        }
    }

    /// Notifies a client of this node.
    fn tell(&self, to: ConnectionId, name: &str, message: &OwnedPayload) -> Result<(), Fault> {
        let peer = self.0.peers.get(to).ok_or_else(gone)?;
        let told = peer.notify_encoded(name, message);
        told.map_err(|fault| if fault.kind() == FaultKind::Disconnected { gone() } else { fault })
    }

    /// Notifies all clients of all nodes, each at most once. Those that do not read what
    /// they are sent are left out, and those of nodes that have lost the broker.
    ///
    /// # Errors
    ///
    /// Fails if the message cannot be encoded; and if the broker has not taken it: the
    /// clients of this node have been told then, and no others.
    pub fn broadcast(&self, name: &str, message: impl Serialize) -> Result<(), Fault> {
        let data = OwnedPayload::encode(&message, Format::Json).map_err(not_encodable)?;
        self.0.peers.broadcast_encoded(name, &data, |_| true);
        self.say(BROADCAST, Some(name), data)
    }

    /// Tells those who have [subscribed](Self::subscribe) to `topic`, on all nodes, each at
    /// most once: those of this node at once, and those of nodes that have lost the broker
    /// not at all.
    ///
    /// # Errors
    ///
    /// Fails if the value cannot be encoded, or the topic has no name or one of more than 200
    /// bytes; and if the broker has not taken it: this node's own have been told then, and
    /// no others.
    pub fn publish(&self, topic: &str, value: impl Serialize) -> Result<(), Fault> {
        let topic = spelled(topic)?;
        let data = OwnedPayload::encode(&value, Format::Json).map_err(not_encodable)?;
        self.0.topics.tell(&topic, &data);
        self.say(&topic, None, data)
    }

    /// Listens to what is [published](Self::publish) under `topic`, on any node, from now
    /// on: on other nodes, from when the broker knows of it.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use trunkline_core::Fault;
    /// # use trunkline_net::Cluster;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Fault> {
    /// # let cluster = Cluster::default();
    /// let mut prices = cluster.subscribe::<f64>("prices")?;
    /// cluster.publish("prices", 1.5)?;
    /// assert_eq!(prices.next().await, Some(Ok(1.5)));
    /// assert_eq!(prices.missed(), 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the topic has no name, or one of more than 200 bytes; and with
    /// [`FaultKind::Unavailable`] if this server listens to 10,000 others.
    pub fn subscribe<T: DeserializeOwned>(&self, topic: &str) -> Result<Published<T>, Fault> {
        Published::new(self.clone(), spelled(topic)?)
    }

    /// The nodes of the network that have said that they are there, this one too, by name;
    /// none without a broker.
    ///
    /// They say so every 5 seconds, and of who is silent for 15 it is forgotten. As long as
    /// the broker is lost nobody is: there are those who were there.
    ///
    /// ```
    /// # use trunkline_net::Cluster;
    /// # let cluster = Cluster::default();
    /// for node in cluster.nodes() {
    ///     println!("{} {}: {} calls under way", node.name, node.version, node.load.running);
    /// }
    /// ```
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeInfo> {
        self.0.roster.borrow().nodes(now())
    }

    /// Waits until the [nodes](Self::nodes) are as they are wanted, and gives them.
    ///
    /// ```
    /// # use trunkline_net::Cluster;
    /// # async fn example(cluster: Cluster) {
    /// // until somebody is there who has it
    /// cluster
    ///     .wait_for(|nodes| {
    ///         let catalogs = nodes.iter().filter_map(|node| node.catalog.as_ref());
    ///         catalogs.flat_map(|catalog| &catalog.procedures).any(|entry| &*entry.name == "users.get")
    ///     })
    ///     .await;
    /// # }
    /// ```
    pub async fn wait_for(&self, mut wanted: impl FnMut(&[NodeInfo]) -> bool) -> Vec<NodeInfo> {
        let mut roster = self.0.roster.subscribe();
        loop {
            let nodes = roster.borrow_and_update().nodes(now());
            if wanted(&nodes) {
                return nodes;
            }
            // it lives as long as this cluster does
            let _ = roster.changed().await;
        }
    }

    /// What all [nodes](Self::nodes) serve to outsiders, each procedure once: what is
    /// internal is in the catalogs of the nodes only, and what those serve who take no more
    /// calls has gone. Where nodes say different things of a procedure, as while another
    /// version of a program takes the place of one, that counts of the one started last.
    #[must_use]
    pub fn catalog(&self) -> Catalog {
        catalog_of(self.nodes())
    }

    /// Another number whenever the [catalog](Self::catalog) may have changed.
    #[must_use]
    pub fn catalog_revision(&self) -> u64 {
        self.0.roster.borrow().revision()
    }

    /// Who is known.
    pub(super) fn roster(&self) -> Watched {
        self.0.roster.clone()
    }

    /// Tells other nodes, if there are any.
    fn say(&self, topic: &str, name: Option<&str>, data: OwnedPayload) -> Result<(), Fault> {
        let Some(Joined { desk, .. }) = self.0.joined.get() else { return Ok(()) };
        let said = Said { from: self.0.peers.holder().to_string(), name: name.map(str::to_owned), data };
        let said = OwnedPayload::encode(&said, Format::Json).map_err(not_encodable)?;
        let line = desk.line().ok_or_else(left)?;
        Ok(line.publish(topic, Bytes::copy_from_slice(said.borrow().as_bytes()))?)
    }

    /// Something was published, here or elsewhere, or by who knows whom.
    pub(super) fn hear(&self, topic: &str, body: &[u8]) {
        let said = std::str::from_utf8(body).ok().and_then(|text| Payload::Json(text).decode::<Said>().ok());
        let Some(Said { from, name, data }) = said else { return };
        if from == self.0.peers.holder().to_string() {
            return;
        }
        match name {
            Some(name) if topic == BROADCAST => drop(self.0.peers.broadcast_encoded(&name, &data, |_| true)),
            None => self.0.topics.tell(topic, &data),
            Some(_) => {}
        }
    }

    /// By what name its node serves what others send to its clients.
    pub(super) fn procedure(&self) -> String {
        procedure(self.0.peers.holder())
    }

    /// Will speak by way of this node's desk.
    #[track_caller]
    pub(super) fn belong_to(&self, node: &Node) {
        let others = Router::new().fallback(node.fallback()).seal();
        let joined = self.0.joined.set(Joined { desk: node.desk.clone(), others });
        assert!(joined.is_ok(), "a cluster has one node in this process");
    }

    /// The node has joined its network.
    pub(super) fn joined(&self, line: &dyn Line) {
        line.subscribe(BROADCAST);
        self.0.topics.joined(line);
    }

    fn line(&self) -> Option<Arc<dyn Line>> {
        self.0.joined.get()?.desk.line()
    }
}

/// The procedure by which other nodes reach the clients of this one: to be served where
/// there is a broker, and where no guards are around it.
impl Provide for Cluster {
    #[track_caller]
    fn provide(self, router: Router) -> Router {
        let name = self.procedure();
        let told = move |Open(Sent { to, name, message })| {
            let told = match self.tell(to, &name, &message) {
                Err(fault) if fault.kind() == FaultKind::NotFound => Ok(false),
                told => told.map(|()| true),
            };
            async { told }
        };
        router.procedure(&name, handler(told).internal())
    }
}

/// By what name a node serves what others send to its clients.
fn procedure(holder: Holder) -> String {
    format!("trunkline.clients-{holder}")
}

/// A topic, as brokers know it.
fn spelled(topic: &str) -> Result<String, Fault> {
    match topic.len() {
        1..=LONGEST_TOPIC => Ok(format!("{TOPIC}{topic}")),
        length => Err(Fault::new(
            FaultKind::InvalidArgs,
            format!("a topic has a name of 1 to {LONGEST_TOPIC} bytes, and this one has {length}"),
        )),
    }
}

#[cold]
fn gone() -> Fault {
    Fault::new(FaultKind::NotFound, "there is no such connection, or it has ended")
}

impl Extract for Cluster {
    fn extract(call: &Call<'_>) -> Result<Self, Fault> {
        call.states.get::<Self>().map(|cluster| (*cluster).clone()).ok_or_else(|| Fault::internal(MISSING))
    }

    fn check(states: &States) -> Result<(), String> {
        states.get::<Self>().map(drop).ok_or_else(|| MISSING.to_owned())
    }
}

const MISSING: &str = "it takes a Cluster, which the routers of servers have; give any other one with \
                       Router::state(Cluster::default()), or with that of the server";

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("peers", &self.0.peers).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
