//! Batches that the server refuses as a whole, without saying what it refuses: they
//! fail at once where nothing else can be meant.

use crate::support::{router, scripted};
use serde_json::json;
use tokio::task::JoinHandle;
use trunkline::{Client, Fault, FaultKind, Limits, Listener, Router, Server, client::Answers, testing::Wire};

const TOO_LARGE: &str =
    r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32010,"message":"The batch request was too large"}}"#;

fn batch(client: &Client) -> JoinHandle<Result<Answers, Fault>> {
    let client = client.clone();
    tokio::spawn(async move { client.batch().call("a", ())?.notify("b", ())?.call("c", ())?.send().await })
}

fn call(client: &Client) -> JoinHandle<Result<i64, Fault>> {
    let client = client.clone();
    tokio::spawn(async move { client.call::<i64>("a", ()).await })
}

/// The ids of the two calls of a batch that the server hears.
async fn ids(server: &mut Wire) -> [u64; 2] {
    let batch = server.next().await;
    [0, 2].map(|at| batch[at]["id"].as_u64().unwrap())
}

/// Answers a batch in full, as if nothing had been refused.
async fn answer(server: &mut Wire, [first, second]: [u64; 2]) {
    let answer = |id: u64| json!({"jsonrpc": "2.0", "id": id, "result": 7});
    server.line(json!([answer(first), answer(second)])).await;
}

fn all_refused(answers: &Answers) {
    assert_eq!(answers.len(), 2);
    for answer in answers {
        let fault = answer.as_ref().unwrap_err();
        assert_eq!((fault.kind(), fault.code()), (FaultKind::RequestTooLarge, Some(-32010)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_refused_fails_at_once() {
    let (client, mut server) = scripted();
    for _ in 0..2 {
        let sending = batch(&client);
        ids(&mut server).await;
        server.line(TOO_LARGE).await;
        all_refused(&sending.await.unwrap().unwrap());
        // that is all that has come of it
        let calling = call(&client);
        let id = server.expect_call("a", ()).await;
        server.answer(id, 3).await;
        assert_eq!(calling.await.unwrap().unwrap(), 3);
    }
    assert_eq!(client.server().unwrap().unmatched_replies(), 0);
}

/// A call has an id, so that whoever can read it answers it by that.
#[tokio::test(start_paused = true)]
async fn a_call_waits_for_an_answer_of_its_own() {
    let (client, mut server) = scripted();
    let calling = call(&client);
    let id = server.expect_call("a", ()).await;
    server.line(TOO_LARGE).await;
    server.answer(id, 3).await;
    assert_eq!(calling.await.unwrap().unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_meant_is_still_answered() {
    // another call is under way
    let (client, mut server) = scripted();
    let (calling, sending) = (call(&client), batch(&client));
    let (id, both) = (server.expect_call("a", ()).await, ids(&mut server).await);
    server.line(TOO_LARGE).await;
    answer(&mut server, both).await;
    server.answer(id, 3).await;
    assert_eq!(calling.await.unwrap().unwrap(), 3);
    assert_eq!(sending.await.unwrap().unwrap().get::<i64>(0).unwrap(), 7);

    // so is another batch
    let sending = [batch(&client), batch(&client)];
    let both = [ids(&mut server).await, ids(&mut server).await];
    server.line(TOO_LARGE).await;
    for (sending, both) in sending.into_iter().zip(both) {
        answer(&mut server, both).await;
        assert_eq!(sending.await.unwrap().unwrap().get::<i64>(0).unwrap(), 7);
    }

    // the batch has an answer already
    let sending = batch(&client);
    let [first, second] = ids(&mut server).await;
    server.answer(first, 1).await;
    server.line(TOO_LARGE).await;
    server.answer(second, 2).await;
    let answers = sending.await.unwrap().unwrap();
    assert_eq!((answers.get::<i64>(0).unwrap(), answers.get::<i64>(1).unwrap()), (1, 2));

    // the complaint stands among the answers to a batch
    let sending = batch(&client);
    let [first, second] = ids(&mut server).await;
    let one = |id: u64| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":7}}"#);
    server.line(format!("[{TOO_LARGE},{},{}]", one(first), one(second))).await;
    assert_eq!(sending.await.unwrap().unwrap().get::<i64>(1).unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_notification_may_be_meant() {
    let (client, mut server) = scripted();
    client.notify("x", ()).await.unwrap();
    server.next().await;
    let sending = batch(&client);
    let both = ids(&mut server).await;
    server.line(TOO_LARGE).await;
    answer(&mut server, both).await;
    assert_eq!(sending.await.unwrap().unwrap().get::<i64>(1).unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_wants_no_answer_may_be_meant() {
    let (client, mut server) = scripted();
    assert!(client.batch().notify("x", ()).unwrap().send().await.unwrap().is_empty());
    server.next().await;
    let sending = batch(&client);
    let both = ids(&mut server).await;
    server.line(TOO_LARGE).await;
    answer(&mut server, both).await;
    assert_eq!(sending.await.unwrap().unwrap().get::<i64>(1).unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn what_was_given_up_may_be_meant() {
    let (client, mut server) = scripted();
    let calling = call(&client);
    server.expect_call("a", ()).await;
    calling.abort();
    assert_eq!(server.next().await["method"], "$/cancelRequest");
    let sending = batch(&client);
    let both = ids(&mut server).await;
    server.line(TOO_LARGE).await;
    answer(&mut server, both).await;
    assert_eq!(sending.await.unwrap().unwrap().get::<i64>(1).unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn our_own_answers_may_be_meant() {
    let (client, mut server) = Wire::to_client();
    let client = client.router(Router::new().procedure("name", async || "Ada")).connect_lazy().unwrap();
    server.line(r#"{"jsonrpc":"2.0","id":1,"method":"name"}"#).await;
    assert_eq!(server.next().await["result"], "Ada");
    let sending = batch(&client);
    let both = ids(&mut server).await;
    server.line(TOO_LARGE).await;
    answer(&mut server, both).await;
    assert_eq!(sending.await.unwrap().unwrap().get::<i64>(1).unwrap(), 7);
}

/// The same with a server that does refuse, over everything that it can be reached by.
#[tokio::test]
async fn a_batch_over_the_limit_of_the_server_fails_at_once() {
    let server = Server::new(router())
        .limits(Limits::default().max_batch(2))
        .listen(Listener::tcp("127.0.0.1:0"))
        .listen(Listener::tcp("127.0.0.1:0").content_length())
        .http("127.0.0.1:0");
    let server = server.bind().await.unwrap();
    let addresses = server.addresses();
    tokio::spawn(server.serve());
    let mut clients = vec![
        Client::builder(format!("tcp://{}", addresses[0])),
        Client::builder(format!("tcp://{}", addresses[1])).content_length(),
    ];
    for scheme in ["ws", "http"] {
        clients.push(Client::builder(format!("{scheme}://{}", addresses[2])));
    }
    for client in clients {
        let client = client.connect().await.unwrap();
        let batch = client.batch().call("add", (1, 2)).unwrap().call("add", (1, 2)).unwrap();
        let answers = batch.notify("add", (1, 2)).unwrap().send().await.unwrap();
        all_refused(&answers);
        let data: serde_json::Value = answers[0].as_ref().unwrap_err().data().unwrap();
        assert_eq!(data, json!({"limit": 2, "items": 3, "setting": "max_batch"}));
        assert_eq!(client.call::<i64>("add", (1, 2)).await.unwrap(), 3);
    }
}
