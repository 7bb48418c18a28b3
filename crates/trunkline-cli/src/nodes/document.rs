//! [`of`]: what nodes have said, for programs.

use serde_json::{Value, json};
use std::time::Duration;
use trunkline::NodeInfo;

/// What nodes have said, as one object.
pub(super) fn of(network: &str, listened: Duration, nodes: &[NodeInfo]) -> Value {
    let nodes: Vec<Value> = nodes.iter().map(node).collect();
    json!({"network": network, "listened_ms": millis(listened), "nodes": nodes})
}

fn node(node: &NodeInfo) -> Value {
    json!({
        "id": node.id,
        "name": node.name,
        "version": node.version,
        "software": node.software,
        "uptime_ms": millis(node.uptime),
        "silent_ms": millis(node.silent),
        "leaving": node.is_leaving,
        "load": node.load,
        "catalog": node.catalog.as_deref(),
    })
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
