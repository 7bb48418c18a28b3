#![allow(unused_imports)]

use trunkline::Peer;

#[trunkline::service]
trait Rooms {
    async fn join(&self, room: String, #[extract] peer: Peer) -> bool;
}

fn main() {}

//~ 7:40 extractors come first, arguments last: move this one to before `room`
