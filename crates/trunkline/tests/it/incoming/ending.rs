//! How a stream that a caller sends ends, and what ends with it.

use super::*;

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
