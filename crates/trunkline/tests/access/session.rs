//! What is remembered of a connection, and of no other.

use crate::support::{Wire, request};
use serde_json::json;
use trunkline::{JsonRpc, Peer, Router, Service, Session};

struct Room(String);

fn router() -> Router {
    Router::new()
        .procedure("enter", async |session: Session, room: String| session.insert(Room(room)).is_some())
        .procedure("where", async |session: Session| session.get::<Room>().map(|room| room.0.clone()))
        .procedure("who", async |peer: Peer| peer.session().identity().subject().map(str::to_owned))
}

#[tokio::test]
async fn each_connection_has_its_own() {
    let service = Service::new(router(), JsonRpc::default());
    let (mut one, mut other) = (Wire::to(service.clone()), Wire::to(service));
    assert_eq!(one.ask(request(1, "enter", json!(["lobby"]))).await["result"], false);
    assert_eq!(one.ask(request(2, "where", json!([]))).await["result"], "lobby");
    assert_eq!(other.ask(request(1, "where", json!([]))).await["result"], json!(null));
    assert_eq!(one.ask(request(3, "enter", json!(["attic"]))).await["result"], true);
}

#[tokio::test]
async fn a_peer_tells_who_is_at_its_far_end() {
    let service =
        Service::new(router(), JsonRpc::default()).security(crate::world::access(&crate::world::shut()));
    let mut wire = Wire::to(service);
    wire.ask(crate::world::login(1, "ada")).await;
    assert_eq!(wire.ask(request(2, "who", json!([]))).await["result"], "ada");
    wire.ask(crate::world::login(3, "eve")).await;
    assert_eq!(wire.ask(request(4, "who", json!([]))).await["result"], json!(null));
}
