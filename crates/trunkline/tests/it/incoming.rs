//! Streams that a caller sends with its call, as the side that serves it hears them.

mod progress;

use crate::support::{Wire, client, code, link, request};
use futures_util::{Stream, StreamExt, stream};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::{Notify, mpsc};
use trunkline::{
    Caller, Calls, Client, Context, Fault, FaultKind, InProcess, Incoming, Limits, Peer, Router, Server,
    Trace, handler,
};

/// Items that may be sent at first.
const WINDOW: usize = 64;

async fn sum(mut numbers: Incoming<i64>) -> Result<i64, Fault> {
    let mut sum = 0;
    while let Some(number) = numbers.next().await {
        sum += number?;
    }
    Ok(sum)
}

async fn running_sum(numbers: Incoming<i64>, (start,): (i64,)) -> impl Stream<Item = Result<i64, Fault>> {
    numbers.scan(start, |sum, number| {
        let next = number.map(|number| {
            *sum += number;
            *sum
        });
        std::future::ready(Some(next))
    })
}

/// Takes so many items, and then none, for ever.
async fn stuck(mut numbers: Incoming<i64>, (taken,): (usize,)) {
    for _ in 0..taken {
        let _ = numbers.next().await;
    }
    std::future::pending::<()>().await;
}

fn router() -> Router {
    Router::new()
        .procedure("sum", sum)
        .procedure("sum.elsewhere", handler(sum).parallel())
        .procedure("sum.blocking", handler(sum).blocking())
        .procedure("running_sum", running_sum)
        .procedure("stuck", stuck)
        .procedure("stuck.stream", async |numbers: Incoming<i64>, ()| {
            stream::pending::<u8>().map(move |it| {
                let _ = &numbers;
                it
            })
        })
        .procedure("first", async |mut numbers: Incoming<i64>| numbers.next().await.transpose())
        .procedure("declines", async |mut numbers: Incoming<i64>| {
            let first = numbers.next().await.transpose();
            drop(numbers);
            tokio::task::yield_now().await;
            first
        })
        .procedure("panics", async |mut numbers: Incoming<i64>| -> Result<(), Fault> {
            numbers.next().await;
            panic!("on purpose")
        })
        .procedure("ping", async || "pong")
}

fn item(call: impl Into<Value>, item: impl Into<Value>) -> String {
    json!({"jsonrpc": "2.0", "method": "rpc.item", "params": {"call": call.into(), "item": item.into()}})
        .to_string()
}

fn end(call: impl Into<Value>) -> String {
    json!({"jsonrpc": "2.0", "method": "rpc.end", "params": {"call": call.into()}}).to_string()
}

fn says(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "method": method, "params": params})
}

#[tokio::test]
async fn items_follow_the_call_and_the_answer_follows_them() {
    let mut wire = Wire::to(router());
    for name in ["sum", "sum.elsewhere", "sum.blocking"] {
        wire.line(request(name, name, json!([]))).await;
        for n in 1..=3 {
            wire.line(item(name, n)).await;
        }
        let answer = wire.ask(end(name)).await;
        assert_eq!((&answer["id"], &answer["result"]), (&json!(name), &json!(6)));
    }
}

#[tokio::test]
async fn room_is_given_as_items_are_taken() {
    let mut wire = Wire::to(router());
    wire.line(request(1, "sum", json!([]))).await;
    for n in 0..1000 {
        if n > 0 && n % (WINDOW / 2) == 0 {
            let said = wire.next().await;
            assert_eq!(said, says("rpc.more", json!({"call": 1, "items": WINDOW / 2})), "after {n}");
        }
        wire.line(item(1, 1)).await;
    }
    assert_eq!(wire.ask(end(1)).await["result"], 1000);
}

