//! How much a caller may send, and what becomes of one that sends more.

use super::*;

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
    let mut wire = Wire::to(service(router(), Limits::default().max_message(1000)));
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
    let mut wire = Wire::to(service(router(), Limits::default().max_message(1000)));
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
async fn streams_of_both_directions_are_limited_together() {
    let mut wire = Wire::to(service(router(), Limits::default().max_streams(3)));
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
    let mut wire = Wire::to(service(router(), Limits::default().max_in_flight(1).max_batch(0)));
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
    let mut wire = Wire::to(service(router, Limits::default().max_in_flight(3)));
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

/// Each item repeats it, and it is kept as long as the call is.
#[tokio::test]
async fn the_id_of_a_call_with_a_stream_is_short() {
    let mut wire = Wire::to(router());
    for (length, may) in [(254, true), (255, false), (100_000, false)] {
        let id = "i".repeat(length);
        wire.line(request(id.as_str(), "sum", json!([]))).await;
        let told = wire.ask(end(id.as_str())).await;
        assert_eq!(told["id"], id);
        match may {
            true => assert_eq!(told["result"], 0),
            false => assert_eq!(code(&told), -32600, "{told}"),
        }
    }
    wire.is_well().await;
}
