//! [`envelope`]: how the nodes of a network spell calls.

use crate::{broker::Broker, native::Native, therms::Network};
use std::sync::Arc;
use trunkline_core::Envelope;

/// How nodes on this broker spell calls to each other, for a [`Node`](crate::node::Node)
/// that is to understand the servers of a network: as [@therms](Network) does where its
/// processes [may be](Broker::has_others), and else in [fewer bytes](Native).
#[must_use]
pub fn envelope(broker: &dyn Broker) -> Arc<dyn Envelope> {
    match broker.has_others() {
        true => Arc::new(Network),
        false => Arc::new(Native),
    }
}