#[tokio::test]
async fn who_sends_more_than_there_is_room_for_ends_its_call() {
    let mut wire = Wire::to(router());
    for (name, params) in [("stuck", json!([0])), ("stuck.stream", json!([]))] {
        wire.line(request(1, name, params)).await;
        let opened = if name == "stuck.stream" { Some(wire.next().await["result"].clone()) } else { None };
        for n in 0..WINDOW {
            wire.line(item(1, n)).await;
        }
        wire.is_well().await;
        let told = wire.ask(item(1, 0)).await;
        let error = match opened {
            None => &told["error"],
            Some(id) => {
                assert_eq!(told["params"]["subscription"], id);
                &told["params"]["error"]
            }
        };
        assert_eq!(error["code"], -32009, "{told}");
        assert!(error["data"].as_str().unwrap().contains("`rpc.more`"), "{told}");
        // what comes after that is nobody's
        wire.line(item(1, 0)).await;
        wire.line(end(1)).await;
        wire.is_well().await;
    }
}

#[tokio::test]
async fn what_waits_is_limited_in_bytes_too() {
    let mut wire = Wire::with_limits(router(), Limits::default().max_message(1000));
    wire.line(request(1, "stuck", json!([0]))).await;
    for _ in 0..4 {
        wire.line(item(1, "x".repeat(900))).await;
    }
    wire.is_well().await;
    let told = wire.ask(item(1, "x".repeat(900))).await;
    assert!(told["error"]["data"].as_str().unwrap().contains("`max_message`"), "{told}");
    // the room is there again
    wire.line(request(2, "sum", json!([]))).await;
    for n in 0..20 {
        wire.line(item(2, n)).await;
    }
    assert_eq!(wire.ask(end(2)).await["result"], 190);
}

#[tokio::test]
async fn an_item_that_is_too_large_ends_its_stream() {
    let mut wire = Wire::with_limits(router(), Limits::default().max_message(1000));
    wire.line(request(1, "sum", json!([]))).await;
    wire.line(item(1, 1)).await;
    // as a trunkline caller spells it
    let large = format!(
        r#"{{"jsonrpc":"2.0","method":"rpc.item","params":{{"call":1,"item":"{}"}}}}"#,
        "x".repeat(2000)
    );
    let told = wire.ask(large).await;
    assert_eq!((code(&told), &told["id"]), (-32007, &json!(1)), "{told}");
    wire.is_well().await;
}

#[tokio::test]
async fn a_stream_that_is_not_wanted_any_more_is_told_so() {
    let mut wire = Wire::to(router());
    for (id, item_of_it) in [(1, json!(7)), (2, json!("seven"))] {
        wire.line(request(id, "declines", json!([]))).await;
        assert_eq!(wire.ask(item(id, item_of_it.clone())).await, says("rpc.enough", json!({"call": id})));
        let told = wire.next().await;
        assert!(told["result"] == item_of_it || code(&told) == -32602, "{told}");
    }
    // what was on its way
    for n in 0..3 * WINDOW {
        wire.line(item(1, n)).await;
    }
    wire.line(end(1)).await;
    wire.is_well().await;
}

#[tokio::test]
async fn a_stream_that_breaks_off_says_why() {
    let mut wire = Wire::to(router());
    for (name, params) in [("sum", json!([])), ("running_sum", json!([0]))] {
        wire.line(request(1, name, params)).await;
        if name == "running_sum" {
            wire.next().await;
        }
        let broken = says("rpc.end", json!({"call": 1, "error": {"code": -5, "message": "burst"}}));
        let told = wire.ask(broken.to_string()).await;
        let error = if name == "sum" { &told["error"] } else { &told["params"]["error"] };
        assert_eq!((&error["code"], &error["message"]), (&json!(-5), &json!("burst")), "{told}");
    }
    wire.is_well().await;
}

