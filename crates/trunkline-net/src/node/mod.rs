//! [`Node`]: joins a service to a network of others, by way of a [broker](crate::broker).
//!
//! On the near side it is the router's fallback: a procedure that this process does not
//! have is asked for elsewhere. On the far side what is delivered is answered as an HTTP
//! body is, by the same router behind the same guards. Between the two the broker carries
//! opaque messages, spelled by an [envelope](trunkline_core::envelope).
//!
//! What holds whatever the broker:
//!
//! 1. Every call ends, in an answer or a fault, and leaves nothing behind: calls that are
//!    given up, run out of time, or lose the broker are forgotten on both sides.
//! 2. A call runs on one node, and at most once: a request that comes a second time is
//!    run only if its procedure is [idempotent](trunkline_core::Registration::idempotent),
//!    and else answered with a fault that says so. Calls that no node has begun with are
//!    sent again, and so are those that are lost, if the procedure is known to be
//!    idempotent; within a bound for each, and one for all of them.
//! 3. Ids are made up here, 128 random bits each. What claims to answer and has none that
//!    is awaited is dropped, and [counted](Node::strays).
//! 4. A request that came over the broker is not sent on over the broker; what its handler
//!    calls is.
//! 5. What is internal answers calls only of programs in the network.

mod ask;
mod asker;
mod budget;
mod cancel;
mod cluster;
mod desk;
mod forgone;
mod forward;
mod pending;
mod presence;
mod repeatable;
mod run;
mod serving;
mod workers;

pub use self::{
    cluster::{Cluster, Published},
    presence::{Load, NodeInfo},
};

use self::{
    desk::Desk,
    forward::Forward,
    pending::Outcome,
    presence::{Own, Presence},
    serving::Serving,
};
use crate::{
    broker::{Arrival, Broker, Inbox, Member, Unsent},
    hooks::Hooks,
    service::Service,
};
use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, timeout_at};
use tokio_util::task::AbortOnDropHandle;
use trunkline_core::{Envelope, Key, RandomId, Registration, Router};

/// What a name may have, in bytes, as its key is spelled: with what stands before it in a
/// topic, the most that brokers carry.
const LONGEST_KEY: usize = 255 - cancel::TOPIC.len();

/// How long a broker may take to take note that a node leaves. RabbitMQ that takes no
/// messages for now, as it is short of memory, hears nothing else either.
const PARTING: Duration = Duration::from_secs(5);

/// Joins a service to a network of others.
///
/// Made before its service, whose router has it as its [fallback](Self::fallback); the
/// node [joins](Self::join) the network once the service is there. Dropping it leaves at
/// once: what it had taken and not answered is the broker's to hand to others.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use std::sync::Arc;
/// use trunkline_core::Router;
/// use trunkline_dialects::{jsonrpc::JsonRpc, therms::Network};
/// use trunkline_net::{Service, broker::Memory, node::Node};
///
/// let node = Node::new(Arc::new(Memory::new()), Arc::new(Network), "example", "gateway");
/// let router = Router::new().fallback(node.fallback());
/// node.join(&Service::new(router, JsonRpc::default()));
/// node.drain().await;
/// # }
/// ```
pub struct Node {
    broker: Arc<dyn Broker>,
    network: Box<str>,
    name: Box<str>,
    desk: Arc<Desk>,
    cluster: Cluster,
    version: Box<str>,
    /// How often it says that it is there, if it does.
    announced: Option<Duration>,
    /// Once it has joined.
    joined: OnceLock<Joined>,
}

/// What there is of a node that has joined.
struct Joined {
    serving: Arc<Serving>,
    /// Whether it has finished what it had taken, and serves its clients only.
    is_drained: AtomicBool,
    presence: Arc<Presence>,
    /// On which it speaks of itself.
    task: AbortOnDropHandle<()>,
}

impl Node {
    /// A node called `name` of a network, on the broker that all of it has.
    #[must_use]
    pub fn new(broker: Arc<dyn Broker>, envelope: Arc<dyn Envelope>, network: &str, name: &str) -> Self {
        Self {
            broker,
            network: network.into(),
            name: name.into(),
            desk: Arc::new(Desk::new(envelope)),
            cluster: Cluster::default(),
            version: "0.0.0".into(),
            announced: Some(presence::EVERY),
            joined: OnceLock::new(),
        }
    }

