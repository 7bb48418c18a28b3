//! Calls over HTTP, against a server that does as it is told.

use crate::support::{nobody, states};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Notify};
use trunkline::{Client, FaultKind, Limits, client::ConnectionState};

/// A request, as the server sees it.
struct Asked {
    head: hyper::http::request::Parts,
    body: Value,
}

/// Serves what `answer` says: a status and a body.
async fn serve<F>(answer: impl Fn(Asked) -> F + Clone + Send + Sync + 'static) -> SocketAddr
where
    F: Future<Output = (StatusCode, String)> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let answer = answer.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = answer.clone();
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes();
                    let (status, body) =
                        answer(Asked { head, body: serde_json::from_slice(&body).unwrap() }).await;
                    let mut response = Response::new(Full::new(Bytes::from(body)));
                    *response.status_mut() = status;
                    response.headers_mut().insert("location", "https://elsewhere/".parse().unwrap());
                    Ok::<_, Infallible>(response)
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

/// What comes of a call that is answered with this.
async fn answered(status: u16, body: &'static str) -> Result<i64, trunkline::Fault> {
    let status = StatusCode::from_u16(status).unwrap();
    let address = serve(move |_| async move { (status, body.to_owned()) }).await;
    let limits = Limits::default().max_message(1000);
    let client = Client::builder(format!("http://{address}/rpc")).limits(limits).connect().await.unwrap();
    client.call::<i64>("add", (1, 2)).await
}

#[track_caller]
fn failed(answer: Result<i64, trunkline::Fault>, kind: FaultKind, says: &str) {
    let fault = answer.unwrap_err();
    assert_eq!(fault.kind(), kind, "{fault}");
    assert!(fault.message().contains(says), "{fault}");
}

#[tokio::test]
async fn what_is_sent() {
    let address = serve(async |asked: Asked| {
        assert_eq!(asked.head.method, "POST");
        assert_eq!(asked.head.uri, "/rpc?x=1");
        assert_eq!(asked.head.headers["content-type"], "application/json");
        assert_eq!(asked.head.headers["authorization"], "Bearer x");
        let id = asked.body["id"].clone();
        assert_eq!(asked.body, json!({"jsonrpc": "2.0", "id": id, "method": "add", "params": [1, 2]}));
        (StatusCode::OK, json!({"jsonrpc": "2.0", "id": id, "result": 3}).to_string())
    })
    .await;
    let client = Client::builder(format!("http://{address}/rpc?x=1"))
        .header("authorization", "Bearer x")
        .connect()
        .await
        .unwrap();
    assert_eq!(client.call::<i64>("add", (1, 2)).await.unwrap(), 3);
    assert_eq!(client.call::<i64>("add", [1, 2]).await.unwrap(), 3, "the connection is used again");
    assert!(client.server().is_none());
}

#[tokio::test]
async fn a_batch_is_one_request_and_its_answers_come_in_any_order() {
    let address = serve(async |asked: Asked| {
        let ids: Vec<&Value> = asked.body.as_array().unwrap().iter().map(|item| &item["id"]).collect();
        assert_eq!((ids.len(), ids[1]), (4, &Value::Null), "the notification has no id");
        let answers = json!([
            {"jsonrpc": "2.0", "id": ids[2], "error": {"code": 7, "message": "no"}},
            {"jsonrpc": "2.0", "id": ids[0], "result": 3},
        ]);
        (StatusCode::OK, answers.to_string())
    })
    .await;
    let client = Client::connect(format!("http://{address}")).await.unwrap();
    let batch = client.batch().call("a", ()).unwrap().notify("b", ()).unwrap();
    let answers = batch.call("c", ()).unwrap().call("d", ()).unwrap().send().await.unwrap();
    assert_eq!(answers.get::<i64>(0).unwrap(), 3);
    assert_eq!(answers[1].as_ref().unwrap_err().code(), Some(7));
    assert_eq!(answers[2].as_ref().unwrap_err().kind(), FaultKind::InvalidReply);
    assert!(client.batch().send().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_notification_is_sent_when_the_server_has_taken_it() {
    let address = serve(async |asked: Asked| {
        assert_eq!(asked.body, json!({"jsonrpc": "2.0", "method": "log", "params": ["x"]}));
        (StatusCode::NO_CONTENT, String::new())
    })
    .await;
    let client = Client::connect(format!("http://{address}")).await.unwrap();
    client.notify("log", ("x",)).await.unwrap();
    assert!(client.batch().notify("log", ("x",)).is_ok());
    let address = serve(async |_| (StatusCode::SERVICE_UNAVAILABLE, String::new())).await;
    let client = Client::connect(format!("http://{address}")).await.unwrap();
    assert_eq!(client.notify("log", ("x",)).await.unwrap_err().kind(), FaultKind::Unavailable);
}

/// A reply that names no call is about all that was posted.
#[tokio::test]
async fn a_refusal_of_the_whole_is_everybodys_answer() {
    let told = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32010,"message":"too many"}}"#;
    for (status, body) in [(200, told.to_owned()), (413, told.to_owned()), (200, format!("[{told}]"))] {
        let status = StatusCode::from_u16(status).unwrap();
        let address = serve(move |_| std::future::ready((status, body.clone()))).await;
        let client = Client::connect(format!("http://{address}")).await.unwrap();
        let batch = client.batch().call("a", ()).unwrap().notify("b", ()).unwrap().call("c", ()).unwrap();
        let answers = batch.send().await.unwrap();
        assert_eq!(answers.len(), 2);
        for answer in &answers {
            let fault = answer.as_ref().unwrap_err();
            assert_eq!((fault.kind(), fault.code()), (FaultKind::RequestTooLarge, Some(-32010)));
        }
        let notified = client.notify("a", ()).await.unwrap_err();
        assert_eq!((notified.kind(), notified.code()), (FaultKind::RequestTooLarge, Some(-32010)));
        let batch = client.batch().notify("a", ()).unwrap().notify("b", ()).unwrap();
        assert_eq!(batch.send().await.unwrap_err().code(), Some(-32010));
    }
}

#[tokio::test]
async fn an_answer_counts_whatever_its_status() {
    let told = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}"#;
    failed(answered(404, told).await, FaultKind::NotFound, "Method not found");
    assert_eq!(answered(500, r#"{"jsonrpc":"2.0","id":1,"result":3}"#).await.unwrap(), 3);
    let told = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32007,"message":"Request is too big"}}"#;
    failed(answered(413, told).await, FaultKind::RequestTooLarge, "Request is too big");
    failed(
        answered(200, r#"{"jsonrpc":"2.0","id":1,"result":"3"}"#).await,
        FaultKind::InvalidReply,
        "expected type",
    );
    let told = r#"{"jsonrpc":"2.0","id":1,"result":3,"error":{"code":1,"message":"no"}}"#;
    failed(answered(200, told).await, FaultKind::InvalidReply, "invalid response");
}

#[tokio::test]
async fn a_response_without_an_answer_is_told_by_its_status() {
    failed(answered(200, "").await, FaultKind::InvalidReply, "200 OK, but with no answer");
    failed(answered(200, "<html>").await, FaultKind::InvalidReply, "200 OK, but with no answer");
    let other = r#"{"jsonrpc":"2.0","id":"other","result":3}"#;
    failed(answered(200, other).await, FaultKind::InvalidReply, "no answer");
    failed(answered(204, "").await, FaultKind::InvalidReply, "204 No Content");
    failed(answered(308, "").await, FaultKind::Failed, "308 Permanent Redirect: it is at https://elsewhere/");
    failed(answered(401, "").await, FaultKind::Unauthenticated, "401 Unauthorized");
    failed(answered(403, "").await, FaultKind::Forbidden, "403 Forbidden");
    failed(answered(404, "not here").await, FaultKind::Failed, "/rpc answered with status 404 Not Found");
    failed(answered(429, "").await, FaultKind::RateLimited, "429 Too Many Requests");
    failed(answered(502, "<html>").await, FaultKind::Unavailable, "502 Bad Gateway");
    failed(answered(504, "").await, FaultKind::DeadlineExceeded, "504 Gateway Timeout");
    let long: &'static str = Box::leak("x".repeat(1001).into_boxed_str());
    failed(answered(200, long).await, FaultKind::ReplyTooLarge, "1000 bytes, the limit `max_message`");
}

#[tokio::test]
async fn a_server_that_is_not_there() {
    let address = nobody().await;
    let client = Client::connect(format!("http://{address}")).await.unwrap();
    let fault = client.call::<i64>("add", (1, 2)).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Unavailable);
    assert!(fault.message().starts_with(&format!("cannot connect to http://{address}/: ")), "{fault}");
    assert!(fault.message().contains("refused"), "{fault}");
}