/// It waits for the handler like the items, and is not counted with them.
#[tokio::test]
async fn why_a_stream_breaks_off_is_said_in_short() {
    let mut wire = Wire::to(router());
    for (message, data, expected) in [(9, 60_000, 60_000), (9, 70_000, 0), (70_000, 9, 0), (60_000, 9, 9)] {
        wire.line(request(1, "sum", json!([]))).await;
        let error = json!({"code": -5, "message": "m".repeat(message), "data": "d".repeat(data)});
        let told = wire.ask(says("rpc.end", json!({"call": 1, "error": error})).to_string()).await;
        let (kept, error) = (expected > 0, &told["error"]);
        assert_eq!(error["code"], -5);
        assert_eq!(error["data"].as_str().map_or(0, str::len), expected);
        assert_eq!(error["message"].as_str().unwrap().contains("65536 are heard"), !kept, "{error}");
    }
}

#[tokio::test]
async fn an_item_of_another_type_is_named() {
    let mut wire = Wire::to(router());
    wire.line(request(1, "sum", json!([]))).await;
    wire.line(item(1, 1)).await;
    let told = wire.ask(item(1, "two")).await;
    assert_eq!(code(&told), -32602);
    assert!(told["error"]["data"].as_str().unwrap().starts_with("item 2 of the stream: "), "{told}");
}