    /// Has `cluster` reach other nodes by way of this one, and they its clients, if the
    /// service that [joins](Self::join) serves what it [provides](trunkline_core::Provide).
    ///
    /// # Panics
    ///
    /// Panics if the cluster belongs to a node already.
    #[must_use]
    #[track_caller]
    pub fn with_cluster(mut self, cluster: Cluster) -> Self {
        cluster.belong_to(&self);
        self.cluster = cluster;
        self
    }

    /// The version of its program, for [those who look](NodeInfo). Default `0.0.0`.
    #[must_use]
    pub fn with_version(mut self, version: &str) -> Self {
        self.version = version.into();
        self
    }

    /// How often it says to the others that it is there; who is silent for three times as
    /// long is forgotten. Default 5 seconds, and more than that where there are more than
    /// 250 nodes, so that nobody has to hear more than 50 in a second. What others can make
    /// sense of is 0.1 to 300 seconds.
    #[must_use]
    pub fn announced_every(mut self, every: Duration) -> Self {
        self.announced = Some(every);
        self
    }

    /// Says nothing of itself to the others, and knows of [them](Cluster::nodes) all the
    /// same: for programs that only look or call.
    #[must_use]
    pub fn unannounced(mut self) -> Self {
        self.announced = None;
        self
    }

    /// The procedure that asks other nodes for what this one does not have, for
    /// [`Router::fallback`](trunkline_core::Router::fallback).
    ///
    /// A name is a [key](Key) to them. If no node serves it, the answer is at once that of
    /// a procedure that does not exist. While the broker is lost, calls wait for it, for
    /// nine tenths of the time that they have.
    #[must_use]
    pub fn fallback(&self) -> Registration {
        Registration::of(Forward(self.desk.clone())).asking_elsewhere()
    }

    /// Joins the network, and serves to it all that `service` does, with its guards, its
    /// security and its limits: up to `max_in_flight` calls at a time. What is internal is
    /// served to the programs of the network alone; names that begin with `rpc.` belong to
    /// connections, and are not served.
    ///
    /// # Panics
    ///
    /// Panics if the node has joined before; outside of a tokio runtime; and if a procedure
    /// has a name that is not the [shortest](Key::name) of its key, such as `users.get@1`
    /// for `users.get`: starting up is the time to hear of it.
    #[track_caller]
    pub fn join(&self, service: &Service) {
        // before anything of it is known
        assert!(self.joined.get().is_none(), "a node joins a network once");
        let faults = Arc::new(AtomicU64::new(0));
        let counted = faults.clone();
        let hooks = service.hooks.contained();
        let counting = hooks.clone().on_fault(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        let outside = service.clone().hooks(counting);
        let within = outside.for_this_program();
        let names = within.router.names();
        names.iter().for_each(|name| check(name));
        let serving = Arc::new(Serving::new(outside, within.clone(), self.desk.clone()));
        let member = Member {
            network: self.network.clone(),
            name: self.name.clone(),
            id: RandomId::new().as_str().into(),
            prefetch: service.limits.max_in_flight,
        };
        let presence = self.presence(&member.id, &within.router, &serving, faults);
        let cluster = self.cluster.clone();
        let ears = Ears { serving: serving.clone(), presence: presence.clone(), cluster, hooks };
        let line = self.broker.attach(member, Arc::new(ears));
        self.desk.set(line.clone(), service.limits.clone());
        self.cluster.joined(&*line);
        presence.listen(&*line);
        for name in &names {
            let key = Key::of(name);
            // first: who runs calls of it is to hear which of them are given up
            line.subscribe(&cancel::topic(&key));
            line.serve(&key);
        }
        // last: who hears of it is to be able to call it
        let task = AbortOnDropHandle::new(tokio::spawn(presence.clone().run()));
        let joined = Joined { serving, is_drained: AtomicBool::new(false), presence, task };
        assert!(self.joined.set(joined).is_ok(), "a node joins a network once");
    }

    /// What this node knows of the others, and they of it.
    fn presence(
        &self,
        id: &str,
        router: &Router,
        serving: &Arc<Serving>,
        faults: Arc<AtomicU64>,
    ) -> Arc<Presence> {
        let own = self.announced.map(|_| {
            let (mut catalog, own) = (router.catalog(), self.cluster.procedure());
            catalog.procedures.retain(|entry| *entry.name != *own);
            let (cluster, serving) = (self.cluster.clone(), serving.clone());
            Own::new(&self.name, &self.version, catalog, move || serving.load(cluster.peers(), &faults))
        });
        let every = self.announced.unwrap_or(presence::EVERY);
        Arc::new(Presence::new(self.cluster.roster(), self.desk.clone(), id.into(), own, every))
    }

    /// Keeps to the limits of another service from now on, with its own calls of others; for
    /// programs that change what they serve while they run. What it serves to others, and
    /// how much of it at a time, is what it has [joined](Self::join) with.
    pub fn call_within(&self, service: &Service) {
        self.desk.set_limits(service.limits.clone());
    }

    /// Waits until the broker is there, and all that this node serves is served by it: for
    /// as long as that takes. Ready at once if the node has left.
    pub async fn joined(&self) {
        // that it has left is no matter here
        let _ = self.desk.reached(None).await;
    }

    /// Takes no more calls of others, and finishes those it has taken. Its own calls of
    /// others go on, and others reach its clients: [`leave`](Self::leave) is to follow when
    /// nobody makes any more, and there are no clients left.
    pub async fn drain(&self) {
        if let (Some(line), Some(Joined { serving, is_drained, presence, .. })) =
            (self.desk.line(), self.joined.get())
        {
            presence.drain();
            line.stop_serving(Some(&Key::of(&self.cluster.procedure()))).await;
            serving.finish().await;
            is_drained.store(true, Ordering::Relaxed);
        }
    }

    /// Leaves the network. Calls of others that still run are broken off; they, and our
    /// own that are not answered, end in faults. A broker that does not take note of it is
    /// left after 5 seconds.
    pub async fn leave(&self) {
        let until = Instant::now() + PARTING;
        if let (Some(line), Some(Joined { serving, is_drained, presence, .. })) =
            (self.desk.line(), self.joined.get())
        {
            presence.leave();
            if is_drained.load(Ordering::Relaxed) {
                // whoever has just sent something to a client that is gone is told so
                let last = async {
                    line.stop_serving(None).await;
                    serving.finish().await;
                };
                // the next step says that there was no time for it
                let _ = timeout_at(until, last).await;
            }
        }
        self.desk.part();
        if let Some(line) = self.desk.line()
            && timeout_at(until, line.leave()).await.is_err()
        {
            let waited = PARTING.as_secs();
            tracing::warn!(
                waited,
                "the broker does not take note that this node leaves: it goes all the same"
            );
        }
        self.cut_off();
    }

    fn cut_off(&self) {
        // first, so that what is broken off is not settled, but goes to others
        self.desk.leave();
        if let Some(Joined { serving, presence, task, .. }) = self.joined.get() {
            task.abort();
            presence.end();
            serving.break_off();
        }
    }

    /// How many messages claimed to be answers and were none that was awaited: those that
    /// came too late, and those that somebody made up.
    #[must_use]
    pub fn strays(&self) -> u64 {
        self.desk.pending.strays()
    }

    /// How many of our calls wait for their answers.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.desk.pending.len()
    }
}

