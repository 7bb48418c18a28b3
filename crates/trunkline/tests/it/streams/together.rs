//! Items that come together, to callers who have said that they may.

use super::*;
use crate::support::TestServer;
use std::collections::HashMap;

/// What is said of how many items there is room for, and in messages of how many bytes
/// they may come together, before the call of that id.
fn together(call: u64, items: u64, bytes: u64) -> String {
    let params = json!({"call": call, "items": items, "together": bytes});
    json!({"jsonrpc": "2.0", "method": "rpc.credit", "params": params}).to_string()
}

fn results(subscription: &Value, name: &str, results: impl Into<Value>) -> Value {
    let results: Value = results.into();
    json!({"jsonrpc": "2.0", "method": name, "params": {"subscription": subscription, "results": results}})
}

/// Opens a stream of items that may come together.
async fn open_together(wire: &mut Wire, name: &str, params: Value) -> Value {
    wire.line(together(1, 1_000_000, 1 << 20)).await;
    open(wire, name, params).await
}

#[tokio::test]
async fn what_is_there_at_the_time_comes_in_one_notification() {
    let (send, ticks) = fed();
    let mut wire = Wire::to(router().procedure("ticks", ticks));
    let id = open_together(&mut wire, "ticks", json!([])).await;
    send.send(1).unwrap();
    assert_eq!(wire.next().await, results(&id, "ticks", [1]), "nothing is waited for");
    for n in 2..=4 {
        send.send(n).unwrap();
    }
    assert_eq!(wire.next().await, results(&id, "ticks", [2, 3, 4]));
    for n in 5..=6 {
        send.send(n).unwrap();
    }
    drop(send);
    assert_eq!(wire.next().await, results(&id, "ticks", [5, 6]));
    assert_eq!(wire.next().await["method"], "rpc.end");

    // who has spoken of credit alone has one item a notification
    wire.line(r#"{"jsonrpc":"2.0","method":"rpc.credit","params":{"call":1,"items":9}}"#).await;
    let id = open(&mut wire, "count", json!([2])).await;
    for n in 1..=2 {
        assert_eq!(wire.next().await, item(&id, "count", n));
    }
    assert_eq!(wire.next().await["method"], "rpc.end");
    wire.is_well().await;
}

#[tokio::test]
async fn what_came_before_the_end_arrives_before_it() {
    let router = Router::new()
        .procedure("breaks", async || stream::iter([Ok(1), Ok(2), Err(Fault::from("broken")), Ok(3)]))
        .procedure("panics", async || {
            stream::iter(1..=9_u8).map(|n| if n < 3 { n } else { panic!("on purpose") })
        })
        .procedure("too.long", async || stream::iter([1, 1, 5000]).map(|n| "x".repeat(n)))
        .procedure("unwritable", async || {
            // a key that is no string has no form in JSON
            stream::iter([0, 0, 1]).map(|n| (0..n).map(|n| ((n, n), n)).collect::<HashMap<_, _>>())
        });
    for (name, expected, code) in [
        ("breaks", json!([1, 2]), -32000),
        ("panics", json!([1, 2]), -32603),
        ("too.long", json!(["x", "x"]), -32008),
        ("unwritable", json!([{}, {}]), -32603),
    ] {
        let mut wire = Wire::to(service(router.clone(), Limits::default().max_reply(1000)));
        let id = open_together(&mut wire, name, json!([])).await;
        assert_eq!(wire.next().await, results(&id, name, expected));
        let last = wire.next().await;
        assert_eq!((&last["params"]["subscription"], &last["params"]["error"]["code"]), (&id, &json!(code)));
        wire.is_well().await;

        let client = client(router.clone(), Limits::default().max_reply(1000), Router::new());
        let (items, fault) = all(client.stream::<Value>(name, ()).await.unwrap()).await;
        assert_eq!((items.len(), fault.is_some()), (2, true), "{name}");
    }
}

/// Items that are short, long, and too long to come with others.
fn of_all_lengths() -> Router {
    Router::new().procedure("lengths", async || {
        stream::iter(0..600_usize).map(|n| (n, "x".repeat([0, 1, 300, 40, 9_000, 20_000][n % 97 % 6])))
    })
}

#[tokio::test]
async fn items_come_in_order_however_they_are_cut() {
    let client = to(router());
    let (items, fault) = all(client.stream::<u64>("count", (100_000,)).await.unwrap()).await;
    assert_eq!((items, fault.is_none()), ((1..=100_000).collect(), true));
    for waiting in [1, 7, 1024] {
        let stream = client.stream::<u64>("count", (5_000,)).max_waiting(waiting).await.unwrap();
        assert_eq!(all(stream).await.0, (1..=5_000).collect::<Vec<_>>());
    }
    let client = to(of_all_lengths());
    let (items, fault) = all(client.stream::<(usize, String)>("lengths", ()).await.unwrap()).await;
    assert!(fault.is_none() && items.iter().map(|(n, _)| *n).eq(0..600));
}

/// A message of several items is as long as the caller takes, and as it is worth.
#[tokio::test]
async fn items_that_come_together_are_not_too_long_together() {
    for (said, most) in [(1 << 30, 17_000), (1_000, 1_000), (1, 1)] {
        let mut wire = Wire::to(of_all_lengths());
        wire.line(together(1, 1_000_000, said)).await;
        open(&mut wire, "lengths", json!([])).await;
        let (mut heard, mut longest) = (0, 0);
        while heard < 600 {
            let text = wire.next_text().await;
            let message: Value = serde_json::from_str(&text).unwrap();
            let items = message["params"]["results"].as_array().unwrap();
            for item in items {
                assert_eq!(item[0], heard);
                heard += 1;
            }
            if items.len() > 1 {
                assert!(text.len() <= most, "{} items in {} bytes", items.len(), text.len());
                longest = longest.max(text.len());
            }
        }
        assert!(longest > most / 4 || most == 1, "{longest} of {most} bytes");
    }
}

/// What it takes as one message it takes also where items come together.
#[tokio::test]
async fn a_client_that_takes_short_messages_gets_them() {
    let limits = Limits::default().max_message(150);
    let client = TestServer::new(router()).builder().limits(limits).connect_lazy().unwrap();
    let (items, fault) = all(client.stream::<u64>("count", (1000,)).await.unwrap()).await;
    assert_eq!((items, fault.is_none()), ((1..=1000).collect(), true));
}

#[tokio::test]
async fn no_more_come_together_than_there_is_credit_for() {
    let mut wire = Wire::to(router());
    wire.line(together(1, 3, 1 << 20)).await;
    let id = open(&mut wire, "count", json!([7])).await;
    assert_eq!(wire.next().await, results(&id, "count", [1, 2, 3]));
    wire.is_well().await;
    wire.line(credit(&id, 1)).await;
    assert_eq!(wire.next().await, results(&id, "count", [4]));
    wire.line(credit(&id, 4)).await;
    assert_eq!(wire.next().await, results(&id, "count", [5, 6, 7]));
    assert_eq!(wire.next().await["method"], "rpc.end");
}

/// Credit for items of the stream of call 1, or of the stream itself, in bytes too.
fn in_bytes(of: &str, id: &Value, items: u64, bytes: u64, together: u64) -> String {
    let params = json!({of: id, "items": items, "bytes": bytes, "together": together});
    json!({"jsonrpc": "2.0", "method": "rpc.credit", "params": params}).to_string()
}

#[tokio::test]
async fn credit_in_bytes_lets_the_last_item_go_beyond_and_is_paid_back() {
    let texts = async || stream::iter([10, 10, 30, 10, 10]).map(|n: usize| "x".repeat(n - 2));
    for together in [0, 1 << 20] {
        let mut wire = Wire::to(Router::new().procedure("texts", texts));
        wire.line(in_bytes("call", &json!(1), 100, 21, together)).await;
        let id = open(&mut wire, "texts", json!([])).await;
        let came = async |wire: &mut Wire, expected: &[usize]| {
            let mut lengths = vec![];
            while lengths.len() < expected.len() {
                let next = wire.next().await;
                let params = &next["params"];
                let items = params["results"].as_array().cloned().unwrap_or(vec![params["result"].clone()]);
                lengths.extend(items.iter().map(|item| item.as_str().unwrap().len() + 2));
            }
            assert_eq!(lengths, expected, "together: {together}");
        };
        // one byte is left for the third, which is 29 beyond
        came(&mut wire, &[10, 10, 30]).await;
        wire.is_well().await;
        wire.line(in_bytes("subscription", &id, 3, 29, 0)).await;
        wire.is_well().await;
        wire.line(in_bytes("subscription", &id, 0, 1, 0)).await;
        came(&mut wire, &[10]).await;
        wire.is_well().await;
        // who does not speak of bytes any more does not count them
        wire.line(credit(&id, 0)).await;
        came(&mut wire, &[10]).await;
        assert_eq!(wire.next().await["method"], "rpc.end");
    }
}

#[tokio::test]
async fn a_small_room_in_bytes_loses_nothing() {
    for lag in [Lag::Block, Lag::DropOldest(600)] {
        let lengths = async || {
            stream::iter(0..600_usize).map(|n| (n, "x".repeat([0, 1, 300, 40, 9_000, 20_000][n % 97 % 6])))
        };
        let client = to(Router::new().procedure("lengths", handler(lengths).lag(lag)));
        for bytes in [1, 100, 30_000] {
            let stream = client.stream::<(usize, String)>("lengths", ()).max_waiting_bytes(bytes);
            let stream = stream.await.unwrap();
            let _: Result<u8, _> = client.call("none", ()).await;
            let (items, fault) = all(stream).await;
            assert!(fault.is_none(), "{bytes} {lag:?}: {fault:?}");
            assert!(items.iter().map(|(n, _)| *n).eq(0..600), "{bytes} {lag:?}");
        }
    }
}

#[tokio::test]
async fn what_was_kept_comes_together_too() {
    for (lag, expected, missed) in [
        (Lag::Block, json!([3, 4, 5, 6]), 0),
        (Lag::DropOldest(2), json!([5, 6]), 2),
        (Lag::DropNewest(2), json!([3, 4]), 2),
        (Lag::Coalesce, json!([6]), 3),
        (Lag::Close(9), json!([3, 4, 5, 6]), 0),
    ] {
        for ends in [false, true] {
            let (send, ticks) = fed();
            let mut wire = Wire::to(Router::new().procedure("ticks", ticks.lag(lag)));
            wire.line(together(1, 2, 1 << 20)).await;
            let id = open(&mut wire, "ticks", json!([])).await;
            for n in 1..=6 {
                send.send(n).unwrap();
            }
            let mut send = Some(send);
            if ends {
                send = None;
            }
            assert_eq!(wire.next().await, results(&id, "ticks", [1, 2]), "{lag:?}");
            wire.is_well().await;
            wire.line(credit(&id, 100)).await;
            if missed > 0 {
                let told = wire.next().await;
                assert_eq!(told["method"], "rpc.missed", "{lag:?}: {told}");
                assert_eq!(told["params"]["items"], missed, "{lag:?}");
            }
            assert_eq!(wire.next().await, results(&id, "ticks", expected.clone()), "{lag:?}");
            if let Some(send) = send {
                send.send(7).unwrap();
                assert_eq!(wire.next().await, results(&id, "ticks", [7]), "{lag:?}");
            }
            assert_eq!(wire.next().await["method"], "rpc.end", "{lag:?}");
        }
    }
}

/// A client whose call of `sub` is answered with a stream `5`, of which `lines` are said;
/// what it has said of credit before; and the wire.
fn scripted(lines: Vec<Value>) -> (Client, impl Future<Output = (Value, Wire)>) {
    let (client, mut server) = Wire::to_client();
    let script = async move {
        let credit = server.next().await;
        let id = server.expect_call("sub", ()).await;
        server.answer(id, 5).await;
        for line in lines {
            server.line(line).await;
        }
        (credit, server)
    };
    (client.connect_lazy().unwrap(), script)
}

#[tokio::test]
async fn a_server_that_sends_more_together_than_there_is_room_for_is_not_heard() {
    let all_at_once = results(&json!(5), "sub", (1..=5000).collect::<Vec<u64>>());
    let (client, script) = scripted(vec![all_at_once]);
    let opening = client.stream::<u64>("sub", ()).max_waiting(10).unsubscribe("unsub");
    let (stream, (credit, mut server)) = tokio::join!(opening.into_future(), script);
    let (items, fault) = all(stream.unwrap()).await;
    assert_eq!(items, (1..=10).collect::<Vec<_>>());
    assert!(fault.unwrap().message().contains("`max_waiting`"));
    assert_eq!((&credit["method"], &credit["params"]["items"]), (&json!("rpc.credit"), &json!(10)));
    assert!(credit["params"]["together"].is_u64(), "{credit}");
    server.expect_call("unsub", [5]).await;
}

#[tokio::test]
async fn a_server_that_sends_more_bytes_than_there_is_room_for_is_not_heard() {
    let (client, script) = scripted(vec![results(&json!(5), "sub", [100, 200, 300, 400])]);
    let opening = client.stream::<u64>("sub", ()).max_waiting_bytes(7);
    let (stream, (credit, _server)) = tokio::join!(opening.into_future(), script);
    let (items, fault) = all(stream.unwrap()).await;
    assert_eq!(items, [100, 200, 300], "the last one may go beyond");
    assert!(fault.unwrap().message().contains("9 bytes wait, the setting `max_waiting_bytes` is 7"));
    assert_eq!((&credit["params"]["items"], &credit["params"]["bytes"]), (&json!(65_536), &json!(7)));
}

/// Room is given back when half of it has been taken, in items or in bytes.
#[tokio::test]
async fn room_is_given_back_by_halves() {
    let four = results(&json!(5), "sub", [100, 200, 300, 400]);
    for (items, bytes, expected) in [(100, 12, vec![[2, 6], [2, 6]]), (8, 100, vec![[4, 12]])] {
        let (client, script) = scripted(vec![four.clone()]);
        let opening = client.stream::<u64>("sub", ()).max_waiting(items).max_waiting_bytes(bytes);
        let (stream, (_, mut server)) = tokio::join!(opening.into_future(), script);
        let taken: Vec<_> = stream.unwrap().take(4).collect().await;
        assert!(taken.iter().all(Result::is_ok));
        for granted in expected {
            let said = server.next().await;
            assert_eq!([&said["params"]["items"], &said["params"]["bytes"]], granted, "{said}");
        }
        server.expect_call("rpc.unsubscribe", [5]).await;
    }
}

#[tokio::test]
async fn items_are_found_however_they_are_put() {
    let five = json!(5);
    let unknown = results(&json!(6), "sub", [7, 8]);
    let neither = json!({"jsonrpc": "2.0", "method": "sub", "params": {"subscription": 5, "results": 1}});
    let both = json!({"jsonrpc": "2.0", "method": "sub", "params": {"subscription": 5, "result": 1, "results": [1]}});
    let batch = json!([
        results(&five, "sub", [2, 3]),
        results(&five, "sub", Vec::<u64>::new()),
        item(&five, "sub", 4),
        results(&five, "sub", [5]),
        results(&five, "sub", [6, 7]),
    ]);
    let end = json!({"jsonrpc": "2.0", "method": "rpc.end", "params": {"subscription": 5}});
    let said = vec![
        results(&five, "sub", Vec::<u64>::new()),
        unknown,
        neither,
        both,
        item(&five, "sub", 1),
        batch,
        results(&five, "other", [8]),
        end,
    ];
    let (client, script) = scripted(said);
    let (stream, _server) = tokio::join!(client.stream::<u64>("sub", ()).into_future(), script);
    let (items, fault) = all(stream.unwrap()).await;
    assert_eq!((items, fault), ((1..=8).collect(), None));
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_is_well() {
    let client = to(router());
    for taken in [0, 1, 500, 1024] {
        let mut stream = client.stream::<u64>("count", (1_000_000,)).await.unwrap();
        for n in 1..=taken {
            assert_eq!(stream.next().await.unwrap().unwrap(), n);
        }
        drop(stream);
        assert_eq!(client.call::<String>("ping", ()).await.unwrap(), "pong");
    }
}