#[tokio::test]
async fn items_of_no_call_are_nothing() {
    let mut wire = Wire::to(router());
    wire.line(item(1, 1)).await;
    wire.line(end(1)).await;
    wire.line(request(1, "sum", json!([]))).await;
    for call in
        [json!(2), json!("1"), json!(1.0), json!(null), json!([1]), json!({}), json!("x".repeat(10_000))]
    {
        wire.line(item(call.clone(), 10)).await;
        wire.line(end(call)).await;
    }
    for params in ["{}", r#"{"call":1}"#, r#"{"call":1,"item":1,"items":1}"#, "[1,2]"] {
        wire.line(format!(r#"{{"jsonrpc":"2.0","method":"rpc.item","params":{params}}}"#)).await;
    }
    // credit of calls that nobody made
    wire.line(says("rpc.more", json!({"call": 1, "items": u64::MAX})).to_string()).await;
    wire.line(says("rpc.enough", json!({"call": 1})).to_string()).await;
    wire.line(item(1, 5)).await;
    assert_eq!(wire.ask(end(1)).await["result"], 5);
    wire.line(request(2, "ping", json!([]))).await;
    wire.line(item(2, 5)).await;
    assert_eq!(wire.next().await["result"], "pong");
    wire.is_well().await;
}

#[tokio::test]
async fn where_no_items_can_follow_the_call_is_refused() {
    let mut wire = Wire::to(router());
    let told = wire.ask(format!("[{}]", request(1, "sum", json!([])))).await;
    assert!(told[0]["error"]["message"].as_str().unwrap().contains("not in a batch"), "{told}");
    wire.line(r#"{"jsonrpc":"2.0","method":"sum"}"#).await;
    wire.is_well().await;

    let service = crate::support::service(router(), Limits::default());
    let call = request(1, "sum", json!([]));
    let told = trunkline_net::exchange::answer(call.as_bytes(), &service, trunkline::Context::local()).await;
    let told: Value = serde_json::from_slice(&told.unwrap()).unwrap();
    assert!(told["error"]["message"].as_str().unwrap().contains("takes a connection"), "{told}");
}

#[tokio::test]
async fn two_calls_of_one_id_cannot_both_have_a_stream() {
    let mut wire = Wire::to(router());
    wire.line(request(1, "sum", json!([]))).await;
    assert_eq!(code(&wire.ask(request(1, "sum", json!([]))).await), -32600);
    wire.line(item(1, 5)).await;
    assert_eq!(wire.ask(end(1)).await["result"], 5);
    wire.line(request(1, "sum", json!([]))).await;
    wire.line(item(1, 6)).await;
    assert_eq!(wire.ask(end(1)).await["result"], 6, "an id may be used again");
}

#[tokio::test]
async fn streams_of_both_directions_are_limited_together() {
    let mut wire = Wire::with_limits(router(), Limits::default().max_streams(3));
    wire.line(request(1, "sum", json!([]))).await;
    assert!(wire.ask(request(2, "running_sum", json!([0]))).await["result"].is_string());
    let refused = wire.ask(request(3, "sum", json!([]))).await;
    assert_eq!(code(&refused), -32009);
    assert!(refused["error"]["data"].as_str().unwrap().contains("`max_streams`"), "{refused}");
    assert_eq!(wire.ask(end(1)).await["result"], 0);
    wire.line(request(4, "sum", json!([]))).await;
    assert_eq!(wire.ask(end(4)).await["result"], 0);
    assert_eq!(wire.ask(end(2)).await["method"], "rpc.end");
    for id in 5..100 {
        wire.line(request(id, "sum", json!([]))).await;
        wire.line(item(id, id)).await;
        assert_eq!(wire.ask(end(id)).await["result"], id);
    }
}

/// They end only if their items are heard, so they must not keep those from being heard.
#[tokio::test]
async fn calls_with_streams_do_not_count_as_under_way() {
    let mut wire = Wire::with_limits(router(), Limits::default().max_in_flight(1).max_batch(0));
    for id in 0..10 {
        wire.line(request(id, "sum", json!([]))).await;
    }
    assert_eq!(wire.ask(request("ping", "ping", json!([]))).await["result"], "pong");
    for id in 0..10 {
        wire.line(item(id, id)).await;
        assert_eq!(wire.ask(end(id)).await["result"], id);
    }
}

/// A call that is put off gets the items that followed it meanwhile.
#[tokio::test]
async fn items_of_a_call_that_is_put_off_wait_for_it() {
    let router = router().procedure("asks", async |peer: Peer| peer.call::<i64>("ask", ()).await);
    let mut wire = Wire::with_limits(router, Limits::default().max_in_flight(3));
    let mut asked = vec![];
    for id in ["a", "b", "c"] {
        asked.push(wire.ask(request(id, "asks", json!([]))).await["id"].clone());
    }
    for id in 2..=4 {
        wire.line(request(id, "sum", json!([]))).await;
        wire.line(item(id, id)).await;
    }
    // one of them is given up, one is sent too much of
    wire.line(says("$/cancelRequest", json!({"id": 3})).to_string()).await;
    assert_eq!(code(&wire.next().await), -32800);
    for n in 1..WINDOW {
        wire.line(item(4, n)).await;
    }
    assert_eq!(code(&wire.ask(item(4, 0)).await), -32009);
    wire.line(end(2)).await;
    wire.line(json!({"jsonrpc": "2.0", "id": asked[0], "result": 9}).to_string()).await;
    assert_eq!(wire.next().await["result"], 9);
    let answer = wire.next().await;
    assert_eq!((&answer["id"], &answer["result"]), (&json!(2), &json!(2)));
}

/// Says when what it is in is dropped.
struct Tells(mpsc::UnboundedSender<()>);

impl Drop for Tells {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// What each call of these hold is told of when it is dropped.
fn watched() -> (Router, mpsc::UnboundedReceiver<()>) {
    let (dropped, seen) = mpsc::unbounded_channel();
    let other = dropped.clone();
    let router = router()
        .procedure("watched", move |numbers: Incoming<i64>| {
            let tells = Tells(dropped.clone());
            async move {
                let _tells = tells;
                sum(numbers).await
            }
        })
        .procedure("watched.stream", move |numbers: Incoming<i64>| {
            let tells = Tells(other.clone());
            async move {
                numbers.map(move |number| {
                    let _ = &tells;
                    number
                })
            }
        });
    (router, seen)
}

#[tokio::test]
async fn a_call_that_is_given_up_takes_its_stream_along() {
    let (router, mut dropped) = watched();
    let mut wire = Wire::to(router);
    wire.line(request(1, "watched", json!([]))).await;
    wire.line(item(1, 1)).await;
    let told = wire.ask(says("$/cancelRequest", json!({"id": 1})).to_string()).await;
    assert_eq!((code(&told), &told["id"]), (-32800, &json!(1)), "and nothing before that");
    dropped.recv().await.unwrap();

    let id = wire.ask(request(2, "watched.stream", json!([]))).await["result"].clone();
    assert_eq!(wire.ask(item(2, 5)).await["params"]["result"], 5);
    assert_eq!(wire.ask(request(3, "rpc.unsubscribe", json!([id]))).await["result"], true);
    dropped.recv().await.unwrap();
    wire.line(item(2, 5)).await;
    wire.is_well().await;
}

#[tokio::test]
async fn a_connection_that_is_lost_takes_calls_with_streams_along() {
    let (router, mut dropped) = watched();
    let mut wire = Wire::to(router);
    wire.line(request(1, "watched", json!([]))).await;
    wire.ask(request(2, "watched.stream", json!([]))).await;
    drop(wire);
    dropped.recv().await.unwrap();
    dropped.recv().await.unwrap();
}

#[tokio::test]
async fn who_ends_its_direction_ends_its_streams_and_is_answered() {
    let mut wire = Wire::to(router());
    wire.line(request(1, "sum", json!([]))).await;
    wire.line(item(1, 1)).await;
    wire.line(request(2, "sum", json!([]))).await;
    wire.line(item(2, 1)).await;
    wire.line(end(2)).await;
    assert_eq!(wire.next().await["result"], 1);
    wire.finish().await;
    let told = wire.next().await;
    assert_eq!(told["id"], 1);
    assert!(told["error"]["message"].as_str().unwrap().contains("before its stream"), "{told}");
    wire.ended().await;
}

#[tokio::test]
async fn shutting_down_breaks_streams_off_and_answers_their_calls() {
    let (said, mut peers) = mpsc::unbounded_channel();
    let router = router().procedure("me", move |peer: Peer| {
        let said = said.clone();
        async move { said.send(peer).is_ok() }
    });
    let mut wire = Wire::to(router);
    wire.ask(request(1, "me", json!([]))).await;
    wire.line(request(2, "sum", json!([]))).await;
    wire.line(item(2, 1)).await;
    wire.is_well().await;
    peers.recv().await.unwrap().close();
    let told = wire.next().await;
    assert_eq!((&told["id"], code(&told)), (&json!(2), -32009));
    wire.ended().await;
}

#[tokio::test]
async fn a_panic_ends_only_its_call() {
    let mut wire = Wire::to(router());
    wire.line(request(1, "panics", json!([]))).await;
    assert_eq!(code(&wire.ask(item(1, 1)).await), -32603);
    assert_eq!(wire.ask(request(2, "ping", json!([]))).await["result"], "pong");
}

/// The handler gives its stream away; the call is over before that is.
#[tokio::test]
async fn a_stream_that_outlives_its_call_ends() {
    let (kept, mut ended) = mpsc::unbounded_channel();
    let router = Router::new().procedure("gives_away", move |mut numbers: Incoming<i64>| {
        let kept = kept.clone();
        async move {
            let first = numbers.next().await.transpose()?;
            tokio::spawn(async move {
                let rest: Vec<_> = numbers.collect().await;
                kept.send(rest).unwrap();
            });
            Ok::<_, Fault>(first)
        }
    });
    let mut wire = Wire::to(router);
    wire.line(request(1, "gives_away", json!([]))).await;
    assert_eq!(wire.ask(item(1, 7)).await["result"], 7);
    let rest = ended.recv().await.unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].as_ref().unwrap_err().kind(), FaultKind::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_call_begins_anew_with_each_item() {
    let mut wire = Wire::with_limits(router(), Limits::default().call_timeout(Duration::from_secs(10)));
    wire.line(request(1, "sum", json!([]))).await;
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_secs(8)).await;
        wire.line(item(1, 1)).await;
        wire.is_well().await;
    }
    let (begun, told) = (tokio::time::Instant::now(), wire.next().await);
    assert_eq!((code(&told), begun.elapsed().as_secs()), (-32001, 10));
}

/// Whatever order calls, items and ends come in, each call has the answer that is due.
#[test]
fn calls_and_items_in_any_order() {
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Call,
        Item(i64),
        End,
        Cancel,
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let step = prop_oneof![
        3 => Just(Step::Call),
        6 => (1..100_i64).prop_map(Step::Item),
        3 => Just(Step::End),
        1 => Just(Step::Cancel),
    ];
    let steps = prop::collection::vec((0..4_u8, step), 0..60);
    proptest!(ProptestConfig::with_cases(200), |(steps in steps)| {
        let mut lines: Vec<String> = vec![];
        let mut open: BTreeMap<u8, i64> = BTreeMap::new();
        let mut expected: Vec<(u8, Value)> = vec![];
        let finish = (0..4).map(|id| (id, Step::End));
        for (id, step) in steps.into_iter().chain(finish) {
            match step {
                Step::Call => {
                    lines.push(request(id, "sum", json!([])));
                    match open.get(&id) {
                        Some(_) => expected.push((id, json!(-32600))),
                        None => drop(open.insert(id, 0)),
                    }
                }
                Step::Item(n) => {
                    lines.push(item(id, n));
                    if let Some(sum) = open.get_mut(&id) {
                        *sum += n;
                    }
                }
                Step::End => {
                    lines.push(end(id));
                    expected.extend(open.remove(&id).map(|sum| (id, json!({"sum": sum}))));
                }
                Step::Cancel => {
                    lines.push(says("rpc.cancel", json!({"id": id})).to_string());
                    expected.extend(open.remove(&id).map(|_| (id, json!(-32800))));
                }
            }
        }
        let answers = runtime.block_on(async {
            let mut wire = Wire::to(router());
            let mut answers = vec![];
            for line in &lines {
                wire.line(line).await;
                // two turns: the call ends in the first, before its id is used again
                for turn in ["one", "two"] {
                    wire.line(request(turn, "ping", json!([]))).await;
                    loop {
                        let answer = wire.next().await;
                        if answer["id"] == turn {
                            break;
                        }
                        let id = u8::try_from(answer["id"].as_u64().unwrap()).unwrap();
                        answers.push(match answer.get("result") {
                            Some(sum) => (id, json!({"sum": sum})),
                            None => (id, answer["error"]["code"].clone()),
                        });
                    }
                }
            }
            answers
        });
        let sorted = |mut answers: Vec<(u8, Value)>| {
            answers.sort_by_key(|(id, _)| *id);
            answers
        };
        prop_assert_eq!(sorted(answers), sorted(expected), "{:?}", lines);
    });
}

fn numbers(to: i64) -> impl Stream<Item = i64> + Send + 'static {
    stream::iter(1..=to)
}

/// Sums and running sums, over whatever the client is connected by.
async fn sums(client: &Client) {
    let sum: i64 = client.call("sum", ()).sending(numbers(10_000)).await.unwrap();
    assert_eq!(sum, 50_005_000);
    let sums = client.stream::<i64>("running_sum", (5,)).sending(numbers(10_000)).await.unwrap();
    let sums: Vec<i64> = sums.map(Result::unwrap).collect().await;
    assert_eq!((sums.len(), sums[9_999]), (10_000, 50_005_005));
    let broken = stream::iter([Ok(1), Err(Fault::from("burst").with_code(7)), Ok(3)]);
    let fault = client.call::<i64>("sum", ()).sending(broken).await.unwrap_err();
    assert_eq!((fault.message(), fault.code()), ("burst", Some(7)));
    let first: i64 = client.call("first", ()).sending(stream::repeat(3)).await.unwrap();
    assert_eq!(first, 3);
    let fault = client.call::<i64>("sum", ()).sending(stream::iter(["x"])).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::InvalidArgs);
    let fault = client.call::<i64>("none", ()).sending(stream::repeat(3)).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::NotFound);
    let pong: String = client.call("ping", ()).sending(stream::pending::<i64>()).await.unwrap();
    assert_eq!(pong, "pong", "who takes no stream lets it be");
}

