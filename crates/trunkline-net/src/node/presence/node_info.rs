//! [`NodeInfo`]: what a node has said of itself.

use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use trunkline_core::Catalog;

/// What a node has said of itself, as [`Cluster::nodes`](crate::Cluster::nodes) gives it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NodeInfo {
    /// What tells it from all others: drawn anew at each start.
    pub id: Box<str>,
    /// What people call it; several nodes may have the same name.
    pub name: Box<str>,
    /// The version of its program, as that says.
    pub version: Box<str>,
    /// What it runs on, with the version of that.
    pub software: Box<str>,
    /// For how long it has been running.
    pub uptime: Duration,
    /// How long ago it was heard of.
    pub silent: Duration,
    /// Whether it takes no more calls, and finishes those it has.
    pub is_leaving: bool,
    /// What it does, when it was heard of.
    pub load: Load,
    /// What it serves, also [internal](trunkline_core::Registration::internal) procedures;
    /// `None` if that was not told yet. Nodes that serve the same have the same catalog.
    pub catalog: Option<Arc<Catalog>>,
}

/// What a node does, and has done since its start.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Load {
    /// Connections of clients.
    pub clients: u64,
    /// Calls of other nodes that it runs.
    pub running: u64,
    /// As many of them it takes at most.
    pub max_running: u64,
    /// Its own calls of other nodes that wait for their answers.
    pub waiting: u64,
    /// Calls of other nodes that have come, those that it had no room for included.
    pub calls: u64,
    /// As many of them ended in a fault.
    pub faults: u64,
    /// Its own calls of other nodes.
    pub asked: u64,
}
