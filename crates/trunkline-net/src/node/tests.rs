//! What a node makes of what others put on the broker.

use super::*;
use crate::broker::{Delivery, Line, Memory, Request, Ticket};
use bytes::Bytes;
use std::{sync::Mutex, time::Duration};
use tokio::sync::Notify;
use trunkline_core::{Context, Fault, FaultKind, Format, Payload, Router, handler::handler};
use trunkline_dialects::{jsonrpc::JsonRpc, therms::Network};

/// Somebody who speaks to the broker without being a node.
#[derive(Default)]
struct Stranger {
    requests: Mutex<Vec<(String, Ticket)>>,
    answers: Mutex<Vec<String>>,
    heard: Notify,
}

impl Inbox for Stranger {
    fn arrived(&self, arrival: Arrival<'_>) {
        match arrival {
            Arrival::Request(Delivery { reply_to, ticket, .. }) => {
                self.requests.lock().unwrap().push((reply_to.to_owned(), ticket));
            }
            Arrival::Answer(body) => {
                self.answers.lock().unwrap().push(String::from_utf8(body.to_vec()).unwrap());
            }
            _ => return,
        }
        self.heard.notify_one();
    }
}

impl Stranger {
    fn at(broker: &Memory) -> (Arc<Self>, Arc<dyn Line>) {
        let stranger = Arc::<Self>::default();
        let member =
            Member { network: "n".into(), name: "stranger".into(), id: "stranger".into(), prefetch: 9 };
        let line = broker.attach(member, stranger.clone());
        (stranger, line)
    }

    async fn asked(&self) -> String {
        loop {
            if let Some((reply_to, _)) = self.requests.lock().unwrap().pop() {
                return reply_to;
            }
            self.heard.notified().await;
        }
    }

    async fn answered(&self) -> serde_json::Value {
        loop {
            if let Some(answer) = self.answers.lock().unwrap().pop() {
                return serde_json::from_str(&answer).unwrap();
            }
            self.heard.notified().await;
        }
    }
}

/// A node that serves `router`, and its service, by which it is called.
fn node(broker: &Memory, router: Router) -> (Node, Service) {
    let node = Node::new(Arc::new(broker.clone()), Arc::new(Network), "n", "node");
    let service = Service::new(router.fallback(node.fallback()), JsonRpc::default());
    node.join(&service);
    (node, service)
}

/// Calls a procedure as if somebody outside did.
async fn call(service: &Service, name: &str) -> Result<String, Fault> {
    let connection = trunkline_core::Connection::new("memory", "none");
    let context = Context::from(Arc::new(connection));
    let args = Some(Payload::Json("[]"));
    let value = service.router.call(name, args, &context).await?;
    assert_eq!(value.borrow().format(), Format::Json);
    value.decode().map_err(|error| Fault::from(error.to_string()))
}