#[tokio::test]
async fn streams_of_arguments_over_every_kind_of_connection() {
    sums(&client(router(), Limits::default(), Router::new())).await;
    let bound = Server::new(router()).tcp("127.0.0.1:0").http("127.0.0.1:0").bind().await.unwrap();
    let addresses = bound.addresses().to_vec();
    let serving = tokio::spawn(bound.serve());
    for address in [format!("tcp://{}", addresses[0]), format!("ws://{}", addresses[1])] {
        let client = Client::connect(&address).await.unwrap();
        sums(&client).await;
        client.close().await;
    }
    let client = Client::connect(format!("http://{}", addresses[1])).await.unwrap();
    let fault = client.call::<i64>("sum", ()).sending(numbers(1)).await.unwrap_err();
    assert!(fault.message().contains("takes a connection"), "{fault}");
    serving.abort();
}

/// Where both sides number their calls alike, their streams are not mixed up.
#[tokio::test]
async fn a_server_sends_streams_to_its_clients() {
    let doubles = async |peer: Peer, numbers: Incoming<i64>| {
        let doubled = numbers.map(|number| number.map(|it| it * 2));
        peer.call::<i64>("sum", ()).sending(doubled).await
    };
    let echo = async |peer: Peer, numbers: Incoming<i64>, (start,): (i64,)| {
        peer.stream_sending::<i64, _>("running_sum", (start,), numbers, None).await
    };
    let server = Router::new().procedure("doubles", doubles).procedure("echo", echo);
    let client = client(server, Limits::default(), router());
    let sum: i64 = client.call("doubles", ()).sending(numbers(1000)).await.unwrap();
    assert_eq!(sum, 1_001_000);
    let sums = client.stream::<i64>("echo", (1,)).sending(numbers(1000)).await.unwrap();
    let sums: Vec<i64> = sums.map(Result::unwrap).collect().await;
    assert_eq!((sums.len(), sums[999]), (1000, 500_501));
}

