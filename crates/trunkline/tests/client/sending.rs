//! Streams that are sent with calls, to a far end that does what a good server does, and
//! what it does not.

use crate::support::scripted;
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use trunkline::{Client, Fault, FaultKind, testing::Wire};

/// Items that may be sent at first.
const FIRST: u64 = 64;

/// The id of the call that the client makes next, which is this one.
async fn call(server: &mut Wire, procedure: &str) -> u64 {
    server.expect_call(procedure, ()).await.as_u64().unwrap()
}

/// The numbers from 1 on, and whoever hears that they are dropped.
fn numbers() -> (impl Stream<Item = u64> + Send + 'static, oneshot::Receiver<()>) {
    let (alive, dropped) = oneshot::channel::<()>();
    let numbers = stream::iter(1..).map(move |n| {
        assert!(!alive.is_closed(), "the test has gone");
        n
    });
    (numbers, dropped)
}

fn sum<S>(client: &Client, items: S) -> JoinHandle<Result<u64, Fault>>
where
    S: Stream<Item = u64> + Send + 'static,
{
    let client = client.clone();
    tokio::spawn(async move { client.call::<u64>("sum", ()).sending(items).await })
}

/// Takes the items from `from` to `to`, and sees that nothing comes after them.
async fn takes(server: &mut Wire, id: u64, from: u64, to: u64) {
    for n in from..=to {
        let item = json!({"jsonrpc": "2.0", "method": "rpc.item", "params": {"call": id, "item": n}});
        server.expect(item).await;
    }
}

/// What is said next is what the client is told to say now: nothing else is due.
async fn waits(client: &Client, server: &mut Wire) {
    client.notify("mark", ()).await.unwrap();
    assert_eq!(server.next().await["method"], "mark");
}

async fn more(server: &mut Wire, call: impl Into<Value>, items: impl Into<Value>) {
    let (call, items): (Value, Value) = (call.into(), items.into());
    let params = json!({"call": call, "items": items});
    server.line(json!({"jsonrpc": "2.0", "method": "rpc.more", "params": params})).await;
}

async fn enough(server: &mut Wire, call: impl Into<Value>) {
    let params = json!({"call": call.into()});
    server.line(json!({"jsonrpc": "2.0", "method": "rpc.enough", "params": params})).await;
}

fn end(id: u64) -> Value {
    json!({"jsonrpc": "2.0", "method": "rpc.end", "params": {"call": id}})
}

#[tokio::test]
async fn as_many_are_sent_as_there_is_room_for() {
    let (client, mut server) = scripted();
    let summing = sum(&client, stream::iter(1..=70));
    let id = call(&mut server, "sum").await;
    takes(&mut server, id, 1, FIRST).await;
    waits(&client, &mut server).await;
    more(&mut server, id, 1).await;
    takes(&mut server, id, 65, 65).await;
    waits(&client, &mut server).await;
    more(&mut server, id, 0).await;
    server.is_well().await;
    waits(&client, &mut server).await;
    more(&mut server, id, 100).await;
    takes(&mut server, id, 66, 70).await;
    server.expect(end(id)).await;
    server.answer(id, 2485).await;
    assert_eq!(summing.await.unwrap().unwrap(), 2485);
}

#[tokio::test]
async fn who_has_enough_is_sent_no_more_and_answers_when_it_likes() {
    let (client, mut server) = scripted();
    let (items, dropped) = numbers();
    let summing = sum(&client, items);
    let id = call(&mut server, "sum").await;
    takes(&mut server, id, 1, FIRST).await;
    enough(&mut server, id).await;
    server.expect(end(id)).await;
    assert!(dropped.await.is_err(), "the stream is dropped");
    // neither a second one nor room makes a difference any more
    enough(&mut server, id).await;
    more(&mut server, id, 5).await;
    server.is_well().await;
    waits(&client, &mut server).await;
    assert!(!summing.is_finished());
    server.answer(id, 7).await;
    assert_eq!(summing.await.unwrap().unwrap(), 7);
}

