//! Requests that are sent one behind the other: replies are sent together, and
//! none is held back.

use crate::support::{SUM, SUMMED, plain, response, rest};
use tokio::io::AsyncWriteExt;

const WAIT: &str = r#"{"jsonrpc":"2.0","id":1,"method":"wait"}"#;
const WAITED: &str = r#"{"jsonrpc":"2.0","id":1,"result":"done"}"#;

fn request(document: &str) -> String {
    let head = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    format!("{head}content-length: {}\r\n\r\n{document}", document.len())
}

#[tokio::test]
async fn replies_come_in_the_order_of_the_requests() {
    let server = plain().await;
    let mut stream = server.connect().await;
    let call = |id: usize| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"sum","params":[{id},1]}}"#);
    let all: String = (0..500).map(|id| request(&call(id))).collect();
    let (mut from, mut to) = stream.split();
    let sending = async { to.write_all(all.as_bytes()).await.unwrap() };
    let receiving = async {
        for id in 0..500 {
            let reply = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{}}}"#, id + 1);
            assert_eq!(response(&mut from).await.body, reply);
        }
    };
    tokio::join!(sending, receiving);
}

#[tokio::test]
async fn half_a_request_holds_back_no_reply() {
    let server = plain().await;
    let mut stream = server.connect().await;
    for half in [10, 80, 130] {
        let (first, second) = (request(SUM), request(SUM));
        let (begin, end) = second.split_at(half);
        stream.write_all(format!("{first}{begin}").as_bytes()).await.unwrap();
        assert_eq!(response(&mut stream).await.body, SUMMED);
        stream.write_all(end.as_bytes()).await.unwrap();
        assert_eq!(response(&mut stream).await.body, SUMMED);
    }
}

#[tokio::test]
async fn a_slow_call_holds_back_no_reply_before_it() {
    let server = plain().await;
    let mut stream = server.connect().await;
    let requests = [request(SUM), request(WAIT), request(SUM)].concat();
    stream.write_all(requests.as_bytes()).await.unwrap();
    assert_eq!(response(&mut stream).await.body, SUMMED, "before the slow call is done");
    server.gate.opened.notify_one();
    assert_eq!(response(&mut stream).await.body, WAITED);
    assert_eq!(response(&mut stream).await.body, SUMMED);
}

#[tokio::test]
async fn replies_before_rubbish_arrive() {
    let server = plain().await;
    let answers = server.raw(format!("{}{}rubbish\r\n\r\n", request(SUM), request(SUM)).as_bytes()).await;
    assert_eq!(answers.matches(SUMMED).count(), 2, "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 400 ").count(), 1, "{answers}");
}

#[tokio::test]
async fn what_follows_the_last_request_is_not_looked_at() {
    let server = plain().await;
    let last = "GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answers = server.raw(format!("{}{last}{}", request(SUM), request(SUM)).as_bytes()).await;
    assert_eq!(answers.matches("HTTP/1.1 200 ").count(), 2, "{answers}");
}

#[tokio::test]
async fn one_who_sends_all_before_reading_anything_gets_all_replies() {
    let server = plain().await;
    let mut stream = server.connect().await;
    let blob = r#"{"jsonrpc":"2.0","id":1,"method":"blob","params":[300000]}"#;
    stream.write_all(request(blob).repeat(60).as_bytes()).await.unwrap();
    for _ in 0..60 {
        assert_eq!(
            response(&mut stream).await.body.len(),
            300_000 + r#"{"jsonrpc":"2.0","id":1,"result":""}"#.len()
        );
    }
    drop(stream.shutdown().await);
    assert_eq!(rest(&mut stream).await, "");
}
