//! [`all`]: who is measured, and under which [`LOADS`].

use std::fmt;

/// Which broker carries the calls.
#[derive(Clone, Copy, Debug)]
pub(crate) enum By {
    RabbitMq,
    Nats,
}

/// How a call gets to the broker.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// This program calls and, as another process, handles.
    Straight(&'static str),
    /// WebSocket clients of @therms call a gateway of trunkline.
    Gateway,
    /// Lines over TCP go to this program, which passes them on and does nothing else: what any gateway comes to.
    Relay(&'static str),
    /// The same clients, and peers for Node.js.
    Node,
}

/// One who is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) by: By,
    pub(crate) way: Way,
}

/// How many clients there are, and how many calls each has in flight.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Load {
    pub(crate) clients: usize,
    pub(crate) window: usize,
}

pub(crate) const ONE: Load = Load { clients: 1, window: 1 };
pub(crate) const MANY: Load = Load { clients: 1, window: 64 };
pub(crate) const LOADS: [Load; 3] = [ONE, MANY, Load { clients: 64, window: 1 }];

impl Contender {
    /// The loads under which it is measured: where there is no gateway, nobody can tell clients apart.
    pub(crate) fn loads(&self) -> &'static [Load] {
        match self.way {
            Way::Straight(_) => &LOADS[..2],
            Way::Gateway | Way::Relay(_) | Way::Node => &LOADS,
        }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} x {}", self.clients, self.window))
    }
}

pub(crate) const LAPIN: &str = "rabbitmq/lapin";
pub(crate) const NODE: &str = "rabbitmq/node";
pub(crate) const RABBITMQ: &str = "rabbitmq/trunkline";
pub(crate) const ASYNC_NATS: &str = "nats/async-nats";
pub(crate) const NATS_RELAY: &str = "nats/relay";
pub(crate) const NATS: &str = "nats/trunkline";

const CONTENDERS: [Contender; 8] = [
    Contender { name: LAPIN, by: By::RabbitMq, way: Way::Straight("lapin_pair") },
    Contender { name: RABBITMQ, by: By::RabbitMq, way: Way::Gateway },
    Contender { name: "rabbitmq/trunkline-straight", by: By::RabbitMq, way: Way::Straight(OURS) },
    Contender { name: NODE, by: By::RabbitMq, way: Way::Node },
    Contender { name: ASYNC_NATS, by: By::Nats, way: Way::Straight("async_nats_pair") },
    Contender { name: NATS_RELAY, by: By::Nats, way: Way::Relay("async_nats_pair") },
    Contender { name: NATS, by: By::Nats, way: Way::Gateway },
    Contender { name: "nats/trunkline-straight", by: By::Nats, way: Way::Straight(OURS) },
];

/// The program of trunkline's nodes.
pub(crate) const OURS: &str = "trunkline_node";

/// Everyone whom this build can measure, rivals side by side.
pub(crate) fn all() -> impl Iterator<Item = Contender> {
    CONTENDERS
        .into_iter()
        .filter(|contender| cfg!(feature = "trunkline") || !contender.name.contains("trunkline"))
}