#[tokio::test]
async fn an_early_answer_ends_the_stream_without_a_word() {
    for answer in [r#""result":7"#, r#""error":{"code":9,"message":"no"}"#] {
        let (client, mut server) = scripted();
        let (items, dropped) = numbers();
        let summing = sum(&client, items);
        let id = call(&mut server, "sum").await;
        takes(&mut server, id, 1, FIRST).await;
        server.line(format!(r#"{{"jsonrpc":"2.0","id":{id},{answer}}}"#)).await;
        let answered = summing.await.unwrap();
        assert!(matches!(&answered, Ok(7)) || answered.unwrap_err().code() == Some(9));
        assert!(dropped.await.is_err(), "the stream is dropped");
        // what is said of it then is of a call that is over
        more(&mut server, id, 5).await;
        enough(&mut server, id).await;
        server.line(end(id)).await;
        server.answer(id, 8).await;
        server.is_well().await;
        waits(&client, &mut server).await;
        assert_eq!(client.server().unwrap().unmatched_replies(), 1);
    }
}

#[tokio::test]
async fn a_far_end_that_goes_fails_the_call_and_drops_the_stream() {
    let (client, mut server) = scripted();
    let (items, dropped) = numbers();
    let summing = sum(&client, items);
    let id = call(&mut server, "sum").await;
    takes(&mut server, id, 1, 3).await;
    drop(server);
    let fault = summing.await.unwrap().unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Disconnected);
    assert!(dropped.await.is_err(), "the stream is dropped");
}

/// It says that it has ended its direction; what it said before still counts, but no
/// answer can come.
#[tokio::test]
async fn a_far_end_that_says_no_more_fails_the_call() {
    let (client, mut server) = scripted();
    let (items, dropped) = numbers();
    let summing = sum(&client, items);
    let id = call(&mut server, "sum").await;
    takes(&mut server, id, 1, FIRST).await;
    server.finish().await;
    assert_eq!(summing.await.unwrap().unwrap_err().kind(), FaultKind::Disconnected);
    assert!(dropped.await.is_err(), "the stream is dropped");
}

#[tokio::test]
async fn room_that_makes_no_sense_is_none() {
    let (client, mut server) = scripted();
    let (items, dropped) = numbers();
    let summing = sum(&client, items);
    let id = call(&mut server, "sum").await;
    takes(&mut server, id, 1, FIRST).await;
    for items in [json!(-1), json!(1.5), json!("9"), json!(null), json!([1]), json!(1e300)] {
        more(&mut server, id, items).await;
    }
    for call in
        [json!(id + 1), json!(0), json!(-1), json!(id.to_string()), json!(null), json!({}), json!([id])]
    {
        more(&mut server, call.clone(), 5).await;
        enough(&mut server, call).await;
    }
    server.line(r#"{"jsonrpc":"2.0","method":"rpc.more"}"#).await;
    server.line(r#"{"jsonrpc":"2.0","method":"rpc.more","params":[1,5]}"#).await;
    server.line(r#"{"jsonrpc":"2.0","method":"rpc.more","params":{"call":1,"items":5,"item":1}}"#).await;
    // nor is it for the far end to end what it is sent
    server.line(end(id)).await;
    server.is_well().await;
    waits(&client, &mut server).await;
    more(&mut server, id, 2).await;
    takes(&mut server, id, 65, 66).await;
    waits(&client, &mut server).await;
    server.answer(id, 1).await;
    assert_eq!(summing.await.unwrap().unwrap(), 1);
    assert!(dropped.await.is_err());
}

/// However much is granted, and how often: what the connection has no room for is not made.
#[tokio::test]
async fn endless_room_is_bounded_by_the_connection() {
    let (client, mut server) = scripted();
    let (items, dropped) = numbers();
    let summing = sum(&client, items);
    let id = call(&mut server, "sum").await;
    for _ in 0..3 {
        more(&mut server, id, u64::MAX).await;
    }
    takes(&mut server, id, 1, 20_000).await;
    enough(&mut server, id).await;
    // what was on its way still comes, then the end, and nothing after it
    let mut next = 20_001;
    loop {
        let said = server.next().await;
        if said == end(id) {
            break;
        }
        assert_eq!(said["params"]["item"], next);
        next += 1;
    }
    // the pipe, `max_unsent`, and the half of it that streams may have, which is handed over as
    // it is and then fills anew: less than 600 KiB of at least 70 bytes each
    let on_their_way = next - 20_001;
    assert!(on_their_way < 9_000, "{on_their_way} items were on their way");
    assert!(dropped.await.is_err());
    server.answer(id, 1).await;
    assert_eq!(summing.await.unwrap().unwrap(), 1);
}

#[tokio::test]
async fn the_end_is_said_once() {
    let (client, mut server) = scripted();
    let (send, items) = mpsc::unbounded_channel::<u64>();
    let items = stream::unfold(items, async |mut items| Some((items.recv().await?, items)));
    let summing = sum(&client, items);
    let id = call(&mut server, "sum").await;
    send.send(1).unwrap();
    takes(&mut server, id, 1, 1).await;
    drop(send);
    server.expect(end(id)).await;
    enough(&mut server, id).await;
    enough(&mut server, id).await;
    more(&mut server, id, 1).await;
    server.is_well().await;
    waits(&client, &mut server).await;
    server.answer(id, 1).await;
    assert_eq!(summing.await.unwrap().unwrap(), 1);
}

/// The stream that comes back is the caller's to drop, and takes the other along.
#[tokio::test]
async fn a_stream_for_a_stream_ends_with_it() {
    let (client, mut server) = scripted();
    let (items, dropped) = numbers();
    let opening = tokio::spawn({
        let client = client.clone();
        async move { client.stream::<u64>("echo", ()).sending(items).await }
    });
    assert_eq!(server.next().await["method"], "rpc.credit");
    let id = call(&mut server, "echo").await;
    takes(&mut server, id, 1, FIRST).await;
    server.answer(id, 5).await;
    let mut echoes = opening.await.unwrap().unwrap();
    more(&mut server, id, 1).await;
    takes(&mut server, id, 65, 65).await;
    let echo = json!({"jsonrpc": "2.0", "method": "echo", "params": {"subscription": 5, "result": 1}});
    server.line(echo).await;
    assert_eq!(echoes.next().await.unwrap().unwrap(), 1);
    let over = json!({"jsonrpc": "2.0", "method": "rpc.end", "params": {"subscription": 5}});
    server.line(over).await;
    assert!(echoes.next().await.is_none());
    assert!(dropped.await.is_err(), "the stream is dropped");
    more(&mut server, id, 5).await;
    server.is_well().await;
    waits(&client, &mut server).await;
}
