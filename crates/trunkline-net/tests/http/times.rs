//! Sizes and times of heads, idleness, and those who do not read. The clock is
//! stopped: it moves on when nobody has anything to do.

use crate::support::{SUM, SUMMED, response, rest, start};
use std::time::Duration;
use tokio::{io::AsyncWriteExt, net::TcpStream, time::Instant};
use trunkline_core::Limits;

fn limits() -> Limits {
    Limits::default()
        .handshake_timeout(Duration::from_secs(10))
        .message_timeout(Duration::from_secs(60))
        .idle_timeout(Duration::from_secs(300))
}

/// What comes back until the server closes, and after how many seconds it does.
async fn ended(stream: &mut TcpStream) -> (String, u64) {
    let since = Instant::now();
    let answer = rest(stream).await;
    (answer, since.elapsed().as_secs())
}

const HEAD: &str = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";

fn request() -> String {
    format!("{HEAD}content-length: {}\r\n\r\n{SUM}", SUM.len())
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_is_closed() {
    let server = start(limits(), |http, endpoint| http.endpoint("/", endpoint)).await;
    let mut stream = server.connect().await;
    assert_eq!(ended(&mut stream).await, (String::new(), 10));
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_end_is_cut_off_however_it_trickles() {
    let server = start(limits(), |http, endpoint| http.endpoint("/", endpoint)).await;
    for earlier in [false, true] {
        let mut stream = server.connect().await;
        if earlier {
            stream.write_all(request().as_bytes()).await.unwrap();
            assert_eq!(response(&mut stream).await.body, SUMMED);
        }
        let since = Instant::now();
        let trickle = async {
            for byte in HEAD.as_bytes().iter().cycle() {
                if stream.write_all(&[*byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(900)).await;
            }
        };
        trickle.await;
        let elapsed = since.elapsed().as_secs();
        assert!((10..13).contains(&elapsed), "after another request: {earlier}; cut off after {elapsed} s");
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_later() {
    let server = start(limits(), |http, endpoint| http.endpoint("/", endpoint)).await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(9)).await;
        stream.write_all(request().as_bytes()).await.unwrap();
        assert_eq!(response(&mut stream).await.body, SUMMED);
    }
    tokio::time::sleep(Duration::from_secs(290)).await;
    stream.write_all(request().as_bytes()).await.unwrap();
    assert_eq!(response(&mut stream).await.body, SUMMED);
    assert_eq!(ended(&mut stream).await, (String::new(), 300));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let server = start(limits(), |http, endpoint| http.endpoint("/", endpoint)).await;
    let mut stream = server.connect().await;
    stream.write_all(format!("{HEAD}content-length: 1000\r\n\r\n{{").as_bytes()).await.unwrap();
    let since = Instant::now();
    let answer = response(&mut stream).await;
    assert_eq!((answer.status, since.elapsed().as_secs()), (408, 60));
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_is_not_idle() {
    let limits = limits().idle_timeout(Duration::from_secs(5)).call_timeout(Duration::from_secs(40));
    let server = start(limits, |http, endpoint| http.endpoint("/", endpoint)).await;
    let answer = server.post("/", r#"{"jsonrpc":"2.0","id":1,"method":"wait"}"#).await;
    assert!(answer.body.contains("Deadline exceeded"), "{}", answer.body);
}

#[tokio::test(start_paused = true)]
async fn one_who_does_not_read_is_cut_off() {
    let server = start(limits(), |http, endpoint| http.endpoint("/", endpoint)).await;
    let stream = server.connect().await;
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"blob","params":[30000000]}"#;
    let request = format!("{HEAD}content-length: {}\r\n\r\n{call}", call.len());
    let since = Instant::now();
    let mut stream = stream;
    stream.write_all(request.as_bytes()).await.unwrap();
    // what the kernels hold arrives, and no more
    tokio::time::sleep(Duration::from_secs(60)).await;
    let answer = rest(&mut stream).await;
    assert!(answer.len() < 30_000_000, "{} bytes after {:?}", answer.len(), since.elapsed());
}

#[tokio::test]
async fn a_huge_head_is_refused() {
    let server = start(limits().max_head(9000), |http, endpoint| http.endpoint("/", endpoint)).await;
    let line = |len: usize| format!("x: {}\r\n", "y".repeat(len));
    let ask = async |lines: String| {
        server
            .raw(
                format!("GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{lines}\r\n")
                    .as_bytes(),
            )
            .await
    };
    assert!(ask(line(8000)).await.starts_with("HTTP/1.1 200 "));
    for lines in [line(9000), line(100_000), line(1).repeat(101), line(1).repeat(1500)] {
        let answer = ask(lines).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
}
