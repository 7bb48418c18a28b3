//! T20: what HTTP/2 lets a caller do without end. The connection is closed or
//! held up, the calls of others are answered, and nothing piles up.

use crate::{
    frames::{
        ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, Frames, HEADERS,
        INITIAL_WINDOW_SIZE, PING, SETTINGS, WINDOW_UPDATE, call, frame, head, header, reset, streams,
    },
    support::{SUM, SUMMED, Server, plain, start},
};
use std::{iter::repeat_n, time::Duration};
use tokio::{runtime::Handle, time::Instant};
use trunkline_core::Limits;

const WAIT: &str = r#"{"jsonrpc":"2.0","id":1,"method":"wait"}"#;

/// That somebody else is served.
async fn neighbours_are_served(server: &Server) {
    assert_eq!(server.post("/", SUM).await.body, SUMMED);
    let mut other = Frames::to(server, &[]).await;
    other.send(&call(1, SUM)).await.unwrap();
    assert_eq!(other.answer(1).await, SUMMED);
}

/// Waits until no more tasks are there than these.
async fn tasks_are_back_to(count: usize) {
    while Handle::current().metrics().num_alive_tasks() > count {
        tokio::task::yield_now().await;
    }
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// RUSTSEC-2023-0034, 2024-0003: calls that are taken back as soon as they are made.
#[tokio::test]
async fn a_flood_of_resets_ends_the_connection() {
    let server = plain().await;
    let before = tasks();
    let flood = Frames::to(&server, &[]).await;
    let calls = streams().take(100_000).map(|stream| [call(stream, WAIT), reset(stream)].concat());
    let ((_, parting), ()) = tokio::join!(flood.flood(calls), neighbours_are_served(&server));
    assert_eq!(parting, Some(ENHANCE_YOUR_CALM));
    neighbours_are_served(&server).await;
    tasks_are_back_to(before).await;
}

/// The same at leisure, which is no more than to make calls and to give them up.
#[tokio::test]
async fn a_call_that_is_reset_is_given_up() {
    let server = plain().await;
    let before = tasks();
    let mut caller = Frames::to(&server, &[]).await;
    for stream in streams().take(1000) {
        caller.send(&call(stream, WAIT)).await.unwrap();
        server.gate.reached.notified().await;
        caller.send(&reset(stream)).await.unwrap();
        server.gate.left.notified().await;
    }
    caller.send(&call(2001, SUM)).await.unwrap();
    assert_eq!(caller.answer(2001).await, SUMMED);
    neighbours_are_served(&server).await;
    drop(caller);
    tasks_are_back_to(before).await;
}

/// RUSTSEC-2024-0332: a head that never ends.
#[tokio::test]
async fn a_flood_of_continuations_ends_the_connection() {
    let server = plain().await;
    let begin = frame(HEADERS, 0, 1, &head());
    for piece in [header(&[b'y'; 100]).repeat(150), header(b"y"), Vec::new()] {
        let flood = Frames::to(&server, &[]).await;
        let on_and_on = repeat_n(frame(CONTINUATION, 0, 1, &piece), 1_000_000);
        let flood = flood.flood([begin.clone()].into_iter().chain(on_and_on));
        let ((sent, parting), ()) = tokio::join!(flood, neighbours_are_served(&server));
        assert_eq!(parting, Some(ENHANCE_YOUR_CALM));
        assert!(sent < 64 << 20, "it went on for {sent} bytes");
    }
}

#[tokio::test]
async fn a_head_over_the_limit_is_refused_and_the_connection_serves_on() {
    let server = start(Limits::default().max_head(9000), |http, endpoint| http.endpoint("/", endpoint)).await;
    let mut caller = Frames::to(&server, &[]).await;
    let more = header(&[b'y'; 100]).repeat(90);
    let whole = frame(HEADERS, END_HEADERS | END_STREAM, 1, &[head(), more.clone()].concat());
    let continued =
        [frame(HEADERS, END_STREAM, 3, &head()), frame(CONTINUATION, END_HEADERS, 3, &more)].concat();
    // `:status` by its number in the table, and 431 as Huffman has it; then both by the number they got
    let refusals = [&[0x48, 0x83, 0x69, 0x90, 0xff][..], &[0xbe]];
    for (stream, request, refusal) in [(1, whole, refusals[0]), (3, continued, refusals[1])] {
        caller.send(&request).await.unwrap();
        let answer = caller.find(HEADERS).await.unwrap();
        assert_eq!((answer.stream, answer.flags), (stream, END_HEADERS | END_STREAM));
        assert_eq!(answer.payload, refusal);
    }
    caller.send(&call(5, SUM)).await.unwrap();
    assert_eq!(caller.answer(5).await, SUMMED);
}

/// RUSTSEC-2026-0258: a body of nothing, without end.
#[tokio::test]
async fn a_flood_of_empty_pieces_ends_the_connection() {
    let server = plain().await;
    let flood = Frames::to(&server, &[]).await;
    let begin = frame(HEADERS, END_HEADERS, 1, &head());
    let nothing = repeat_n(frame(DATA, 0, 1, b"").repeat(100), 20_000);
    let flood = flood.flood([begin].into_iter().chain(nothing));
    let ((_, parting), ()) = tokio::join!(flood, neighbours_are_served(&server));
    assert_eq!(parting, Some(ENHANCE_YOUR_CALM));
}

/// What has to be answered is answered, one by one, and others have their turn.
#[tokio::test]
async fn floods_that_are_answered_hold_nobody_up() {
    let server = plain().await;
    for (kind, payload) in [(PING, &b"are you?"[..]), (SETTINGS, &[0, 3, 0, 0, 0, 100])] {
        let mut flood = Frames::to(&server, &[]).await;
        // the settings with which it began are acknowledged first
        assert_ne!(flood.find(SETTINGS).await.unwrap().flags & ACK, ACK);
        assert_eq!(flood.find(SETTINGS).await.unwrap().flags & ACK, ACK);
        let flooding = frame(kind, 0, 0, payload);
        tokio::join!(flood.acknowledged(&flooding, 10_000), neighbours_are_served(&server));
        flood.send(&call(1, SUM)).await.unwrap();
        assert_eq!(flood.answer(1).await, SUMMED);
    }
}

/// One who does not take the answers is not listened to, and cut off.
#[tokio::test(start_paused = true)]
async fn floods_whose_answers_are_not_taken_end_with_the_connection() {
    let server = plain().await;
    for (kind, payload) in [(PING, &b"are you?"[..]), (SETTINGS, &[0, 3, 0, 0, 0, 100])] {
        let mut flood = Frames::to(&server, &[]).await;
        let many = frame(kind, 0, 0, payload).repeat(10_000);
        let (mut sent, since) = (0, Instant::now());
        while flood.send(&many).await.is_ok() {
            sent += many.len();
            assert!(sent < 64 << 20, "the server goes on reading");
            neighbours_are_served(&server).await;
        }
        assert!(since.elapsed() >= Duration::from_secs(30), "the limit `stall_timeout`");
    }
}

/// A reply for which there is never room.
#[tokio::test(start_paused = true)]
async fn replies_that_are_not_taken_end_with_the_connection() {
    let server = plain().await;
    let before = tasks();
    let mut caller = Frames::to(&server, &[(INITIAL_WINDOW_SIZE, 0)]).await;
    let blob = r#"{"jsonrpc":"2.0","id":1,"method":"blob","params":[1000000]}"#;
    let since = Instant::now();
    for stream in streams().take(20) {
        caller.send(&call(stream, blob)).await.unwrap();
    }
    // it keeps up appearances
    let mut heads = 0;
    while let Some(heard) = caller.next().await {
        match heard.kind {
            PING if heard.flags & ACK == 0 => {
                caller.send(&frame(PING, ACK, 0, &heard.payload)).await.unwrap()
            }
            HEADERS => heads += 1,
            DATA => panic!("{heard:?} was sent without room for it"),
            _ => {}
        }
        neighbours_are_served(&server).await;
    }
    let elapsed = since.elapsed();
    assert!((1..20).contains(&heads), "{heads} replies of a megabyte: the others were not to be made");
    assert!((30..=61).contains(&elapsed.as_secs()), "closed after {elapsed:?}");
    drop(caller);
    tasks_are_back_to(before).await;
}

/// One that is taken a byte at a time arrives.
#[tokio::test]
async fn a_tiny_window_is_room_for_what_fits_into_it() {
    let server = plain().await;
    let mut caller = Frames::to(&server, &[(INITIAL_WINDOW_SIZE, 1)]).await;
    caller.send(&call(1, SUM)).await.unwrap();
    let mut body = Vec::new();
    while body.len() < SUMMED.len() {
        let piece = caller.find(DATA).await.unwrap();
        assert_eq!(piece.payload.len(), 1);
        body.extend(piece.payload);
        caller.send(&frame(WINDOW_UPDATE, 0, 1, &1_u32.to_be_bytes())).await.unwrap();
    }
    assert_eq!(body, SUMMED.as_bytes());
}
