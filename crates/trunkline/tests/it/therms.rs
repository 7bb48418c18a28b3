//! A port where clients of @therms meet those of JSON-RPC.

use crate::http_client::Request;
use serde_json::{Value, json};
use std::net::SocketAddr;
use trunkline::{
    Caller, Client, Fault, Limits, Listener, Peer, Response, Router, Server, Therms, handler,
    server::HttpListener,
    therms::{self, Request as Asked},
};

fn router() -> Router {
    Router::new()
        .procedure("math.add", async |(a, b): (i64, i64)| a + b)
        .procedure("rooms.create", async |name: String| {
            Response::new(name).with_code(201).with_message("made")
        })
        .procedure("tell", async |peer: Peer| peer.notify("news", json!([1])))
        .procedure("inner", handler(async |asked: Asked| json!(asked.trace)).internal())
        .procedure("outer", async |caller: Caller| caller.call::<Value>("inner", ()).await)
        .procedure("panics", async || -> () { panic!("secret") })
}

async fn serve(change: impl FnOnce(HttpListener) -> HttpListener) -> SocketAddr {
    let listener = change(Listener::http("127.0.0.1:0"));
    let limits = Limits::default().max_reply(1000);
    let bound = Server::new(router()).limits(limits).therms(Therms::default()).listen(listener).bind();
    let bound = bound.await.unwrap();
    let address = bound.addresses()[0];
    tokio::spawn(bound.serve());
    address
}

async fn posted(address: SocketAddr, body: &str) -> String {
    Request::post(body.as_bytes()).send(address).await.unwrap().body
}

#[tokio::test]
async fn each_is_answered_in_its_own_language() {
    let address = serve(|listener| listener).await;
    for (body, expected) in [
        (
            r#"{"procedure":"add","scope":"math","args":[1,2],"correlationId":"c"}"#,
            r#"{"code":200,"correlationId":"c","data":3,"success":true}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"math.add","params":[1,2]}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":3}"#,
        ),
        (
            r#"{"procedure":"create","scope":"rooms","args":"lobby"}"#,
            r#"{"code":201,"data":"lobby","message":"made","success":true}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"rooms.create","params":["lobby"]}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":"lobby"}"#,
        ),
        (r#"{"procedure":"panics"}"#, r#"{"code":500,"message":"server handler issue","success":false}"#),
        (
            r#"{"procedure":"inner"}"#,
            r#"{"code":403,"message":"caller is not authorized to access this RPC","success":false}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"inner"}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}"#,
        ),
        (
            r#"{"procedure":"add","scope":"math","args":[1,"x"]}"#,
            r#"{"code":422,"message":"\"args\" validation failed: invalid type: string \"x\", expected i64 at line 1 column 6","success":false}"#,
        ),
    ] {
        assert_eq!(posted(address, body).await, expected, "{body}");
    }
    let client = Client::connect(&format!("ws://{address}/some/path")).await.unwrap();
    assert_eq!(client.call::<i64>("math.add", (1, 2)).await.unwrap(), 3);
    let traced = posted(address, r#"{"procedure":"outer","correlationId":"o"}"#).await;
    let traced: Value = serde_json::from_str(&traced).unwrap();
    assert_eq!(traced["data"]["caller"], "RPCServer.call global::outer::1");
    assert_eq!((&traced["data"]["internal"], &traced["data"]["parentId"]), (&json!(true), &json!("o")));
}

#[tokio::test]
async fn a_reply_over_the_limit_is_a_failure() {
    let address = serve(|listener| listener).await;
    let body = format!(r#"{{"procedure":"create","scope":"rooms","args":"{}"}}"#, "x".repeat(2000));
    assert!(posted(address, &body).await.starts_with(r#"{"code":500,"data":"#));
}

#[tokio::test]
async fn pages_of_origins_that_are_not_listed_may_not_call() {
    let address =
        serve(|listener| listener.settings(|http| http.allow_origins(["https://app.example"]))).await;
    let ask = async |origin: &str| {
        let request = Request::post(br#"{"procedure":"add","scope":"math","args":[1,2]}"#);
        request.header("origin", origin).send(address).await.unwrap()
    };
    let own = ask("https://app.example").await;
    assert_eq!((own.status, own.header("access-control-allow-origin")), (200, Some("https://app.example")));
    let foreign = ask("https://evil.example").await;
    assert_eq!((foreign.status, foreign.header("access-control-allow-origin")), (403, None));
    let preflight = Request::new("OPTIONS", Vec::new()).header("origin", "https://evil.example");
    let preflight = preflight.header("access-control-request-method", "POST").send(address).await.unwrap();
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, None));
}

#[tokio::test]
async fn what_is_compressed_in_another_way_is_refused_in_words() {
    let address = serve(|listener| listener).await;
    let request = Request::post(b"{}").header("content-encoding", "br");
    assert_eq!(request.send(address).await.unwrap().status, 415);
}

/// What a fault is to clients of @therms is told to those who want to say it themselves.
#[test]
fn faults_have_codes() {
    assert_eq!(therms::code(&Fault::from("no").with_code(418)), 418);
    assert_eq!(therms::code(&trunkline_core::router::unknown("x")), 501);
    assert_eq!(therms::code(&Fault::internal("secret")), 500);
}
