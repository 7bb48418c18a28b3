//! What docs/peers.md says is on the wire, said.

use crate::{support::Wire, world::Wires};
use std::collections::HashMap;

const PAGE: &str = include_str!("../../../../docs/peers.md");

#[tokio::test]
async fn what_the_page_says_is_on_the_wire_is() {
    let wires = Wires::new();
    let mut ends: HashMap<&str, Wire> = ["alice", "bob"].map(|name| (name, wires.wire())).into();
    let mut said = 0;
    for line in PAGE.lines() {
        let Some((head, message)) = line.split_once('{') else { continue };
        let Some((name, arrow)) = head.trim().split_once(' ') else { continue };
        let Some(wire) = ends.get_mut(name) else { continue };
        let message = format!("{{{message}");
        said += 1;
        match arrow.trim() {
            "-->" => wire.line(&message).await,
            "<--" => assert_eq!(wire.next_text().await, message),
            other => panic!("neither to nor from {name}: {other}"),
        }
    }
    assert_eq!(said, 26, "the page has other messages than it had");
    for (_, mut wire) in ends {
        wire.is_well().await;
    }
}
