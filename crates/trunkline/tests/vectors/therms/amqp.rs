//! `amqp-*.json`: what clients of a gateway are told of calls that another server answers.
//! The messages between the two are compared by the tests of the dialect.

use super::{Events, PROXIES, differences, http, language, load, router, service, ws};
use crate::{
    load::{list, text},
    tally::Tally,
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::task::JoinHandle;
use trunkline::{
    Limits, Listener, Router, Server,
    broker::{Broker, Inbox, Line, Member, Memory},
    node::Node,
    therms::Network,
};

/// The exchanges with clients, in order, each with the answer that is expected.
fn exchanges(vector: &Value) -> Vec<Value> {
    let messages = |dir| list(vector, "messages").iter().filter(move |message| message["dir"] == dir);
    let recorded = messages("s2c").map(|answer| answer["body"].clone());
    let expected: Vec<Value> = match differences::of(text(vector, "scenario")) {
        Some(difference) => {
            difference.answers.iter().map(|answer| serde_json::from_str(answer).unwrap()).collect()
        }
        None => recorded.collect(),
    };
    let exchange = |(asked, expected): (&Value, Value)| {
        let headers = json!([["Content-Type", "application/json"]]);
        json!({"scenario": "", "messages": [
            {"body": asked["body"], "http": {"method": "POST", "path": "/rpc", "headers": headers}},
            {"body": expected, "http": {"status": 200}},
        ]})
    };
    messages("c2s").zip(expected).map(exchange).collect()
}

/// One where there may be processes of therms, so that all of it is spelled as they do.
#[derive(Clone)]
struct Shared(Memory);

impl Broker for Shared {
    fn attach(&self, member: Member, inbox: Arc<dyn Inbox>) -> Arc<dyn Line> {
        self.0.attach(member, inbox)
    }

    fn has_others(&self) -> bool {
        true
    }
}

/// A server and the task that serves it, until that is dropped.
struct Served(SocketAddr, JoinHandle<()>);

impl Drop for Served {
    fn drop(&mut self) {
        self.1.abort();
    }
}

async fn serve(router: Router, broker: impl Broker, limits: Limits) -> Served {
    let server = Server::new(router).therms(language()).limits(limits).broker(broker);
    let listener = Listener::http("127.0.0.1:0").settings(|http| http.trust_proxies(PROXIES));
    let bound = server.listen(listener).bind().await.unwrap();
    Served(bound.addresses()[0], tokio::spawn(bound.serve()))
}

/// Plays what clients say to the server at `address`, all of them at once.
async fn play(vector: &Value, address: SocketAddr) -> Result<(), String> {
    let exchanges = exchanges(vector);
    assert!(!exchanges.is_empty(), "{}: nobody says anything", text(vector, "scenario"));
    let played = join_all(exchanges.iter().map(|exchange| http::play(exchange, address))).await;
    played.into_iter().collect()
}

#[tokio::test]
async fn exchanges_across_a_network() {
    let (broker, events) = (Shared(Memory::new()), Events::default());
    let short = || Limits::default().call_timeout(Duration::from_millis(200));
    let handler = Server::new(router(&events)).broker(broker.clone()).bind().await.unwrap();
    let handler = tokio::spawn(handler.serve());
    let gateway = serve(Router::new(), broker.clone(), Limits::default()).await;
    let calling = Router::new().procedure("test.call-internal", service::call_internal);
    let calling = serve(calling, broker.clone(), Limits::default()).await;
    let impatient = serve(Router::new(), broker.clone(), short()).await;
    let lost = Memory::new();
    lost.lose();
    let cut_off = serve(Router::new(), Shared(lost), short()).await;
    let mut tally = Tally::default();
    for vector in differences::played(load("amqp-", 25), "amqp-") {
        let outcome = match text(&vector, "scenario") {
            "amqp-from-websocket" => {
                let node = Node::new(Arc::new(broker.clone()), Arc::new(Network), "trunkline", "gateway");
                let service = ws::serve(Router::new().fallback(node.fallback()), &events);
                node.join(&service);
                ws::play(&vector, &service, &events).await
            }
            "amqp-internal-call-across" => play(&vector, calling.0).await,
            "amqp-timeout" => play(&vector, impatient.0).await,
            "amqp-broker-unreachable" => play(&vector, cut_off.0).await,
            _ => play(&vector, gateway.0).await,
        };
        tally.record(text(&vector, "scenario"), outcome);
    }
    handler.abort();
    tally.assert(25 - 3);
}
