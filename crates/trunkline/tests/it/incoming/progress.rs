//! How a call with a stream gets on: how long it may take, and how much is on its way,
//! where whoever takes the items, or the connection, is slow.

use super::*;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Takes an item in so many seconds, and gives how many bytes all of them had.
async fn slowly(mut items: Incoming<String>, (seconds,): (u64,)) -> Result<usize, Fault> {
    let mut bytes = 0;
    while let Some(item) = items.next().await {
        bytes += item?.len();
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
    Ok(bytes)
}

fn slow() -> Router {
    Router::new()
        .procedure("slowly", slowly)
        .procedure("declines for ever", async |numbers: Incoming<i64>| {
            drop(numbers);
            std::future::pending::<()>().await;
        })
        .procedure("waits for ever", async |mut numbers: Incoming<i64>| {
            while numbers.next().await.is_some() {}
            std::future::pending::<()>().await;
        })
}

/// Items that are passed over are no reason to let a call run for longer than it may.
#[tokio::test(start_paused = true)]
async fn what_nobody_takes_gives_a_call_no_more_time() {
    for name in ["declines for ever", "waits for ever"] {
        let mut wire = Wire::to(service(slow(), Limits::default().call_timeout(Duration::from_secs(10))));
        let begun = tokio::time::Instant::now();
        wire.line(request(1, name, json!([]))).await;
        wire.line(end(1)).await;
        let told = loop {
            wire.line(item(1, 1)).await;
            wire.line(end(1)).await;
            tokio::time::sleep(Duration::from_secs(4)).await;
            let told = wire.ask(request(2, "ping", json!([]))).await;
            if told["method"] == "rpc.enough" || told["id"] == 2 {
                assert!(begun.elapsed().as_secs() < 100, "{name}: it goes on for ever");
                continue;
            }
            break told;
        };
        assert_eq!((code(&told), &told["id"]), (-32001, &json!(1)), "{name}: {told}");
    }
}

/// What waits for the handler has come in time; that it takes one after the other does
/// not make its caller late.
#[tokio::test(start_paused = true)]
async fn the_time_of_a_call_begins_anew_as_items_are_taken() {
    let mut wire = Wire::to(service(slow(), Limits::default().call_timeout(Duration::from_secs(10))));
    wire.line(request(1, "slowly", json!([4]))).await;
    for _ in 0..WINDOW {
        wire.line(item(1, "x")).await;
    }
    wire.line(end(1)).await;
    let answer = loop {
        let told = wire.next().await;
        if told["method"] != "rpc.more" {
            break told;
        }
    };
    assert_eq!(answer["result"], WINDOW);
    // the last one is no exception
    wire.line(request(1, "slowly", json!([11]))).await;
    wire.line(item(1, "x")).await;
    wire.line(end(1)).await;
    assert_eq!(code(&wire.next().await), -32001);
}

/// Who waits for room is told of it while it still waits.
#[tokio::test(start_paused = true)]
async fn a_handler_that_takes_its_time_says_that_it_gets_on() {
    let mut wire = Wire::to(slow());
    wire.line(request(1, "slowly", json!([4]))).await;
    for _ in 0..WINDOW {
        wire.line(item(1, "x")).await;
    }
    for _ in 0..WINDOW / 2 {
        let begun = tokio::time::Instant::now();
        let told = wire.next().await;
        assert_eq!((&told["method"], &told["params"]["call"]), (&json!("rpc.more"), &json!(1)), "{told}");
        assert!(begun.elapsed().as_secs() <= 4, "{told}");
    }
}

/// It is not the caller's business how fast a handler is, as long as it gets on.
#[tokio::test(start_paused = true)]
async fn a_client_waits_for_a_handler_that_takes_its_time() {
    let client = client(slow(), Limits::default(), Router::new());
    let items = stream::iter(0..200).map(|_| "x");
    let call = client.call::<usize>("slowly", (4,)).timeout(Duration::from_secs(10));
    assert_eq!(call.sending(items).await.unwrap(), 200);
    // but not for one that does not
    let items = stream::iter(0..200).map(|_| "x");
    let call = client.call::<usize>("slowly", (11,)).timeout(Duration::from_secs(10));
    assert_eq!(call.sending(items).await.unwrap_err().kind(), FaultKind::DeadlineExceeded);
}

/// A client has no more bytes on their way than there is room for, however many items
/// it might send.
#[tokio::test(start_paused = true)]
async fn a_client_does_not_send_more_bytes_than_there_is_room_for() {
    let client = client(slow(), Limits::default().max_message(100_000), Router::new());
    for (count, bytes) in [(40, 60_000), (100, 5_000), (10, 99_000), (300, 1)] {
        let items = stream::iter(0..count).map(move |_| "x".repeat(bytes));
        let sum: usize = client.call("slowly", (1,)).sending(items).await.unwrap();
        assert_eq!(sum, count * bytes);
    }
}

/// Streams leave room on the connection for what else is to be said.
#[tokio::test(start_paused = true)]
async fn a_connection_that_is_slow_still_takes_what_is_not_of_a_stream() {
    // nobody reads what is sent
    let (client, _wire) = Wire::to_client();
    let client = client.connect_lazy().unwrap();
    let taken = Arc::new(AtomicUsize::new(0));
    for _ in 0..8 {
        let (client, taken) = (client.clone(), taken.clone());
        tokio::spawn(async move {
            let items = stream::repeat_with(move || {
                taken.fetch_add(1, Ordering::Relaxed);
                "x".repeat(10_000)
            });
            client.call::<i64>("sum", ()).sending(items).await
        });
    }
    // until nobody can do more
    tokio::time::sleep(Duration::from_millis(1)).await;
    let taken = taken.load(Ordering::Relaxed);
    // the pipe, `max_unsent`, and the half of it that streams may have, which is handed over as
    // it is and then fills anew: less than 600 KiB; and one more of each stream
    assert!((21..70).contains(&taken), "{taken} items are on their way");
    let told = tokio::time::timeout(Duration::from_secs(1), client.notify("hello", ())).await;
    told.expect("there is room for a notification").unwrap();
}

/// Sends an item of the call 1 now and then, which may wait ten seconds for each, and sees
/// that it is over ten seconds after the last.
async fn waits_ten_seconds_for_each_item(mut wire: Wire, call: String) {
    wire.line(call).await;
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_secs(8)).await;
        wire.line(item(1, 1)).await;
        wire.is_well().await;
    }
    let (begun, told) = (tokio::time::Instant::now(), wire.next().await);
    assert_eq!((code(&told), begun.elapsed().as_secs()), (-32001, 10));
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_call_begins_anew_with_each_item() {
    let wire = Wire::to(service(router(), Limits::default().call_timeout(Duration::from_secs(10))));
    waits_ten_seconds_for_each_item(wire, request(1, "sum", json!([]))).await;
}

/// How long its caller waits is said, and begins anew with each item.
#[tokio::test(start_paused = true)]
async fn a_caller_says_how_long_it_waits_for_the_next_item() {
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "sum", "timeout": 10_000});
    waits_ten_seconds_for_each_item(Wire::to(router()), call.to_string()).await;
}