#[tokio::test]
async fn a_server_that_hangs_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::connect(format!("http://{}", listener.local_addr().unwrap())).await.unwrap();
    let hang_up = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 1000]).await.unwrap();
    };
    let (answer, ()) = tokio::join!(client.call::<i64>("add", (1, 2)), hang_up);
    failed(answer, FaultKind::Disconnected, "whether the procedure ran is not known");
}

#[tokio::test]
async fn a_deadline_ends_the_call() {
    let address = serve(async |_| std::future::pending().await).await;
    let client = Client::connect(format!("http://{address}")).await.unwrap();
    let call = client.call::<i64>("add", (1, 2)).timeout(Duration::from_millis(20));
    failed(call.await, FaultKind::DeadlineExceeded, "deadline");
}

#[tokio::test]
async fn closing_waits_for_what_is_under_way() {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let address = serve({
        let (begun, go_on) = (begun.clone(), go_on.clone());
        move |asked: Asked| {
            let (begun, go_on) = (begun.clone(), go_on.clone());
            async move {
                begun.notify_one();
                go_on.notified().await;
                (StatusCode::OK, json!({"jsonrpc": "2.0", "id": asked.body["id"], "result": 3}).to_string())
            }
        }
    })
    .await;
    let (observer, mut seen) = states();
    let client = Client::builder(format!("http://{address}")).on_state(observer).connect().await.unwrap();
    let calling = tokio::spawn({
        let client = client.clone();
        async move { client.call::<i64>("add", (1, 2)).await }
    });
    begun.notified().await;
    let closing = tokio::spawn({
        let client = client.clone();
        async move { client.close().await }
    });
    client.states().wait_for(|state| *state == ConnectionState::Closed).await.unwrap();
    failed(client.call("add", (1, 2)).await, FaultKind::Disconnected, "the client is closed");
    assert!(!closing.is_finished());
    go_on.notify_one();
    assert_eq!(calling.await.unwrap().unwrap(), 3);
    closing.await.unwrap();
    assert_eq!(seen.recv().await, Some(ConnectionState::Connected));
    assert_eq!(seen.recv().await, Some(ConnectionState::Closed));
}
