//! [`render`]: what nodes have said, for people.

use crate::print::{columns, plain};
use std::{collections::BTreeMap, time::Duration};
use trunkline::{NodeInfo, catalog::Entry};

const NODES: [&str; 9] = ["NODE", "VERSION", "ID", "UP", "CLIENTS", "RUNNING", "WAITING", "CALLS", "FAULTS"];
const PROCEDURES: [&str; 2] = ["PROCEDURE", "NODES"];

/// The nodes in columns, and below them what they serve.
pub(super) fn render(network: &str, listened: Duration, nodes: &[NodeInfo]) -> String {
    let count = match nodes.len() {
        0 => "no nodes".to_owned(),
        1 => "1 node".to_owned(),
        count => format!("{count} nodes"),
    };
    let listened = humantime::format_duration(listened);
    let title = format!("{count} in the network `{}`, heard of in {listened}", plain(network));
    let mut parts = vec![title];
    if !nodes.is_empty() {
        let rows =
            nodes.iter().map(|node| (row(node), if node.is_leaving { "leaving" } else { "" }.to_owned()));
        parts.push(columns(NODES, &rows.collect::<Vec<_>>()));
    }
    let procedures = procedures(nodes);
    if !procedures.is_empty() {
        parts.push(columns(PROCEDURES, &procedures));
    }
    let untold: Vec<_> = nodes.iter().filter(|node| node.catalog.is_none()).collect();
    if !untold.is_empty() {
        let ids: Vec<_> =
            untold.iter().map(|node| format!("{} {}", plain(&node.name), short(&node.id))).collect();
        parts.push(format!("What these serve was not told in time: {}", ids.join(", ")));
    }
    parts.join("\n\n")
}

fn row(node: &NodeInfo) -> [String; 9] {
    let load = &node.load;
    let uptime = humantime::format_duration(Duration::from_secs(node.uptime.as_secs())).to_string();
    // two units say enough
    let uptime: Vec<&str> = uptime.split(' ').take(2).collect();
    [
        plain(&node.name).into_owned(),
        plain(&node.version).into_owned(),
        short(&node.id),
        uptime.join(" "),
        load.clients.to_string(),
        format!("{}/{}", load.running, load.max_running),
        load.waiting.to_string(),
        load.calls.to_string(),
        load.faults.to_string(),
    ]
}

/// As much of an id as tells nodes apart for people.
fn short(id: &str) -> String {
    plain(&id[..id.floor_char_boundary(8)]).into_owned()
}

/// In what ways a procedure is described, and by how many nodes of each name and version.
type Descriptions<'a> = Vec<(&'a Entry, BTreeMap<String, usize>)>;

/// The procedures, a line for each description of one.
fn procedures(nodes: &[NodeInfo]) -> Vec<([String; 2], String)> {
    let mut known: BTreeMap<&str, Descriptions<'_>> = BTreeMap::new();
    for node in nodes {
        let who = plain(&format!("{} {}", node.name, node.version)).into_owned();
        for entry in node.catalog.iter().flat_map(|catalog| &catalog.procedures) {
            let descriptions = known.entry(&entry.name).or_default();
            let at = descriptions.iter().position(|(known, _)| *known == entry).unwrap_or_else(|| {
                descriptions.push((entry, BTreeMap::new()));
                descriptions.len() - 1
            });
            *descriptions[at].1.entry(who.clone()).or_default() += 1;
        }
    }
    let line = |name: &str, entry: &Entry, who: &BTreeMap<String, usize>| {
        let who = who.iter().map(|(who, count)| match count {
            1 => who.clone(),
            count => format!("{who} ×{count}"),
        });
        ([plain(name).into_owned(), who.collect::<Vec<_>>().join(", ")], about(entry))
    };
    let lines = known
        .iter()
        .flat_map(|(name, descriptions)| descriptions.iter().map(|(entry, who)| line(name, entry, who)));
    lines.collect()
}

/// What there is to say of a procedure.
fn about(entry: &Entry) -> String {
    let details = &entry.details;
    let marks = [
        (details.internal, "internal"),
        (details.idempotent, "idempotent"),
        (details.deprecated.is_some(), "deprecated"),
    ];
    let marks: Vec<_> = marks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| mark).collect();
    let summary =
        details.description.as_deref().unwrap_or_default().trim().lines().next().unwrap_or_default();
    let summary = plain(summary);
    match marks.is_empty() {
        true => summary.into_owned(),
        false => format!("({}) {summary}", marks.join(", ")),
    }
}
