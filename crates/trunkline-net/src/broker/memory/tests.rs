//! What this broker does beyond the contract of all, for which see `tests/brokers`.

use super::*;
use crate::broker::Arrival;
use std::time::Duration;

/// Writes down what it hears, and where each request of it is to be settled.
#[derive(Default)]
struct Ear(Mutex<Vec<String>>, Mutex<Vec<Ticket>>);

impl Inbox for Ear {
    fn arrived(&self, arrival: Arrival<'_>) {
        let heard = match arrival {
            Arrival::Request(it) => {
                self.1.lock().unwrap().push(it.ticket);
                String::from_utf8(it.body.to_vec()).unwrap()
            }
            Arrival::Unroutable { id } => format!("{id}: nobody"),
            Arrival::Event { topic, body } => format!("{topic}: {}", std::str::from_utf8(&body).unwrap()),
            _ => return,
        };
        self.0.lock().unwrap().push(heard);
    }
}

impl Ear {
    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn ticket(&self) -> Ticket {
        self.1.lock().unwrap().remove(0)
    }
}

const PING: Key<'static> = Key { scope: "global", procedure: "ping", version: "1" };

fn attach(broker: &Memory, network: &str, id: &str, prefetch: usize) -> (Arc<dyn Line>, Arc<Ear>) {
    let ear = Arc::<Ear>::default();
    let member = Member { network: network.into(), name: "n".into(), id: id.into(), prefetch };
    (broker.attach(member, ear.clone()), ear)
}

fn ask(line: &Arc<dyn Line>, id: &str) -> Result<(), Unsent> {
    let body = Bytes::copy_from_slice(id.as_bytes());
    line.request(&PING, Request { id, correlation: &|| id.to_owned(), expires: Duration::from_secs(9), body })
}

#[test]
fn each_request_goes_to_the_one_with_the_least_to_do() {
    let broker = Memory::new();
    let (gateway, _) = attach(&broker, "n", "g", 1);
    let (one, heard_one) = attach(&broker, "n", "1", 2);
    let (two, heard_two) = attach(&broker, "n", "2", 9);
    one.serve(&PING);
    two.serve(&PING);
    for id in ["a", "b", "c", "d", "e"] {
        ask(&gateway, id).unwrap();
    }
    assert_eq!(heard_one.heard(), ["a", "c"]);
    assert_eq!(heard_two.heard(), ["b", "d", "e"], "the other may hold no more than two");
    one.settle(heard_one.ticket());
    one.settle(heard_one.ticket());
    ask(&gateway, "f").unwrap();
    assert_eq!(heard_one.heard(), ["f"]);
}

#[tokio::test(start_paused = true)]
async fn what_has_expired_takes_the_room_of_nobody() {
    let broker = Memory::new();
    let (gateway, _) = attach(&broker, "n", "g", 1);
    let (slow, _) = attach(&broker, "n", "1", 1);
    let (quick, heard) = attach(&broker, "n", "2", 1);
    slow.serve(&PING);
    let pong = Key { procedure: "pong", ..PING };
    quick.serve(&pong);
    while ask(&gateway, "a").is_ok() {}
    let ask_pong = |id: &str| {
        let body = Bytes::copy_from_slice(id.as_bytes());
        gateway.request(
            &pong,
            Request { id, correlation: &|| id.to_owned(), expires: Duration::from_secs(9), body },
        )
    };
    assert_eq!(ask_pong("b"), Err(Unsent::Full));
    tokio::time::advance(Duration::from_secs(9)).await;
    assert_eq!(ask_pong("c"), Ok(()));
    assert_eq!(heard.heard(), ["c"]);
    // and it is looked for again
    while ask(&gateway, "d").is_ok() {}
    tokio::time::advance(Duration::from_secs(9)).await;
    assert_eq!(ask(&gateway, "e"), Ok(()));
}

#[tokio::test]
async fn what_waits_for_the_last_that_stops_comes_back() {
    let broker = Memory::new();
    let (gateway, told) = attach(&broker, "n", "g", 1);
    let (one, heard) = attach(&broker, "n", "1", 1);
    one.serve(&PING);
    ask(&gateway, "a").unwrap();
    ask(&gateway, "b").unwrap();
    one.stop_serving(None).await;
    assert_eq!(heard.heard(), ["a"]);
    assert_eq!(told.heard(), ["b: nobody"]);
}

#[test]
fn who_has_unsubscribed_hears_no_more() {
    let broker = Memory::new();
    let (one, heard) = attach(&broker, "n", "1", 1);
    let say = |topic: &str| one.publish(topic, Bytes::from_static(b"news")).unwrap();
    one.subscribe("t");
    one.subscribe("u");
    say("t");
    one.unsubscribe("t");
    one.unsubscribe("never heard of");
    say("t");
    say("u");
    assert_eq!(heard.heard(), ["t: news", "u: news"]);
}
