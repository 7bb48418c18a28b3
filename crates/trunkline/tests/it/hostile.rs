//! What hostile peers say, and what comes of it: an error for them, nothing for others.

use crate::support::{Wire, code, request, service};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use trunkline::{Limits, Listener, Peer, RawArgs, Router, Server};

fn counting() -> (Router, Arc<AtomicUsize>) {
    let runs: Arc<AtomicUsize> = Arc::default();
    let counter = runs.clone();
    let router = Router::new().procedure("run", move |RawArgs(_): RawArgs| {
        counter.fetch_add(1, Ordering::SeqCst);
        async {}
    });
    (router, runs)
}

/// T01: a batch of a million calls is refused before any of them runs.
#[tokio::test]
async fn a_huge_batch_is_refused_before_anything_runs() {
    let (router, runs) = counting();
    let mut wire = Wire::to(router);
    let call = r#"{"jsonrpc":"2.0","method":"run","id":1}"#;
    let batch = format!("[{}]", vec![call; (9 << 20) / (call.len() + 1)].join(","));
    let answer = wire.ask(batch).await;
    assert_eq!((code(&answer), &answer["id"]), (-32010, &json!(null)));
    assert_eq!(answer["error"]["data"]["limit"], 1024);
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    wire.is_well().await;
}

/// T04: frames that are no message, of every kind.
#[tokio::test]
async fn frames_that_are_no_message_get_an_error_each() {
    let (router, _) = counting();
    let mut wire = Wire::to(router);
    for (frame, expected) in [
        ("null", -32600),
        ("5", -32600),
        ("\"text\"", -32600),
        ("[]", -32600),
        ("{}", -32600),
        ("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"run\"}", -32600),
        ("nonsense", -32700),
        ("\u{feff}{}", -32700),
        ("{\"jsonrpc\":\"2.0\"", -32700),
    ] {
        let answer = wire.ask(frame).await;
        assert_eq!((code(&answer), &answer["id"]), (expected, &json!(null)), "{frame}");
    }
    assert_eq!(code(&wire.ask("[null,[],5]").await[0]), -32600);
    wire.send(b"\xff\xfe\x00\n").await;
    assert_eq!(code(&wire.next().await), -32700);
    wire.send("\n\r\n \t\n").await;
    wire.is_well().await;
}

/// T06: ids that are used twice, answers to nothing, answers that come twice.
#[tokio::test]
async fn ids_cannot_be_confused() {
    let router = Router::new()
        .procedure("tag", async |(tag,): (String,)| {
            tokio::task::yield_now().await;
            tag
        })
        .procedure("ask", async |peer: Peer| peer.call::<u8>("number", ()).await)
        .procedure("unmatched", async |peer: Peer| peer.unmatched_replies());
    let mut wire = Wire::to(router);
    wire.line(request(1, "tag", json!(["a"]))).await;
    let first = wire.ask(request(1, "tag", json!(["b"]))).await;
    let second = wire.next().await;
    let mut tags = [first["result"].clone(), second["result"].clone()];
    tags.sort_by_key(ToString::to_string);
    assert_eq!(tags, ["a", "b"]);

    let call = wire.ask(request(2, "ask", json!([]))).await;
    assert_eq!(call["method"], "number");
    let id = &call["id"];
    // neither the text of a number nor another number answers it
    wire.line(json!({"jsonrpc": "2.0", "id": id.to_string(), "result": 1}).to_string()).await;
    wire.line(json!({"jsonrpc": "2.0", "id": 999, "result": 2}).to_string()).await;
    wire.is_well().await;
    let answer = wire.ask(json!({"jsonrpc": "2.0", "id": id, "result": 3}).to_string()).await;
    assert_eq!(answer, json!({"jsonrpc": "2.0", "id": 2, "result": 3}));
    wire.line(json!({"jsonrpc": "2.0", "id": id, "result": 4}).to_string()).await;
    wire.line(json!({"jsonrpc": "2.0", "id": null, "error": {"code": 1, "message": "what?"}}).to_string())
        .await;
    assert_eq!(wire.ask(request(3, "unmatched", json!([]))).await["result"], 3);
}

