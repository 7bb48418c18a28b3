//! Streams as a client has them.

use super::*;

#[tokio::test]
async fn a_client_hears_all_items_and_the_end() {
    let client = to(router());
    let (items, fault) = all(client.stream::<u64>("count", (100,)).await.unwrap()).await;
    assert_eq!((items, fault.is_none()), ((1..=100).collect(), true));
    let (items, fault) = all(client.stream::<u64>("breaks", ()).await.unwrap()).await;
    assert_eq!((items, fault.unwrap().message()), (vec![1], "broken"));
    assert_eq!(client.stream::<u8>("refuses", ()).await.unwrap_err().message(), "not today");
    let no_stream = client.stream::<u8>("flag", ()).await;
    assert_eq!(no_stream.unwrap_err().kind(), FaultKind::InvalidReply);
}

#[tokio::test]
async fn a_client_that_drops_a_stream_ends_it_there() {
    let (router, mut dropped) = watched();
    let client = to(router);
    let mut stream = client.stream::<u8>("watched", ()).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), 7);
    drop(stream);
    dropped.recv().await.unwrap();

    // one that is given up before it is open too
    let mut opening = client.stream::<u8>("watched", ()).into_future();
    assert!(futures_util::poll!(&mut opening).is_pending());
    drop(opening);
    dropped.recv().await.unwrap();
}

#[tokio::test]
async fn who_is_slow_to_listen_loses_nothing() {
    let client = to(router());
    let stream = client.stream::<u64>("count", (1000,)).max_waiting(10).await.unwrap();
    let _: Result<u8, _> = client.call("none", ()).await;
    let (items, fault) = all(stream).await;
    assert_eq!((items, fault.is_none()), ((1..=1000).collect(), true));
}

/// Another server knows nothing of credit.
#[tokio::test]
async fn who_does_not_listen_to_another_server_in_time_is_told() {
    let (client, mut server) = Wire::to_client();
    let client = client.connect_lazy().unwrap();
    let script = async {
        assert_eq!(server.next().await["method"], "rpc.credit");
        let id = server.expect_call("sub", ()).await;
        let mut said = format!("{}\n", json!({"jsonrpc": "2.0", "id": id, "result": 5}));
        for n in 1..=12 {
            said += &format!("{}\n", item(&json!(5), "whatever", n));
        }
        server.send(said).await;
    };
    let opening = client.stream::<u64>("sub", ()).max_waiting(10).unsubscribe("unsub");
    let (stream, ()) = tokio::join!(opening.into_future(), script);
    let (items, fault) = all(stream.unwrap()).await;
    assert_eq!(items, (1..=10).collect::<Vec<_>>());
    assert!(fault.unwrap().message().contains("`max_waiting`"));
    server.expect_call("unsub", [5]).await;
}

#[tokio::test]
async fn a_client_counts_what_it_missed() {
    let (send, ticks) = fed();
    let router =
        Router::new().procedure("ticks", ticks.lag(Lag::Coalesce)).procedure("ping", async || "pong");
    let client = to(router);
    let mut stream = client.stream::<u64>("ticks", ()).max_waiting(2).await.unwrap();
    for n in 1..=10 {
        send.send(n).unwrap();
    }
    let _: String = client.call("ping", ()).await.unwrap();
    let mut seen = vec![];
    while let Some(item) = stream.next().await {
        seen.push(item.unwrap());
        if seen.last() == Some(&10) {
            break;
        }
    }
    assert_eq!(stream.missed() + seen.len() as u64, 10, "{seen:?}");
    assert!(stream.missed() > 0);
}

#[tokio::test]
async fn a_stream_breaks_off_with_its_connection() {
    let client = to(router());
    let stream: Subscription<u8> = client.stream("silent", ()).await.unwrap();
    client.server().unwrap().abort();
    let (items, fault) = all(stream).await;
    assert_eq!((items.len(), fault.unwrap().kind()), (0, FaultKind::Disconnected));
}

#[tokio::test]
async fn an_item_of_another_type_ends_the_stream() {
    let client = to(router());
    let (items, fault) = all(client.stream::<String>("count", (3,)).await.unwrap()).await;
    assert_eq!((items.len(), fault.unwrap().kind()), (0, FaultKind::InvalidReply));
}

/// A server that gives every stream the same id, which none can be told apart by.
#[tokio::test]
async fn a_stream_whose_id_is_given_to_another_breaks_off() {
    let (client, mut server) = Wire::to_client();
    let client = client.connect_lazy().unwrap();
    let mut open = async || {
        let script = async {
            assert_eq!(server.next().await["method"], "rpc.credit");
            let id = server.expect_call("sub", ()).await;
            server.answer(id, 5).await;
            server.line(item(&json!(5), "sub", 1)).await;
        };
        tokio::join!(client.stream::<u64>("sub", ()).into_future(), script).0.unwrap()
    };
    let mut first = open().await;
    assert_eq!(first.next().await.unwrap().unwrap(), 1);
    let mut second = open().await;
    assert_eq!(second.next().await.unwrap().unwrap(), 1);
    assert_eq!(first.next().await.unwrap().unwrap_err().kind(), FaultKind::InvalidReply);
    assert!(first.next().await.is_none());
}

/// While the server waits for an answer itself, it goes on with what waits for room.
#[tokio::test]
async fn a_stream_goes_on_while_a_call_of_the_server_is_not_answered() {
    let ask = async |peer: Peer| {
        tokio::spawn(async move { peer.call::<u8>("never.answered", ()).await });
    };
    let router = router().procedure("ask", ask);
    let mut wire = Wire::to(service(router, Limits::default().max_unsent(2_000)));
    assert!(wire.ask(request(1, "ask", json!([]))).await.get("result").is_some());
    assert_eq!(wire.next().await["method"], "never.answered");
    let id = open(&mut wire, "count", json!([3000])).await;
    for n in 1..=3000 {
        assert_eq!(wire.next().await, item(&id, "count", n));
    }
}
