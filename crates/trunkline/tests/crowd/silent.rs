//! T10: thousands who connect and say nothing, or never come to the point. They
//! cost little, nobody waits for them, and they are cut off in the end.
//!
//! They connect in real time; then the clock is stopped, and moves on when nobody
//! has anything to do.

use crate::server::{memory, serve};
use futures_util::future::join_all;
use std::{net::SocketAddr, process::Command, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};
use trunkline::Limits;

/// As many of them as are asked for.
const THOUSANDS: usize = 4000;
/// What may be left of the descriptors of this process for all else.
const OTHERS: usize = 100;

/// How many may come: each has a descriptor at either end.
fn crowd() -> usize {
    let limit = Command::new("sh").args(["-c", "ulimit -n"]).output().unwrap();
    let limit = String::from_utf8(limit.stdout).unwrap();
    let room = limit.trim().parse().map_or(THOUSANDS, |limit: usize| (limit - OTHERS) / 2);
    room.min(THOUSANDS)
}

/// One of a crowd.
struct Silent {
    stream: TcpStream,
    since: Instant,
    /// How long the server may wait for more.
    limit: Duration,
}

/// Connects `count` times. They begin with these words, in turn, for which the
/// server waits so many seconds.
async fn connect(at: SocketAddr, count: usize, words: &[(&str, u64)]) -> Vec<Silent> {
    let mut crowd = Vec::with_capacity(count);
    for &(words, limit) in words.iter().cycle().take(count) {
        let since = Instant::now();
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all(words.as_bytes()).await.unwrap();
        crowd.push(Silent { stream, since, limit: Duration::from_secs(limit) });
    }
    crowd
}

/// Stops the clock, and waits until each of a crowd has been cut off, at its time.
async fn are_cut_off(crowd: Vec<Silent>) {
    tokio::time::pause();
    let now = Instant::now();
    let cut_off = crowd.into_iter().map(async |mut silent| {
        // a reset is an end as well
        let _ = silent.stream.read_to_end(&mut Vec::new()).await;
        let after = (silent.since.elapsed(), now.elapsed());
        assert!(after.0 >= silent.limit, "cut off after {after:?}");
        assert!(after.1 <= silent.limit + Duration::from_secs(1), "cut off after {after:?}");
    });
    join_all(cut_off).await;
}

/// Fails if the memory has grown by more than this for each of a crowd.
#[track_caller]
fn costs_at_most(each: usize, crowd: &[Silent], before: usize) {
    let grown = memory().saturating_sub(before) / crowd.len();
    assert!(grown <= each, "{grown} bytes of memory for each of {}", crowd.len());
}

#[tokio::test]
async fn who_never_comes_to_a_request_is_cut_off() {
    let server = serve(Limits::default().handshake_timeout(Duration::from_secs(10))).await;
    server.serves().await;
    let before = memory();
    let words = ["", "P", "POST / HTTP/1.1\r\nhost: localhost\r\nx: ", "PRI * HTTP/2.0\r\n"];
    let crowd = connect(server.http, crowd(), &words.map(|words| (words, 10))).await;
    server.serves().await;
    costs_at_most(16 << 10, &crowd, before);
    are_cut_off(crowd).await;
    server.serves().await;
}

#[tokio::test]
async fn who_says_nothing_on_a_stream_is_cut_off() {
    let limits = Limits::default().idle_timeout(Duration::from_secs(100));
    let server = serve(limits.message_timeout(Duration::from_secs(50))).await;
    server.serves().await;
    let before = memory();
    let crowd = connect(server.tcp, crowd(), &[("", 100), ("{\"jsonrpc\":", 50)]).await;
    server.serves().await;
    costs_at_most(16 << 10, &crowd, before);
    are_cut_off(crowd).await;
    server.serves().await;
}

#[tokio::test]
async fn who_is_one_too_many_is_turned_away() {
    let crowd = crowd();
    let limits = Limits::default().max_connections(crowd / 2).handshake_timeout(Duration::from_secs(10));
    let server = serve(limits).await;
    let neighbours = [server.client("ws").await, server.client("tcp").await];
    let before = memory();
    let mut crowd = connect(server.http, crowd, &[("", 10)]).await;
    // one of those who were let in is a neighbour
    let refused = crowd.split_off(crowd.len() / 2 - 1);
    for mut silent in refused {
        assert!(matches!(silent.stream.read(&mut [0]).await, Ok(0) | Err(_)), "it is closed at once");
    }
    for neighbour in &neighbours {
        assert_eq!(neighbour.call::<String>("ping", ()).await.unwrap(), "pong");
    }
    costs_at_most(16 << 10, &crowd, before);
    are_cut_off(crowd).await;
    server.serves().await;
}