fn request(id: &str, procedure: &str, more: &str) -> Bytes {
    format!(r#"{{"request":{{"procedure":"{procedure}","trace":{{"id":"{id}"{more}}}}}}}"#).into()
}

fn send(line: &dyn Line, procedure: &str, body: Bytes) {
    let request = Request { id: "x", expires: Duration::from_secs(9), body };
    line.request(&Key::of(procedure), request).unwrap();
}

fn response(id: &str, data: &str) -> Bytes {
    format!(r#"{{"request":{{"trace":{{"id":"{id}"}}}},"response":{{"code":200,"data":"{data}","success":true}}}}"#)
        .into()
}

/// T07: who has learned where answers go still has to guess what is awaited.
#[tokio::test(start_paused = true)]
async fn answers_that_are_made_up_are_dropped_and_counted() {
    let broker = Memory::new();
    let go = Arc::new(Notify::new());
    let went = go.clone();
    let slow = move || {
        let go = went.clone();
        async move {
            go.notified().await;
            "right"
        }
    };
    let (_handler, _) = node(&broker, Router::new().procedure("slow", slow));
    let (gateway, service) = node(&broker, Router::new());
    let (stranger, line) = Stranger::at(&broker);
    line.serve(&Key::of("bait"));
    let outside = service.clone();
    let bait = tokio::spawn(async move { call(&outside, "bait").await });
    let reply_to = stranger.asked().await;
    let outside = service.clone();
    let honest = tokio::spawn(async move { call(&outside, "slow").await });
    while gateway.waiting() < 2 {
        tokio::task::yield_now().await;
    }
    let made_up = (0..100).map(|number| response(&number.to_string(), "forged"));
    let made_up = made_up.chain((0..100).map(|number| response(&format!("{number:032x}"), "forged")));
    let junk = ["", "not json", "{}", r#"{"request":{"trace":{"id":"1"}}}"#].map(Bytes::from);
    for body in made_up.chain(junk) {
        line.answer(&reply_to, "x", body).unwrap();
    }
    assert_eq!(gateway.strays(), 204);
    go.notify_one();
    assert_eq!(honest.await.unwrap().as_deref(), Ok("right"));
    bait.abort();
    assert!(bait.await.unwrap_err().is_cancelled());
    assert_eq!(gateway.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_request_is_not_sent_on() {
    let broker = Memory::new();
    let (_one, _) = node(&broker, Router::new().procedure("one", async || "one"));
    let (_two, _) = node(&broker, Router::new().procedure("two", async || "two"));
    let (stranger, line) = Stranger::at(&broker);
    // brokers route by the key, nodes by the body
    send(&*line, "one", request("7", "two", ""));
    assert_eq!(stranger.answered().await["response"]["code"], 501);
    send(&*line, "one", request("8", "one", ""));
    let answer = stranger.answered().await;
    assert_eq!(
        (&answer["response"]["data"], &answer["request"]["trace"]["id"]),
        (&"one".into(), &"8".into())
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_peer_that_is_no_trunkline_asks_is_answered_in_its_words() {
    let broker = Memory::new();
    let router = Router::new()
        .procedure("secret", handler(async || "hush").internal())
        .procedure("same", async || "same")
        .procedure("throw", async || Err::<(), _>(Fault::internal("secret detail")));
    let (_node, _) = node(&broker, router);
    let (stranger, line) = Stranger::at(&broker);
    send(&*line, "secret", request("1", "secret", r#","internal":false"#));
    assert_eq!(stranger.answered().await["response"]["success"], false);
    send(&*line, "secret", request("1", "secret", r#","internal":true"#));
    assert_eq!(stranger.answered().await["response"]["data"], "hush");
    send(&*line, "throw", request("1", "throw", ""));
    let response = stranger.answered().await["response"].take();
    assert_eq!((&response["code"], &response["message"]), (&500.into(), &"server handler issue".into()));
    for body in ["", "not json", "null", "{}", r#"{"request":5}"#, r#"{"request":{"procedure":"same"}}"#] {
        send(&*line, "same", Bytes::from(body));
    }
    // ids of others may be the same
    send(&*line, "same", request("1", "same", ""));
    send(&*line, "same", request("1", "same", ""));
    for _ in 0..2 {
        assert_eq!(stranger.answered().await["response"]["data"], "same");
    }
    assert!(stranger.answers.lock().unwrap().is_empty(), "nobody is told of what is no request");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_before_it_comes_is_not_run() {
    let broker = Memory::new();
    let ran = Arc::new(Mutex::new(0));
    let counted = ran.clone();
    let work = move || {
        *counted.lock().unwrap() += 1;
        async { "done" }
    };
    let (node, _) = node(&broker, Router::new().procedure("work", work));
    let (stranger, line) = Stranger::at(&broker);
    let topic = cancel::topic(&Key::of("work"));
    line.publish(&topic, cancel::write("given up", Duration::from_secs(9))).unwrap();
    line.publish(&topic, Bytes::from(&b"\xff"[..])).unwrap();
    send(&*line, "work", request("given up", "work", ""));
    send(&*line, "work", request("wanted", "work", ""));
    assert_eq!(stranger.answered().await["request"]["trace"]["id"], "wanted");
    node.drain().await;
    assert_eq!(*ran.lock().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn junk_that_waits_is_passed_over_however_much_it_is() {
    let broker = Memory::new();
    let go = Arc::new(Notify::new());
    let went = go.clone();
    let slow = move || {
        let go = went.clone();
        async move {
            go.notified().await;
            "done"
        }
    };
    let node = Node::new(Arc::new(broker.clone()), Arc::new(Network), "n", "node");
    let limits = trunkline_core::Limits::default().max_in_flight(1);
    let router = Router::new().procedure("slow", slow);
    node.join(&Service::new(router, JsonRpc::default()).limits(limits));
    let (stranger, line) = Stranger::at(&broker);
    send(&*line, "slow", request("1", "slow", ""));
    for _ in 0..50_000 {
        send(&*line, "slow", Bytes::from("junk"));
    }
    send(&*line, "slow", request("2", "slow", ""));
    for _ in 0..2 {
        go.notify_one();
        assert_eq!(stranger.answered().await["response"]["data"], "done");
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_has_left_calls_nobody_and_nothing_keeps_it() {
    let broker = Memory::new();
    let (gateway, service) = node(&broker, Router::new());
    let (_handler, _) = node(&broker, Router::new().procedure("ping", async || "pong"));
    assert_eq!(call(&service, "ping").await.as_deref(), Ok("pong"));
    let desk = Arc::downgrade(&gateway.desk);
    gateway.leave().await;
    assert_eq!(call(&service, "ping").await.unwrap_err().kind(), FaultKind::Unavailable);
    drop((gateway, service));
    assert!(desk.upgrade().is_none(), "its line, its inbox and its router have let go of each other");
}
