//! A gateway that serves: every kind of client, and what it lets through.

use super::{
    client::{Http, RPC, THERMS, Ws, post},
    world::{Gateway, SECRET},
};
use crate::program::run;
use serde_json::json;

/// Nobody else is on the broker in memory, so nobody has the procedure: each is told so in
/// its own language.
#[test]
fn both_languages_are_answered_over_http_and_websocket() {
    let gateway = Gateway::start(&[]);
    let not_found = |answer: &serde_json::Value| (answer["error"]["code"].as_i64(), answer["id"].as_i64());
    let response = post(gateway.address, "", RPC);
    assert_eq!((response.status, not_found(&response.json())), (200, (Some(-32601), Some(1))));
    let missing = |answer: &serde_json::Value| (answer["code"].clone(), answer["correlationId"].clone());
    let response = post(gateway.address, "", THERMS);
    assert_eq!((response.status, missing(&response.json())), (200, (json!(501), json!("c"))));
    let mut ws = Ws::connect(gateway.address);
    assert_eq!(not_found(&ws.ask(RPC)), (Some(-32601), Some(1)));
    assert_eq!(missing(&ws.ask(THERMS)), (json!(501), json!("c")));
    let told = run(&["call", &gateway.url("ws"), "no.such"]).failed(1);
    assert!(told.starts_with("error: Method not found\n  code: -32601\n"), "{told}");
}

#[test]
fn what_there_is_is_told_if_that_is_set() {
    let silent = Gateway::start(&[]);
    assert!(run(&["discover", &silent.url("ws")]).failed(1).contains("rpc.discover is unknown to it"));
    let gateway = Gateway::start(&["--set", "discoverable=true", "--set", "name=front"]);
    let told = run(&["discover", &gateway.url("http"), "--format", "openrpc"]).succeeded();
    let document: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&document["info"]["title"], &document["methods"]), (&json!("front"), &json!([])));
}

#[test]
fn health_is_told_under_a_path_of_choice() {
    let gateway = Gateway::start(&["--set", "http.health=/healthz"]);
    let mut http = Http::connect(gateway.address);
    let response = http.get("/healthz");
    assert_eq!((response.status, &*response.body), (200, "ok"));
    assert_eq!(http.get("/health").json()["code"], 400, "a call like any other");
    let gateway = Gateway::start(&["--set", "therms.enabled=false"]);
    let response = Http::connect(gateway.address).get("/health");
    assert_eq!((response.status, &*response.body), (200, r#"{"status":"ok"}"#));
    assert_eq!(post(gateway.address, "", THERMS).json()["error"]["code"], -32600, "only JSON-RPC");
}

#[test]
fn limits_are_those_that_are_set() {
    let gateway = Gateway::start(&["--set", "therms.max_body=200", "--set", "limits.max_batch=1"]);
    assert_eq!(post(gateway.address, "", &format!("{RPC:<201}")).json()["code"], 400);
    let answer = Ws::connect(gateway.address).ask(&format!("[{RPC},{RPC}]"));
    assert_eq!(answer["error"]["data"]["setting"], "max_batch", "{answer}");
}

#[test]
fn pages_that_are_not_listed_may_not_call() {
    let gateway = Gateway::start(&["--set", "http.origins=https://app.example"]);
    let ask = |origin: &str| post(gateway.address, &format!("Origin: {origin}\r\n"), RPC);
    let listed = ask("https://app.example");
    assert_eq!(
        (listed.status, listed.header("access-control-allow-origin")),
        (200, Some("https://app.example"))
    );
    assert_eq!(ask("https://evil.example").status, 403);
    let open = Gateway::start(&[]);
    let anybody = post(open.address, "Origin: https://evil.example\r\n", RPC);
    assert_eq!((anybody.status, anybody.header("access-control-allow-origin")), (200, Some("*")));
}

#[test]
fn names_of_other_hosts_are_answered_to_if_they_are_listed() {
    let gateway = Gateway::start(&["--set", "http.hosts=api.example"]);
    let ask = |host: &str| {
        let mut http = Http::connect(gateway.address);
        http.send(&format!("GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        http.read().status
    };
    assert_eq!((ask("api.example"), ask("evil.example")), (200, 403));
}

#[test]
fn a_taken_port_names_the_next_step() {
    let gateway = Gateway::start(&[]);
    let told = run(&["gateway", "--http", &gateway.address.to_string()]).failed(3);
    assert!(told.starts_with("error: cannot listen on ") && told.contains("[listen]"), "{told}");
}

#[test]
fn nothing_that_is_logged_has_a_secret_in_it() {
    let file = super::world::file(
        "logged.toml",
        "[identity]\nmode = \"verify\"\n[jwt]\nsecret = \"${A_SECRET}\"\n[broker]\nurl = \"memory:\"\n",
    );
    let gateway = Gateway::with(&["--config", &file], &[("A_SECRET", SECRET), ("RUST_LOG", "trace")]);
    let token = format!("Authorization: Bearer {SECRET}\r\n");
    assert_eq!(post(gateway.address, &token, RPC).status, 401);
    let said = gateway.end();
    assert!(said.contains("TRACE") || said.contains("DEBUG"), "it logs: {said}");
    assert!(!said.contains(SECRET), "{said}");
}
