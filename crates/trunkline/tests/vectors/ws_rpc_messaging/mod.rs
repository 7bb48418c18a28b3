//! `ws-rpc-messaging.json`: messages that either end of ws-rpc-messaging sends,
//! and what was captured between the two.

mod sessions;
mod to_client;

use crate::{
    carrier::connect,
    load::{bytes, load, text},
    session::compare_rest,
    tally::Tally,
    wire::Wire,
};
use serde_json::{Number, Value};
use trunkline::{JsonRpc, Router, Service};
use trunkline_net::ws::WebSocket;

fn vectors(to: &str, count: usize) -> Vec<Value> {
    let mut vectors = load("ws-rpc-messaging.json", "vectors", 52);
    vectors.retain(|vector| vector["to"] == to);
    assert_eq!(vectors.len(), count, "to {to}");
    vectors
}

/// A message as a WebSocket carries it: text, or bytes.
fn message(message: &Value) -> Vec<u8> {
    match message.get("hex") {
        Some(_) => Wire::WebSocket.wrap_binary(&bytes(message)),
        None => Wire::WebSocket.wrap(&bytes(message)),
    }
}

async fn sum(numbers: Vec<Number>) -> i64 {
    numbers.iter().filter_map(Number::as_i64).sum()
}

/// A server with default settings and nothing but `sum`.
#[tokio::test(start_paused = true)]
async fn messages_to_a_server() {
    let service = Service::new(Router::new().procedure("sum", sum), JsonRpc::default());
    let mut tally = Tally::default();
    for vector in vectors("server", 28) {
        let mut contact = connect(&service, WebSocket::server(), Wire::WebSocket);
        let reply = vector.get("trunkline").unwrap_or_else(|| panic!("nothing is expected by {vector}"));
        let outcome = match contact.raw(&message(&vector["message"])).await {
            Ok(()) if reply.is_null() => compare_rest(&mut contact, &[]).await,
            Ok(()) => compare_rest(&mut contact, std::slice::from_ref(reply)).await,
            error => error,
        };
        tally.record(text(&vector, "name"), outcome);
    }
    tally.assert(28);
}