/// What is sent is dropped however the call ends.
#[tokio::test]
async fn what_is_sent_ends_with_its_call() {
    let (dropped, mut seen) = mpsc::unbounded_channel();
    let sent = move || {
        let tells = Tells(dropped.clone());
        stream::iter([1_i64]).chain(stream::pending()).map(move |number| {
            let _ = &tells;
            number
        })
    };
    let started = Arc::new(Notify::new());
    let starts = started.clone();
    let router = router().procedure("started", move |mut numbers: Incoming<i64>, ()| {
        let starts = starts.clone();
        async move {
            numbers.next().await;
            starts.notify_one();
            std::future::pending::<()>().await;
        }
    });
    let client = client(router, Limits::default(), Router::new());

    // an answer
    let first: i64 = client.call("first", ()).sending(sent()).await.unwrap();
    assert_eq!(first, 1);
    seen.recv().await.unwrap();
    // the call is dropped
    let mut call = Box::pin(client.call::<()>("started", ()).sending(sent()));
    tokio::select! {
        _ = &mut call => panic!("it never answers"),
        () = started.notified() => {}
    }
    drop(call);
    seen.recv().await.unwrap();
    // the stream that it came to is dropped
    let mut sums = client.stream::<i64>("running_sum", (0,)).sending(sent()).await.unwrap();
    assert_eq!(sums.next().await.unwrap().unwrap(), 1);
    drop(sums);
    seen.recv().await.unwrap();
    // it panics
    let panics = stream::iter(0..2_i64).map(|n| if n == 0 { n } else { panic!("on purpose") });
    let fault = client.call::<i64>("sum", ()).sending(panics).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Internal);
    // the client is closed, which breaks off the stream, and so the call is answered
    let call = client.call::<i64>("sum", ()).sending(sent());
    let (fault, ()) = tokio::join!(call, async {
        tokio::task::yield_now().await;
        client.close().await;
    });
    assert!(matches!(fault.unwrap_err().kind(), FaultKind::Unavailable | FaultKind::Disconnected));
    seen.recv().await.unwrap();
}

