//! Answers that are longer than the client takes: the calls that they belong to
//! fail at once, as far as can be seen, and say which limit it was.

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    task::JoinHandle,
};
use trunkline::{
    Client, Connection, Fault, FaultKind, Limits, Link,
    framing::{ContentLength, Framing, Lines, Mux},
    testing::Wire,
};

const LIMIT: usize = 1000;

/// A client that takes messages of up to 1,000 bytes, and the test at its far end.
fn linked(framing: impl Framing + 'static) -> (Client, DuplexStream) {
    let (here, there) = tokio::io::duplex(64 << 10);
    let link = Link::new(here, framing, Connection::new("in process", "jsonrpc"));
    let limits = Limits::default().max_message(LIMIT);
    (Client::over(link).limits(limits).connect_lazy().unwrap(), there)
}

/// The same with one value a line.
fn scripted() -> (Client, Wire) {
    let (client, server) = linked(Lines::default().limit(LIMIT));
    (client, Wire::over(server))
}

/// Waits until these bytes have been heard.
async fn hear(server: &mut DuplexStream, bytes: &[u8]) {
    let mut heard = vec![0; bytes.len()];
    server.read_exact(&mut heard).await.unwrap();
    assert_eq!(heard, bytes);
}

fn call(client: &Client) -> JoinHandle<Result<i64, Fault>> {
    let client = client.clone();
    tokio::spawn(async move { client.call::<i64>("a", ()).await })
}

fn long() -> String {
    "x".repeat(LIMIT)
}

