//! `rpc-websockets.json`: what the client of rpc-websockets sends, answered by
//! an endpoint that follows its conventions.

use crate::{
    carrier::connect,
    contact::Contact,
    load::{list, load, text},
    session::{Difference, assert_known, compare_rest, compare_with_original, differs, read, sent},
    tally::Tally,
    wire::Wire,
};
use serde_json::{Number, Value, json};
use std::time::Duration;
use trunkline::{Fault, JsonRpc, RawArgs, Router, Service, rpc_websockets::RpcWebsockets};
use trunkline_net::ws::WebSocket;

/// Where the server of rpc-websockets does something else with a message.
const MESSAGES: &[Difference] = &[
    differs("id zero", &[r#"{"id":0,"result":1}"#], "a request, whatever JavaScript thinks of 0"),
    differs("id null", &[r#"{"id":null,"result":1}"#], "a request; only one without id is a notification"),
    differs("id empty string", &[r#"{"id":"","result":1}"#], "a request, whatever JavaScript thinks of it"),
    differs("id true", &[INVALID], "an id is a string, a number or null"),
    differs(
        "no method",
        &[r#"{"id":1,"error":{"code":-32600}}"#],
        "it is no request, so not about its params",
    ),
    differs("params a number", &[r#"{"id":1,"error":{"code":-32600}}"#], "params are an array or an object"),
    differs("method constructor", &[r#"{"id":1,"error":{"code":-32601}}"#], "a name that nobody registered"),
    differs(
        "rpc.on with an object",
        &[r#"{"id":1,"error":{"code":-32602}}"#],
        "it ends the original's process",
    ),
    differs(
        "rpc.off of constructor",
        &[r#"{"id":1,"result":{"constructor":"provided event invalid"}}"#],
        "it ends the original's process",
    ),
];

/// Where its server does something else in a session.
const SESSIONS: &[Difference] = &[
    differs("call, no params", &[r#"{"id":1,"result":null}"#], "a reply without result is malformed"),
    differs(
        "call, handler throws an Error",
        &[r#"{"id":1,"error":{"code":-32000,"message":"bang"}}"#],
        "the text of a plain error is its message",
    ),
    differs(
        "call, handler throws a string",
        &[r#"{"id":1,"error":{"code":-32000,"message":"text"}}"#],
        "an error is an object",
    ),
    differs("notify, method unknown", &[], "a notification is never answered"),
    differs(
        "list methods",
        &[r#"{"id":1,"result":["echo","nothing","slow","sum","throws","throws_object","throws_string",
            "secret","__listMethods"]}"#],
        "what the conventions themselves take is not listed",
    ),
    differs("reply timeout", &[r#"{"id":1,"result":null}"#], "a reply without result is malformed"),
];

const INVALID: &str = r#"{"id":null,"error":{"code":-32600,"message":"Invalid Request"}}"#;

async fn sum(numbers: Vec<Number>) -> f64 {
    numbers.iter().filter_map(Number::as_f64).sum()
}

/// The service that was captured.
fn service(rpcws: &RpcWebsockets) -> Service {
    let failing = async |RawArgs(_): RawArgs| Err::<(), _>(Fault::from("bang"));
    let open = Router::new()
        .procedure("sum", sum)
        .procedure("echo", async |RawArgs(args): RawArgs| args)
        .procedure("nothing", async || ())
        .procedure("throws", failing)
        .procedure("throws_object", async || Err::<(), _>(Fault::from("seven").with_code(7).with_data(1)))
        .procedure("throws_string", async || Err::<(), _>(Fault::from("text")))
        .procedure("slow", async |RawArgs(_): RawArgs| tokio::time::sleep(Duration::from_secs(1)).await);
    let protected = Router::new().procedure("secret", async || "42");
    Service::new(rpcws.router(open, protected), JsonRpc::rpc_websockets())
}

fn conventions() -> RpcWebsockets {
    RpcWebsockets::new()
        .event("feed")
        .protected_event("vault")
        .login(async |params: Value| params["user"] == "ada" && params["password"] == "lovelace")
}

fn contact(rpcws: &RpcWebsockets) -> Contact {
    connect(&service(rpcws), WebSocket::server(), Wire::WebSocket)
}

/// Emits what the session `name` is about.
fn emit(rpcws: &RpcWebsockets, name: &str) -> Result<(), String> {
    let reached = match name {
        "event, no argument" => rpcws.emit("feed", ()),
        "event, one scalar" => rpcws.emit("feed", "x"),
        "event, one object" => rpcws.emit("feed", json!({"a": 1})),
        "event, one array" => rpcws.emit("feed", [1, 2]),
        "event, two arguments" => rpcws.emit("feed", (1, "two")),
        "event, one null" => rpcws.emit("feed", [()]),
        "event of a namespace object" => rpcws.emit("feed", [json!({"a": 1})]),
        _ => return Ok(()),
    };
    if reached == 1 { Ok(()) } else { Err(format!("reached {reached} subscribers")) }
}

async fn play(session: &Value) -> Result<(), String> {
    let name = text(session, "name");
    let rpcws = conventions();
    let mut contact = contact(&rpcws);
    for message in sent(session, "c>s") {
        let data = text(message, "data").as_bytes();
        let bytes = match message["binary"] == true {
            true => Wire::WebSocket.wrap_binary(data),
            false => Wire::WebSocket.wrap(data),
        };
        contact.raw(&bytes).await?;
        contact.settle().await;
    }
    emit(&rpcws, name)?;
    let original: Vec<Value> = sent(session, "s>c").map(|message| read(text(message, "data"))).collect();
    compare_with_original(&mut contact, name, &original, SESSIONS).await
}

#[tokio::test(start_paused = true)]
async fn sessions() {
    let sessions = load("rpc-websockets.json", "sessions", 28);
    assert_known(SESSIONS, &sessions);
    let mut tally = Tally::default();
    for session in &sessions {
        tally.record(text(session, "name"), play(session).await);
    }
    tally.assert(28);
}

#[tokio::test(start_paused = true)]
async fn messages() {
    let vectors = load("rpc-websockets.json", "vectors", 20);
    assert_known(MESSAGES, &vectors);
    let mut tally = Tally::default();
    for vector in &vectors {
        let name = text(vector, "name");
        let replies = list(vector, "rpc_websockets").iter();
        let original: Vec<Value> =
            replies.map(|reply| without_data(read(reply.as_str().unwrap_or_default()))).collect();
        let mut contact = contact(&conventions());
        let outcome = match contact.raw(&Wire::WebSocket.wrap(text(vector, "text").as_bytes())).await {
            Ok(()) => compare_with_original(&mut contact, name, &original, MESSAGES).await,
            error => error,
        };
        tally.record(name, outcome);
    }
    tally.assert(20);
}

/// Of what the original explains an error with, nothing is promised.
fn without_data(mut reply: Value) -> Value {
    if let Some(replies) = reply.as_array_mut() {
        return replies.drain(..).map(without_data).collect();
    }
    if let Some(error) = reply.get_mut("error").and_then(Value::as_object_mut) {
        error.remove("data");
    }
    reply
}

/// Events reach those who have subscribed, until they leave.
#[tokio::test(start_paused = true)]
async fn events_reach_subscribers_only() {
    let rpcws = conventions();
    let service = service(&rpcws);
    let connect = || connect(&service, WebSocket::server(), Wire::WebSocket);
    let (mut subscriber, mut other) = (connect(), connect());
    let say = |message: &str| Wire::WebSocket.wrap(message.as_bytes());
    subscriber.raw(&say(r#"{"jsonrpc":"2.0","id":1,"method":"rpc.on","params":["feed"]}"#)).await.unwrap();
    subscriber.settle().await;
    assert_eq!(rpcws.emit("feed", "x"), 1);
    subscriber.raw(&say(r#"{"jsonrpc":"2.0","id":2,"method":"rpc.off","params":["feed"]}"#)).await.unwrap();
    subscriber.settle().await;
    assert_eq!(rpcws.emit("feed", "y"), 0);
    let ok = |id: u8| json!({"id": id, "result": {"feed": "ok"}});
    let event = json!({"notification": "feed", "params": ["x"]});
    compare_rest(&mut subscriber, &[ok(1), event, ok(2)]).await.unwrap();
    compare_rest(&mut other, &[]).await.unwrap();
}
