#![allow(unused_imports)]

use trunkline::Peer;

#[trunkline::service]
trait Rooms {
    async fn join(&self, room: String, #[extract] peer: Peer) -> bool;
}

fn main() {}
