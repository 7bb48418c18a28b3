#![allow(unused_imports)]

use trunkline::Peer;

#[trunkline::service]
trait Rooms {
    async fn join(&self, peer: Peer, room: String) -> bool;
}

fn main() {}