/// Makes sure that a name is found by its key.
#[track_caller]
fn check(name: &str) {
    let key = Key::of(name);
    let shortest = key.name();
    let known = shortest.as_deref().unwrap_or("something without `::`");
    assert!(
        shortest.as_deref() == Some(name),
        "procedure `{name}`: in a network it is to be called `{known}`"
    );
    assert!(is_short(&key), "procedure `{name}`: in a network, names have {LONGEST_KEY} bytes at most");
}

/// Whether brokers carry requests for it.
fn is_short(key: &Key<'_>) -> bool {
    key.scope.len() + key.procedure.len() + key.version.len() + 4 <= LONGEST_KEY
}

/// What a node hears from its broker.
struct Ears {
    serving: Arc<Serving>,
    presence: Arc<Presence>,
    cluster: Cluster,
    hooks: Hooks,
}

impl Inbox for Ears {
    fn arrived(&self, arrival: Arrival<'_>) {
        let Self { serving, presence, cluster, hooks } = self;
        match arrival {
            Arrival::Request(delivery) => serving.take(&delivery),
            Arrival::Answer(body) => serving.desk.answered(&body),
            Arrival::Unroutable { id } => serving.desk.pending.settle(id, Outcome::Unroutable),
            Arrival::Event { topic, body } if topic.starts_with(cancel::TOPIC) => serving.cancel(&body),
            Arrival::Event { topic, body } if topic.starts_with(presence::TOPIC) => presence.hear(&body),
            Arrival::Event { topic, body } => cluster.hear(topic, &body),
            Arrival::Lost => {
                serving.desk.lose();
                presence.lost();
                hooks.error(&Unsent::Lost);
            }
            Arrival::Restored => {
                serving.desk.restored();
                presence.restored();
            }
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.cut_off();
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("network", &self.network)
            .field("name", &self.name)
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
