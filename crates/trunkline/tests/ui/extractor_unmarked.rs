#![allow(unused_imports)]

use trunkline::Peer;

#[trunkline::service]
trait Rooms {
    async fn join(&self, peer: Peer, room: String) -> bool;
}

fn main() {}

//~ 7:32 `Peer` cannot travel between a service and its clients
//~ 7:32 a parameter that does not travel, such as a `Peer`, is marked: `#[extract] peer: Peer`