/// T05: a thousand callers use the same ids, and each is told its own.
#[tokio::test]
async fn ids_mean_something_to_their_connection_only() {
    let router = Router::new().procedure("tag", async |(tag, turns): (usize, usize)| {
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        tag
    });
    let mut wires: Vec<Wire> = (0..1000).map(|_| Wire::to(router.clone())).collect();
    for (caller, wire) in wires.iter_mut().enumerate() {
        for id in 0..4 {
            wire.line(request(id, "tag", json!([caller, (caller + id) % 7]))).await;
        }
    }
    for (caller, wire) in wires.iter_mut().enumerate() {
        let mut ids = Vec::new();
        for _ in 0..4 {
            let answer = wire.next().await;
            assert_eq!(answer["result"], caller);
            ids.push(answer["id"].as_u64().unwrap());
        }
        ids.sort_unstable();
        assert_eq!(ids, [0, 1, 2, 3]);
    }
}

/// T13: nesting costs nothing but an error.
#[tokio::test]
async fn deep_nesting_is_a_parse_error() {
    let (router, runs) = counting();
    let mut wire = Wire::to(router);
    for deep in ["[".repeat(100_000), format!("{{\"a\":{}", "[".repeat(1 << 20)), "{\"a\":".repeat(100_000)] {
        assert_eq!(code(&wire.ask(deep).await), -32700);
    }
    let tiny = "{}".repeat(23_500);
    wire.line(tiny).await;
    for _ in 0..23_500 {
        assert_eq!(code(&wire.next().await), -32600);
    }
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    wire.is_well().await;
}

/// T17: names that mean something elsewhere are only names here.
#[tokio::test]
async fn names_are_only_names() {
    let (router, runs) = counting();
    let mut wire = Wire::to(router);
    let long = "x".repeat(1 << 20);
    for name in
        ["__proto__", "constructor", "error", "Run", " run", "run ", "run\0", "rпn", "rpc.on", "$/run", &long]
    {
        let answer = wire.ask(request(1, name, json!([]))).await;
        assert_eq!(code(&answer), -32601, "{name:.20}");
        wire.line(json!({"jsonrpc": "2.0", "method": name}).to_string()).await;
    }
    wire.is_well().await;
    assert_eq!(runs.load(Ordering::SeqCst), 0);
}

