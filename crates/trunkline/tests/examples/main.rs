//! The examples, each run to its end, and described: what their servers publish is OpenRPC.

#![allow(dead_code, reason = "each example has a `main` of its own")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

#[path = "../../examples/auth.rs"]
mod auth;
#[path = "../../examples/chat.rs"]
mod chat;
#[path = "../../examples/cluster.rs"]
mod cluster;
#[path = "../../../../tests/openrpc/valid.rs"]
mod openrpc;
#[path = "../../examples/peers.rs"]
mod peers;
#[path = "../../examples/service.rs"]
mod service;
#[path = "../../examples/ticker.rs"]
mod ticker;

use serde_json::{Value, json};
use std::sync::Arc;
use trunkline::{JsonRpc, Router};

/// The document of what is served, which is valid, and the procedures' names in it.
fn described(router: &Router) -> (Value, Vec<String>) {
    let document = JsonRpc::default().openrpc(&router.catalog(), "an example", "1.0.0");
    openrpc::assert_valid(&document);
    let methods = document["methods"].as_array().unwrap().iter();
    let names = methods.map(|method| method["name"].as_str().unwrap().to_owned()).collect();
    (document, names)
}

#[test]
fn each_is_described_in_openrpc() {
    assert_eq!(described(&auth::router()).1, ["guess", "rooms.close", "whoami"]);
    assert_eq!(described(&chat::router()).1, ["join", "leave", "mood", "say"]);
    assert_eq!(described(&peers::router()).1, ["alice.countdown", "alice.shout", "alice.whisper"]);
    let price = ticker::Price { symbol: "TRNK".into(), cents: 1 };
    let (document, names) = described(&ticker::router(Arc::new(ticker::Feed::new(price))));
    assert_eq!(names, ["prices"]);
    assert_eq!(document["methods"][0]["x-stream"]["item"]["required"], json!(["symbol", "cents"]));

    let (document, names) = described(&service::router());
    assert_eq!(names, ["rooms.guests", "rooms.join", "rooms.shut"]);
    let [_, join, shut] = &document["methods"].as_array().unwrap()[..] else { panic!("{document:#}") };
    assert_eq!(join["summary"], "Lets a guest into a room; gives how many are there now.");
    let required: Vec<_> = join["params"].as_array().unwrap().iter().map(|it| &it["required"]).collect();
    assert_eq!(required, [true, false]);
    let full =
        json!({"code": 4001, "message": "the room is full: {guests} guests", "data": {"name": "Full"}});
    assert_eq!(join["errors"][0], full);
    assert_eq!(shut.get("result"), None);
}

#[tokio::test]
async fn peers_shows_what_it_is_to_show() {
    let mut said = vec![];
    peers::run(|line| said.push(line)).await.unwrap();
    assert_eq!(
        said,
        [
            "bob asks alice: HELLO, bob",
            "3 …",
            "2 …",
            "1 …",
            "refused: alice does not whisper to bob",
            "refused: no peer is registered as `carol`",
            "refused: another peer is registered as `alice`",
            "refused: no peer is registered as `alice`",
        ]
    );
}

#[tokio::test]
async fn cluster_shows_what_it_is_to_show() {
    let mut said = vec![];
    cluster::run(|line| said.push(line)).await.unwrap();
    let [told, refused] = &said[..] else { panic!("{said:?}") };
    assert!(told.contains("handler-1") && told.contains("handler-2"), "{told}");
    assert_eq!(refused, "a client asks for a price: Method not found");
}

#[tokio::test]
async fn chat_shows_what_it_is_to_show() {
    let mut said = vec![];
    chat::run(|line| said.push(line)).await.unwrap();
    assert_eq!(
        said,
        [
            "Ada is in the lobby with [\"Ada\"]",
            "Bob is in the lobby with [\"Ada\", \"Bob\"]",
            "Eve is in the attic with [\"Eve\"]",
            "2 in the lobby were told",
            "Ada, asked for her mood: fine",
            "3 hear the server",
            "Ada heard: Bob has come",
            "Ada heard: Bob: hello",
            "Ada heard: Bob has left",
            "Ada heard: good night",
            "Bob heard: Bob: hello",
            "Bob heard: good night",
            "Eve heard: good night",
        ]
    );
}

#[tokio::test]
async fn service_shows_what_it_is_to_show() {
    let told = service::run().await.unwrap();
    let expected = [
        "1 in the lobby",
        "2 in the lobby",
        "the room is full: 2 guests",
        "Ada",
        "somebody",
        "the room is shut",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn ticker_shows_what_it_is_to_show() {
    let told = ticker::run().await.unwrap();
    let [items @ .., open, left] = &*told else { panic!("{told:?}") };
    let of = |way: &str| items.iter().filter(|line| line.starts_with(way)).count();
    assert_eq!((of("tcp://"), of("ws://"), of("http://"), items.len()), (3, 3, 3, 9), "{told:?}");
    assert!(items.iter().all(|line| line.contains(": Price {")), "{told:?}");
    assert_eq!([&**open, left], ["3 streams are open", "0 streams are open"]);
}

#[tokio::test]
async fn auth_shows_what_it_is_to_show() {
    let server = auth::server("127.0.0.1:0").bind().await.unwrap();
    let address = server.addresses()[0];
    tokio::spawn(server.serve());
    let mut said = vec![];
    auth::visit(address, |line| said.push(line)).await.unwrap();
    assert_eq!(
        said,
        [
            "I am nobody",
            "refused: authenticate first",
            "authenticated as Some(\"charles\")",
            "I am charles",
            "refused: you are in none of the groups that may do this",
            "authenticated as Some(\"ada\")",
            "I am ada",
            "ada has closed the lobby",
            "of 5 guesses, 2 were too many",
            "ada has closed the attic",
        ]
    );
}
