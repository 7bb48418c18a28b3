//! HTTP/2: callers make room for replies as they please. What they do not take is
//! bounded, and is not kept for ever; what has yet to be made is waited for.

use crate::{
    frames::{
        ACK, DATA, END_HEADERS, END_STREAM, Frame, Frames, HEADERS, INITIAL_WINDOW_SIZE, PING, WINDOW_UPDATE,
        call, frame, streams,
    },
    support::{let_go_by, plain, start},
};
use axum::{Router as Axum, body::Body, routing};
use futures_util::{StreamExt, stream};
use std::{convert::Infallible, time::Duration};
use tokio::time::{Instant, sleep};
use trunkline_core::Limits;

const HOUR: Duration = Duration::from_secs(3600);

fn blob(size: usize) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"blob","params":[{size}]}}"#)
}

/// Asks for a path, as HPACK has it without any of its arts.
fn get(stream: u32, path: &str) -> Vec<u8> {
    let len = u8::try_from(path.len()).unwrap();
    // `:method: GET`, `:scheme: http`, then `:path` and `:authority`
    let head = [&[0x82, 0x86, 0x04, len], path.as_bytes(), &[0x01, 9], b"localhost"].concat();
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &head)
}

/// Makes room for so many bytes on a stream, and on the connection.
async fn take(caller: &mut Frames, stream: u32, bytes: u32) {
    for stream in [stream, 0] {
        caller.send(&frame(WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes())).await.unwrap();
    }
}

/// The next piece of an answer; the server is shown that somebody is there.
async fn next(caller: &mut Frames) -> Option<Frame> {
    loop {
        let heard = caller.next().await?;
        match heard.kind {
            PING if heard.flags & ACK == 0 => {
                caller.send(&frame(PING, ACK, 0, &heard.payload)).await.unwrap();
            }
            HEADERS | DATA => return Some(heard),
            _ => {}
        }
    }
}

/// What comes before the answer to a ping: how many answers begin.
async fn heads_by_now(caller: &mut Frames) -> usize {
    caller.send(&frame(PING, 0, 0, b"and now?")).await.unwrap();
    let mut heads = 0;
    loop {
        match caller.next().await.unwrap() {
            heard if heard.kind == PING && heard.flags & ACK != 0 => return heads,
            heard => heads += usize::from(heard.kind == HEADERS),
        }
    }
}

/// The seconds until the server has had enough, and the answers that have begun.
async fn given_up(mut caller: Frames) -> (u64, usize) {
    let (since, mut heads) = (Instant::now(), 0);
    while let Some(heard) = caller.next().await {
        heads += usize::from(heard.kind == HEADERS);
        // an hour of signs of life, and of nothing else
        if heard.kind == PING && since.elapsed() < HOUR {
            caller.send(&frame(PING, ACK, 0, &heard.payload)).await.unwrap();
        }
    }
    (since.elapsed().as_secs(), heads)
}

#[tokio::test]
async fn calls_wait_while_too_much_has_not_been_taken() {
    const SIZE: u32 = 1_000_000;
    let server = plain().await;
    let mut caller = Frames::to(&server, &[(INITIAL_WINDOW_SIZE, 0)]).await;
    for stream in streams().take(3) {
        caller.send(&call(stream, &blob(SIZE as usize))).await.unwrap();
    }
    let first = next(&mut caller).await.unwrap();
    for _ in 0..3 {
        assert_eq!(heads_by_now(&mut caller).await, 0, "one is made, and no other");
    }
    take(&mut caller, first.stream, 2 * SIZE).await;
    let (mut arrived, mut whole) = (0, 0);
    while whole < 3 {
        let heard = next(&mut caller).await.unwrap();
        match heard.kind {
            HEADERS => take(&mut caller, heard.stream, 2 * SIZE).await,
            _ => arrived += heard.payload.len(),
        }
        whole += usize::from(heard.flags & END_STREAM != 0);
    }
    assert!(arrived > 3 * SIZE as usize);
}

#[tokio::test(start_paused = true)]
async fn what_hyper_has_been_given_is_not_taken_yet() {
    let server = plain().await;
    // there is room for the first byte of each, so all of it is handed over
    let mut caller = Frames::to(&server, &[(INITIAL_WINDOW_SIZE, 1)]).await;
    for stream in streams().take(100) {
        caller.send(&call(stream, &blob(15_000))).await.unwrap();
    }
    let (seconds, heads) = given_up(caller).await;
    assert!((17..30).contains(&heads), "{heads} replies of 15 kB, where the limit is 256 KiB");
    assert_eq!(seconds, 30, "the limit `stall_timeout`");
}

#[tokio::test]
async fn a_reply_that_is_taken_slowly_arrives() {
    const PIECE: u32 = 16 << 10;
    let server = plain().await;
    let mut caller = Frames::to(&server, &[(INITIAL_WINDOW_SIZE, 0)]).await;
    caller.send(&call(1, &blob(200_000))).await.unwrap();
    let mut arrived = 0;
    loop {
        let heard = next(&mut caller).await.unwrap();
        if heard.kind == DATA {
            arrived += heard.payload.len();
        }
        if heard.flags & END_STREAM != 0 {
            break;
        }
        if arrived % PIECE as usize == 0 {
            let_go_by(Duration::from_secs(29)).await;
            take(&mut caller, 1, PIECE).await;
        }
    }
    assert!(arrived > 200_000);
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_is_no_slow_caller() {
    let server = plain().await;
    let mut caller = Frames::to(&server, &[]).await;
    caller.send(&call(1, r#"{"jsonrpc":"2.0","id":1,"method":"wait"}"#)).await.unwrap();
    let since = Instant::now();
    let answer = caller.answer(1).await;
    assert!(answer.contains("Deadline exceeded"), "{answer}");
    assert_eq!(since.elapsed().as_secs(), 60, "the limit `call_timeout`, twice `stall_timeout`");
}

/// A body that pauses for a quarter of an hour, and one that is large.
fn mounted() -> Axum {
    let piece = |text: &'static str| stream::iter([Ok::<_, Infallible>(text)]);
    let pausing = move || async move {
        let later = stream::once(sleep(Duration::from_secs(900))).flat_map(move |()| piece("second"));
        Body::from_stream(piece("first, ").chain(later))
    };
    Axum::new()
        .route("/pausing", routing::get(pausing))
        .route("/large", routing::get(async || "x".repeat(1_000_000)))
}

#[tokio::test(start_paused = true)]
async fn what_others_have_yet_to_make_is_waited_for() {
    let server = start(Limits::default(), |http, _| http.mount(mounted())).await;
    let mut caller = Frames::to(&server, &[]).await;
    caller.send(&get(1, "/pausing")).await.unwrap();
    let mut body = Vec::new();
    loop {
        let heard = next(&mut caller).await.unwrap();
        if heard.kind == DATA {
            body.extend(heard.payload);
        }
        if heard.flags & END_STREAM != 0 {
            break;
        }
    }
    assert_eq!(body, b"first, second");
}

#[tokio::test(start_paused = true)]
async fn what_others_have_made_has_to_be_taken() {
    let server = start(Limits::default(), |http, _| http.mount(mounted())).await;
    let mut caller = Frames::to(&server, &[(INITIAL_WINDOW_SIZE, 0)]).await;
    for stream in streams().take(3) {
        caller.send(&get(stream, "/large")).await.unwrap();
    }
    let (seconds, heads) = given_up(caller).await;
    assert_eq!(seconds, 30, "the limit `stall_timeout`");
    assert!((1..3).contains(&heads), "{heads} replies of a megabyte were made");
}