/// T15: a million keys are one argument, read once and forgotten.
#[tokio::test]
async fn a_million_keys_are_one_argument() {
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    struct Known {
        known: u8,
    }
    let router = Router::new().procedure("known", async |arg: Known| arg.known);
    let mut wire = Wire::to(router);
    let keys: String = (0..500_000).map(|key| format!("\"{key:x}\":0,")).collect();
    let answer = wire
        .ask(format!(r#"{{"jsonrpc":"2.0","id":1,"method":"known","params":{{{keys}"known":7}}}}"#))
        .await;
    assert_eq!(answer["result"], 7);
    // and beside the members of a message
    let answer = wire
        .ask(format!(r#"{{"jsonrpc":"2.0","id":2,{keys}"method":"known","params":{{"known":8}}}}"#))
        .await;
    assert_eq!(answer["result"], 8);
}

/// T16: names that mean something in other languages are data here, and what is
/// there twice is refused where it would have to be guessed which one is meant.
#[tokio::test]
async fn keys_are_data() {
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    struct Point {
        x: u8,
    }
    let router = Router::new()
        .procedure("echo", async |RawArgs(args): RawArgs| args)
        .procedure("point", async |point: Point| point.x);
    let mut wire = Wire::to(router);
    let odd = r#"{"__proto__":{"x":1},"constructor":{"prototype":{"x":2}},"toString":3}"#;
    wire.line(format!(r#"{{"jsonrpc":"2.0","id":1,"method":"echo","params":{odd}}}"#)).await;
    let line = wire.next_text().await;
    assert!(line.contains(odd), "{line}");
    let poisoned = wire.ask(request(2, "point", json!({"__proto__": {"x": 1}}))).await;
    assert_eq!(code(&poisoned), -32602, "nothing is inherited from it");
    let twice = wire.ask(r#"{"jsonrpc":"2.0","id":3,"method":"point","params":{"x":1,"x":2}}"#).await;
    assert_eq!(code(&twice), -32602, "{twice}");
    assert!(twice["error"].to_string().contains("duplicate field `x`"), "{twice}");
    wire.is_well().await;
}

/// T37: numbers come back as they came, or are refused; never changed.
#[tokio::test]
async fn numbers_are_exact_or_refused() {
    let router = Router::new()
        .procedure("echo", async |RawArgs(args): RawArgs| args)
        .procedure("u64", async |(n,): (u64,)| n)
        .procedure("i128", async |(n,): (i128,)| n)
        .procedure("f64", async |(n,): (f64,)| n);
    let mut wire = Wire::to(router);
    for number in [
        "9007199254740993",
        "18446744073709551615",
        "1.0",
        "-0",
        "1e400",
        "0.1000000000000000055511151231257827",
    ] {
        wire.line(format!(r#"{{"jsonrpc":"2.0","id":{number},"method":"echo","params":[{number}]}}"#)).await;
        assert_eq!(
            wire.next_text().await,
            format!(r#"{{"jsonrpc":"2.0","id":{number},"result":[{number}]}}"#)
        );
    }
    assert_eq!(wire.ask(request(1, "u64", json!([u64::MAX]))).await["result"], u64::MAX);
    let line =
        r#"{"jsonrpc":"2.0","id":1,"method":"i128","params":[170141183460469231731687303715884105727]}"#;
    assert!(wire.ask(line).await["result"].is_number());
    for (method, number) in [("u64", "18446744073709551616"), ("u64", "-1"), ("u64", "1.5"), ("f64", "1e400")]
    {
        let answer =
            wire.ask(format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":[{number}]}}"#)).await;
        assert_eq!(code(&answer), -32602, "{method} {number}");
    }
}

/// T38, T39: banners between messages, and messages in pieces of one byte.
#[tokio::test]
async fn rubbish_between_messages_costs_only_itself() {
    let (router, runs) = counting();
    let mut wire = Wire::to(router);
    let text = format!(
        "Welcome to the shell!\r\n{}\r\n\n{}\n",
        request(1, "run", json!([])),
        request(2, "run", json!([]))
    );
    for byte in text.bytes() {
        wire.send([byte]).await;
    }
    assert_eq!(code(&wire.next().await), -32700);
    assert_eq!(wire.next().await["id"], 1);
    assert_eq!(wire.next().await["id"], 2);
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    wire.is_well().await;
}

/// T09: what a peer announces is not believed.
#[tokio::test]
async fn a_message_over_the_limit_is_dropped_unread() {
    let (router, runs) = counting();
    let mut wire = Wire::to(service(router, Limits::default().max_message(1000)));
    let answer = wire.ask(request(1, "run", json!(["x".repeat(100_000)]))).await;
    assert_eq!((code(&answer), &answer["id"]), (-32007, &json!(null)));
    assert_eq!(answer["error"]["data"], json!({"limit": 1000, "setting": "max_message"}));
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    wire.is_well().await;
}

/// A page of anybody has a browser post lines, or what looks like a message of LSP, to a
/// port of this machine.
#[tokio::test]
async fn a_page_cannot_call_what_listens_on_tcp() {
    let call = request(1, "run", json!([]));
    let post = |target: &str, body: &str| {
        let length = body.len();
        format!("POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    let here = || Listener::tcp("127.0.0.1:0");
    for (listener, target) in [
        (here(), "/"),
        (here().only_newlines(), "/"),
        (here().without_newline(), "/"),
        (here().content_length(), "/"),
        // which makes a header of the first line
        (here().content_length(), "/:"),
    ] {
        let (router, runs) = counting();
        let bound = Server::new(router).listen(listener).bind().await.unwrap();
        let mut page = TcpStream::connect(bound.addresses()[0]).await.unwrap();
        let peers = bound.peers();
        tokio::spawn(bound.serve());
        page.write_all(post(target, &format!("{call}\n{call}\n")).as_bytes()).await.unwrap();
        let mut said = String::new();
        page.read_to_string(&mut said).await.unwrap();
        assert!(said.contains("-32700"), "it has lost its place: {said}");
        drop(page);
        while !peers.is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(runs.load(Ordering::SeqCst), 0);
    }
}
