//! `trunkline nodes`, with real brokers.

use crate::{program::run, stranger};
use serde_json::{Value, json};
use trunkline::{Bound, Router, Server, broker, handler};
use trunkline_services::{Nats, RabbitMq};

fn users() -> Router {
    let add = handler(async |(a, b): (i64, i64)| a + b).description("Adds.\n\nTwo numbers.").idempotent();
    let tidy = handler(async || ()).internal();
    Router::new().procedure("users.add", add).procedure("users.tidy", tidy)
}

/// Another version of it.
fn users_of_before() -> Router {
    Router::new().procedure("users.add", handler(async |(a,): (i64,)| a).description("Adds one."))
}

async fn joined(url: &str, network: &str, version: &str, router: Router) -> Bound {
    let server = Server::new(router).name("users").version(version).network(network);
    let bound = server.broker(broker::from_url(url).expect("a URL")).bind().await.expect("nothing to bind");
    bound.joined().await;
    bound
}

/// What is printed while these are in a network of this broker.
fn printed(url: &str, args: &[&str]) -> String {
    let network = format!("test-nodes-{}-{}", std::process::id(), args.len());
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let nodes = runtime.block_on(async {
        let old = joined(url, &network, "1.0.0", users_of_before()).await;
        [old, joined(url, &network, "2.0.0", users()).await, joined(url, &network, "2.0.0", users()).await]
    });
    let done = run(&[&["nodes", url, "--network", &network, "--listen", "3s"], args].concat()).succeeded();
    drop(nodes);
    done
}

fn brokers() -> [String; 2] {
    [RabbitMq::shared().expect("RabbitMQ").uri(), Nats::shared().expect("NATS").uri()]
}

#[test]
fn nodes_and_what_they_serve_are_listed_for_people() {
    for url in brokers() {
        let table = printed(&url, &[]);
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[0].starts_with("3 nodes in the network `test-nodes-"), "{table}");
        assert!(lines[0].ends_with("`, heard of in 3s"), "{table}");
        assert!(lines[2].starts_with("NODE   VERSION  ID        UP "), "{table}");
        let nodes: Vec<_> =
            lines[3..6].iter().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
        let mut versions: Vec<_> = nodes.iter().map(|node| (node[0], node[1])).collect();
        versions.sort_unstable();
        assert_eq!(versions, [("users", "1.0.0"), ("users", "2.0.0"), ("users", "2.0.0")], "{table}");
        assert_eq!(lines[7], "PROCEDURE   NODES", "{table}");
        let mut procedures = lines[8..].to_vec();
        procedures.sort_unstable();
        assert_eq!(
            procedures,
            [
                "users.add   users 1.0.0     Adds one.",
                "users.add   users 2.0.0 ×2  (idempotent) Adds.",
                "users.tidy  users 2.0.0 ×2  (internal)",
            ],
            "both versions are shown"
        );
    }
}

#[test]
fn nodes_and_what_they_serve_are_one_object_for_programs() {
    for url in brokers() {
        let text = printed(&url, &["--json"]);
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["listened_ms"], 3000);
        let nodes = document["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), 3, "{text}");
        let new = nodes.iter().find(|node| node["version"] == "2.0.0").unwrap();
        assert_eq!(
            (&new["name"], &new["leaving"], &new["load"]["calls"]),
            (&json!("users"), &json!(false), &json!(0))
        );
        let add = &new["catalog"]["procedures"][0];
        assert_eq!((&add["name"], &add["idempotent"]), (&json!("users.add"), &json!(true)));
        assert_eq!(add["args"]["prefixItems"].as_array().unwrap().len(), 2);
        assert_eq!(new["catalog"]["procedures"][1]["internal"], true);
    }
}

#[test]
fn where_nobody_is_nobody_is_listed() {
    let listed = run(&["nodes", "memory:", "--listen", "1ms"]).succeeded();
    assert_eq!(listed, "no nodes in the network `trunkline`, heard of in 1ms\n");
}

#[test]
fn a_broker_out_of_reach_is_said_to_be() {
    let nobody = stranger::nobody();
    for scheme in ["amqp", "nats"] {
        let url = format!("{scheme}://me:hunter2@{nobody}");
        let told = run(&["nodes", &url, "--timeout", "300ms"]).failed(3);
        assert!(
            told.contains(&format!("the broker {scheme}://{nobody} cannot be reached within 300ms")),
            "{told}"
        );
        assert!(!told.contains("hunter2"), "{told}");
    }
    run(&["nodes", "kafka://127.0.0.1"]).failed(2);
}
