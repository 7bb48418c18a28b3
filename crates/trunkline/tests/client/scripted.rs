//! What a far side may do that a good server does not.

use crate::support::{accept, listen, scripted};
use serde_json::json;
use std::time::Duration;
use tokio::task::JoinHandle;
use trunkline::{
    Client, Fault, FaultKind, Limits, Router,
    client::{ConnectionState, Reconnect},
    testing::Wire,
};

fn call(client: &Client, procedure: &'static str) -> JoinHandle<Result<i64, Fault>> {
    let client = client.clone();
    tokio::spawn(async move { client.call::<i64>(procedure, ()).await })
}

#[tokio::test]
async fn what_is_said_on_the_wire() {
    let (client, mut server) = scripted();
    let calling = call(&client, "now");
    server.expect(json!({"jsonrpc": "2.0", "id": 1, "method": "now"})).await;
    server.answer(1, 42).await;
    assert_eq!(calling.await.unwrap().unwrap(), 42);
    client.notify("log", ("x", 1)).await.unwrap();
    server.expect(json!({"jsonrpc": "2.0", "method": "log", "params": ["x", 1]})).await;
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_the_call_and_tells_the_server() {
    let (client, mut server) = scripted();
    let fault = client.call::<i64>("slow", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::DeadlineExceeded);
    let id = server.expect_call("slow", ()).await;
    server.expect(json!({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": id}})).await;
}

#[tokio::test(start_paused = true)]
async fn deadlines_are_those_that_were_asked_for() {
    let (client, _server) = Wire::to_client();
    let client = client.call_timeout(Duration::from_secs(7)).connect_lazy().unwrap();
    for (timeout, expected) in [(None, 7), (Some(2), 2), (Some(90), 90)] {
        let begun = tokio::time::Instant::now();
        let call = client.call::<i64>("slow", ());
        let answer = match timeout {
            Some(seconds) => call.timeout(Duration::from_secs(seconds)).await,
            None => call.await,
        };
        assert_eq!(answer.unwrap_err().kind(), FaultKind::DeadlineExceeded);
        assert_eq!(begun.elapsed().as_secs(), expected);
    }
    let begun = tokio::time::Instant::now();
    let batch = client.batch().call("slow", ()).unwrap().call("slow", ()).unwrap();
    let answers = batch.timeout(Duration::from_secs(3)).send().await.unwrap();
    for answer in &answers {
        assert_eq!(answer.as_ref().unwrap_err().kind(), FaultKind::DeadlineExceeded);
    }
    assert_eq!((answers.len(), begun.elapsed().as_secs()), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_read_cannot_keep_a_call_beyond_its_deadline() {
    let (client, _server) = scripted();
    let peer = client.server().unwrap();
    // until nothing moves any more, in the stream either
    for _ in 0..100 {
        while peer.notify("noise", ["x".repeat(10_000)]).is_ok() {}
        tokio::task::yield_now().await;
    }
    let fault = client.notify("noise", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Unavailable);
    let second = Duration::from_secs(1);
    let fault = client.call::<i64>("add", ()).timeout(second).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::DeadlineExceeded);
    assert!(fault.message().contains("does not read"), "{fault}");
    let fault = peer.call::<i64>("add", ()).timeout(second).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::DeadlineExceeded);
    let batch = client.batch().call("add", ()).unwrap().timeout(second);
    assert_eq!(batch.send().await.unwrap_err().kind(), FaultKind::DeadlineExceeded);
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_dropped_and_counted() {
    let (client, mut server) = scripted();
    client.call::<i64>("slow", ()).await.unwrap_err();
    let late = server.expect_call("slow", ()).await;
    server.next().await; // the cancellation
    server.answer(late, 1).await;
    server.answer(4711, 1).await;
    let calling = call(&client, "now");
    let id = server.expect_call("now", ()).await;
    server.answer(id, 2).await;
    assert_eq!(calling.await.unwrap().unwrap(), 2);
    assert_eq!(client.server().unwrap().unmatched_replies(), 2);
}

#[tokio::test]
async fn an_answer_that_comes_twice_counts_once() {
    let (client, mut server) = scripted();
    let first = call(&client, "a");
    let id = server.expect_call("a", ()).await;
    let second = call(&client, "b");
    let next = server.expect_call("b", ()).await;
    server.answer(&id, 1).await;
    server.answer(id, 666).await;
    server.answer(next, 2).await;
    assert_eq!(first.await.unwrap().unwrap(), 1);
    assert_eq!(second.await.unwrap().unwrap(), 2);
    assert_eq!(client.server().unwrap().unmatched_replies(), 1);
}

#[tokio::test]
async fn an_answer_that_is_none_fails_its_call_and_no_other() {
    let (client, mut server) = scripted();
    for malformed in
        [r#""result":1,"error":{"code":1,"message":"x"}"#, r#""error":"no""#, r#""result":"text""#]
    {
        let (bad, good) = (call(&client, "a"), call(&client, "a"));
        let (first, second) = (server.expect_call("a", ()).await, server.expect_call("a", ()).await);
        server.line(format!(r#"{{"jsonrpc":"2.0","id":{first},{malformed}}}"#)).await;
        server.answer(second, 7).await;
        let answers = [bad.await.unwrap(), good.await.unwrap()];
        let kinds = answers.map(|answer| answer.map_err(|fault| fault.kind()));
        assert!(
            kinds.contains(&Ok(7)) && kinds.contains(&Err(FaultKind::InvalidReply)),
            "{malformed}: {kinds:?}"
        );
    }
}

#[tokio::test]
async fn dropping_a_call_takes_it_back() {
    let (client, mut server) = scripted();
    let calling = call(&client, "slow");
    let id = server.expect_call("slow", ()).await;
    calling.abort();
    server.expect(json!({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": id}})).await;
}

#[tokio::test]
async fn dropping_a_batch_takes_back_what_has_no_answer_yet() {
    let (client, mut server) = scripted();
    let sending = tokio::spawn({
        let client = client.clone();
        async move { client.batch().call("a", ())?.call("b", ())?.send().await }
    });
    let batch = server.next().await;
    let id = |at: usize| batch[at]["id"].as_u64().unwrap();
    server.answer(id(0), 1).await;
    // the answer to the next call shows that the one before has been heard
    let calling = call(&client, "c");
    let next = server.expect_call("c", ()).await;
    server.answer(next, 1).await;
    calling.await.unwrap().unwrap();
    sending.abort();
    server.expect(json!({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": id(1)}})).await;
    client.notify("end", ()).await.unwrap();
    assert_eq!(server.next().await["method"], "end", "what was answered is not taken back");
}

#[tokio::test]
async fn a_connection_that_breaks_fails_what_waits_on_it() {
    let (listener, address) = listen().await;
    let client = Client::builder(address).reconnect(Reconnect::never()).connect().await.unwrap();
    let mut server = accept(&listener).await;
    let callings: Vec<_> = (0..10).map(|_| call(&client, "slow")).collect();
    for _ in 0..10 {
        server.expect_call("slow", ()).await;
    }
    drop(server);
    for calling in callings {
        let fault = calling.await.unwrap().unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Disconnected);
        assert!(fault.message().contains("whether the procedure ran is not known"), "{fault}");
    }
    let fault = client.call::<i64>("slow", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Disconnected);
    assert!(fault.message().contains("is not made anew"), "{fault}");
    assert!(client.server().is_none());
}

#[tokio::test]
async fn half_a_message_ends_the_connection_in_the_end() {
    let (listener, address) = listen().await;
    let limits = Limits::default().message_timeout(Duration::from_millis(20));
    let client =
        Client::builder(address).limits(limits).reconnect(Reconnect::never()).connect().await.unwrap();
    let mut server = accept(&listener).await;
    server.send("{\"jsonrpc\":").await;
    client.states().wait_for(|state| *state == ConnectionState::Closed).await.unwrap();
    let fault = client.call::<i64>("add", ()).await.unwrap_err();
    assert!(fault.message().contains("`message_timeout`"), "{fault}");
}

/// A server that has said all it has to say, while a call of its own still runs
/// here, answers nothing any more.
#[tokio::test(start_paused = true)]
async fn a_server_that_has_said_its_last_is_not_asked_again_and_again() {
    let own = Router::new().procedure("slow", async || tokio::time::sleep(Duration::from_secs(20)).await);
    let (client, mut server) = Wire::to_client();
    let client = client.router(own).connect_lazy().unwrap();
    server.line(r#"{"jsonrpc":"2.0","id":1,"method":"slow"}"#).await;
    server.finish().await;
    while client.server().is_none_or(|peer| peer.is_open()) {
        tokio::task::yield_now().await;
    }
    let begun = tokio::time::Instant::now();
    let answer = client.call::<i64>("add", (1, 2)).timeout(Duration::from_secs(5)).await;
    assert_eq!(answer.unwrap_err().kind(), FaultKind::DeadlineExceeded);
    assert_eq!(begun.elapsed().as_secs(), 5);
}