/// A check of the arguments stands between a call and its handler, not before the stream.
#[tokio::test]
async fn arguments_beside_a_stream_are_checked() {
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    struct Factor {
        #[schemars(range(min = 1, max = 10))]
        factor: i64,
    }
    let router = Router::new()
        .procedure("scaled", async |numbers: Incoming<i64>, Factor { factor }: Factor| {
            sum(numbers).await.map(|sum| sum * factor)
        });
    let mut wire = Wire::to(router);
    wire.line(request(1, "scaled", json!({"factor": 3}))).await;
    wire.line(item(1, 14)).await;
    assert_eq!(wire.ask(end(1)).await["result"], 42);
    let refused = wire.ask(request(2, "scaled", json!({"factor": 11}))).await;
    assert_eq!(code(&refused), -32602, "{refused}");
    wire.line(item(2, 14)).await;
    wire.line(end(2)).await;
    wire.is_well().await;
}

/// In process nothing is between the handler and the stream, and what panics in there
/// fails the call alone.
#[tokio::test]
async fn handlers_send_streams_to_others_of_their_router() {
    let router = router()
        .procedure("twice", async |caller: Caller, numbers: Incoming<i64>| {
            caller.call_sending::<i64>("sum", (), numbers.map(|number| number.map(|it| it * 2))).await
        })
        .procedure("sums", async |caller: Caller, numbers: Incoming<i64>| {
            caller.stream_sending::<i64>("running_sum", (0,), numbers).await
        })
        .procedure("bad", async |caller: Caller| {
            let panics = stream::iter(0..2_i64).map(|n| if n == 0 { n } else { panic!("on purpose") });
            caller.call_sending::<i64>("sum", (), panics).await
        });
    let calls = InProcess::new(router.clone());
    assert_eq!(calls.call_sending::<i64>("twice", (), numbers(4), None).await.unwrap(), 20);
    let sums = calls.stream_sending::<i64>("sums", (), numbers(4), None).await.unwrap();
    assert_eq!(sums.map(Result::unwrap).collect::<Vec<_>>().await, [1, 3, 6, 10]);
    assert_eq!(calls.call::<i64>("bad", (), None).await.unwrap_err().kind(), FaultKind::Internal);
    let panics = || stream::iter([1_i64]).map(|_| -> i64 { panic!("on purpose") });
    let fault = calls.call_sending::<i64>("sum", (), panics(), None).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Internal);

    let client = client(router, Limits::default(), Router::new());
    let twice: i64 = client.call("twice", ()).sending(numbers(4)).await.unwrap();
    assert_eq!(twice, 20);
}

/// What is said besides of a call is said of one with a stream too.
#[tokio::test]
async fn a_call_with_a_stream_has_its_place_in_a_trace() {
    let traced = async |context: Context, numbers: Incoming<i64>| {
        let trace = context.trace().map(|trace| trace.to_string());
        sum(numbers).await.map(|sum| (sum, trace))
    };
    let client = client(Router::new().procedure("traced", traced), Limits::default(), Router::new());
    let trace = Trace::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
    let (sum, told): (i64, Option<String>) =
        client.call("traced", ()).trace(trace.clone()).sending(numbers(3)).await.unwrap();
    assert_eq!((sum, told), (6, Some(trace.to_string())));
}

/// How long its caller waits is said, and begins anew with each item.
#[tokio::test(start_paused = true)]
async fn a_caller_says_how_long_it_waits_for_the_next_item() {
    let mut wire = Wire::to(router());
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "sum", "timeout": 10_000});
    wire.line(call.to_string()).await;
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_secs(8)).await;
        wire.line(item(1, 1)).await;
        wire.is_well().await;
    }
    let (begun, told) = (tokio::time::Instant::now(), wire.next().await);
    assert_eq!((code(&told), begun.elapsed().as_secs()), (-32001, 10));
}