#[track_caller]
fn is_too_large(fault: &Fault) {
    assert_eq!(fault.kind(), FaultKind::ReplyTooLarge, "{fault}");
    assert!(fault.message().contains("over 1000 bytes, the limit `max_message`"), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_over_the_limit_fails_its_call_and_no_other() {
    let (client, mut server) = scripted();
    let long = long();
    for answer in [
        format!(r#"{{"jsonrpc":"2.0","id":ID,"result":"{long}"}}"#),
        format!(r#" {{ "id" : ID , "result" : [ "{long}" ] , "jsonrpc" : "2.0" }} "#),
        format!(r#"{{"id":ID,"error":{{"code":1,"message":"{long}"}},"jsonrpc":"2.0"}}"#),
        format!(r#"{{"jsonrpc":"2.0","error":null,"id":ID,"result":"{long}"}}"#),
        format!(r#"{{"jsonrpc":"2.0","result":5,"id":ID,"more":"{long}"}}"#),
        format!(r#"{{"jsonrpc":"2.0","meta":{{"id":[1]}},"id":ID,"result":{{"a":"{long}","id":2}}}}"#),
    ] {
        let (bad, good) = (call(&client), call(&client));
        let (first, second) = (server.expect_call("a", ()).await, server.expect_call("a", ()).await);
        server.line(answer.replace("ID", &first.to_string())).await;
        server.answer(second, 7).await;
        let (bad, good) = (bad.await.unwrap(), good.await.unwrap());
        let (Err(fault), Ok(7)) = (if bad.is_err() { (&bad, &good) } else { (&good, &bad) }) else {
            panic!("{answer}: {bad:?}, {good:?}");
        };
        is_too_large(fault);
    }
    // nothing was said of it: the next that the server hears is this
    client.notify("end", ()).await.unwrap();
    assert_eq!(server.next().await["method"], "end");
    assert_eq!(client.server().unwrap().unmatched_replies(), 0);
}

#[tokio::test(start_paused = true)]
async fn however_it_arrives() {
    let (client, mut server) = scripted();
    let calling = call(&client);
    let id = server.expect_call("a", ()).await;
    // what arrives together is not all there is, and what comes later is passed over
    for piece in [format!(r#"{{"jsonrpc":"2.0","id":{id}"#), format!(r#","result":["{}"#, long()), long()] {
        server.send(piece).await;
    }
    is_too_large(&calling.await.unwrap().unwrap_err());
    server.send("\"]}\n").await;
    let calling = call(&client);
    let id = server.expect_call("a", ()).await;
    server.answer(id, 3).await;
    assert_eq!(calling.await.unwrap().unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_answers_to_a_batch_are_lost_together() {
    let (client, mut server) = scripted();
    let calling = call(&client);
    let other = server.expect_call("a", ()).await;
    let sending = tokio::spawn({
        let client = client.clone();
        async move { client.batch().call("a", ())?.call("b", ())?.call("c", ())?.send().await }
    });
    let batch = server.next().await;
    let answer = |at: usize, result: &str| {
        json!({"jsonrpc": "2.0", "id": batch[at]["id"], "result": result}).to_string()
    };
    server.line(format!("[{},{}]", answer(2, "short"), answer(0, &long()))).await;
    let answers = sending.await.unwrap().unwrap();
    assert_eq!(answers.len(), 3);
    for answer in &answers {
        is_too_large(answer.as_ref().unwrap_err());
    }
    server.answer(other, 3).await;
    assert_eq!(calling.await.unwrap().unwrap(), 3);
    client.notify("end", ()).await.unwrap();
    assert_eq!(server.next().await["method"], "end", "nothing is said of it, and nothing taken back");
}

/// Where the answers come one by one, what is lost is only what is seen to be.
#[tokio::test(start_paused = true)]
async fn the_answers_to_a_batch_that_come_apart_are_lost_apart() {
    let (client, mut server) = scripted();
    let sending = tokio::spawn({
        let client = client.clone();
        async move { client.batch().call("a", ())?.call("b", ())?.call("c", ())?.send().await }
    });
    let batch = server.next().await;
    let answer = |at: usize, result: &str| {
        json!({"jsonrpc": "2.0", "id": batch[at]["id"], "result": result}).to_string()
    };
    server.line(answer(1, "one")).await;
    server.line(format!("[{}]", answer(0, &long()))).await;
    server.line(answer(2, "two")).await;
    let answers = sending.await.unwrap().unwrap();
    is_too_large(answers[0].as_ref().unwrap_err());
    assert_eq!(
        (answers.get::<String>(1).unwrap(), answers.get::<String>(2).unwrap()),
        ("one".into(), "two".into())
    );
}

/// It cannot be seen whose answer it is: that call waits for its deadline. The
/// server is not bothered with it either.
#[tokio::test(start_paused = true)]
async fn an_answer_that_names_its_call_at_its_end() {
    let (client, mut server) = scripted();
    let calling = call(&client);
    let id = server.expect_call("a", ()).await;
    server.line(format!(r#"{{"jsonrpc":"2.0","result":"{}","id":{id}}}"#, long())).await;
    assert_eq!(calling.await.unwrap().unwrap_err().kind(), FaultKind::DeadlineExceeded);
    assert_eq!(server.next().await["method"], "$/cancelRequest");
}

/// What is no answer is refused, as ever.
#[tokio::test(start_paused = true)]
async fn a_call_over_the_limit_is_refused() {
    let (client, mut server) = scripted();
    let calling = call(&client);
    let id = server.expect_call("a", ()).await;
    for head in [
        format!(r#"{{"id":{id},"method":"x","params":["#),
        format!(r#"{{"id":{id},"params":["#),
        "[".into(),
        "[{".into(),
    ] {
        server.line(format!("{head}\"{}", long())).await;
        let told = server.next().await;
        assert_eq!((&told["id"], &told["error"]["code"]), (&json!(null), &json!(-32007)), "{head}");
    }
    server.answer(id, 3).await;
    assert_eq!(calling.await.unwrap().unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn behind_a_content_length() {
    let (client, mut server) = linked(ContentLength::default().limit(LIMIT));
    for id in [1, 2] {
        let calling = call(&client);
        let request = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"a"}}"#);
        let request = format!("Content-Length: {}\r\n\r\n{request}", request.len());
        hear(&mut server, request.as_bytes()).await;
        let answer = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"{}"}}"#, long());
        // the headers come first, and then what they stand before, piece by piece
        let head = format!("Content-Length: {}\r\n\r\n", answer.len());
        for piece in [head.as_bytes()].into_iter().chain(answer.as_bytes().chunks(20)) {
            server.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        is_too_large(&calling.await.unwrap().unwrap_err());
    }
}

#[tokio::test(start_paused = true)]
async fn in_pieces_of_a_mux_stream() {
    let (client, mut server) = linked(Mux::default().limit(LIMIT));
    for id in [1, 2] {
        let calling = call(&client);
        let request = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"a"}}"#);
        hear(
            &mut server,
            &[&[0, 0, 0, 0, u8::try_from(request.len()).unwrap()], request.as_bytes()].concat(),
        )
        .await;
        let answer = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":\"{}\"}}\n", long());
        for piece in answer.as_bytes().chunks(600) {
            let len = u32::try_from(piece.len()).unwrap().to_be_bytes();
            server.write_all(&[&[0], &len[..], piece].concat()).await.unwrap();
        }
        is_too_large(&calling.await.unwrap().unwrap_err());
    }
}

/// A message over the limit ends a WebSocket (RFC 6455, section 7.4.1), so that
/// all that waits on it fails, and is told why.
#[tokio::test]
async fn over_a_web_socket() {
    let (listener, address) = crate::support::listen().await;
    let address = address.replace("tcp://", "ws://");
    let limits = Limits::default().max_message(LIMIT);
    let connecting = Client::builder(address).limits(limits).connect();
    let (client, mut server) = tokio::join!(connecting, crate::support::accept_websocket(&listener));
    let client = client.unwrap();
    let calling = call(&client);
    // the header alone shows it, and the server never hangs up
    server.write_all(&[0x81, 126, 0x10, 0]).await.unwrap();
    let fault = calling.await.unwrap().unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Disconnected);
    assert!(fault.message().contains("a message over the limit `max_message`"), "{fault}");
    assert!(fault.message().contains("whether the procedure ran is not known"), "{fault}");
}
