use super::*;
use crate::broker::Arrival;
use std::time::Duration;

/// Writes down what it hears, and where each request of it is to be settled.
#[derive(Default)]
struct Ear(Mutex<Vec<String>>, Mutex<Vec<Ticket>>);

impl Inbox for Ear {
    fn arrived(&self, arrival: Arrival<'_>) {
        let text = |body: Bytes| String::from_utf8(body.to_vec()).unwrap();
        let heard = match arrival {
            Arrival::Request(it) => {
                self.1.lock().unwrap().push(it.ticket);
                format!("{}{}", text(it.body), if it.redelivered { " again" } else { "" })
            }
            Arrival::Answer(body) => text(body),
            Arrival::Unroutable { id } => format!("{id}: nobody"),
            Arrival::Event { topic, body } => format!("{topic}: {}", text(body)),
            Arrival::Lost => "lost".to_owned(),
            Arrival::Restored => return,
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
    line.request(&PING, Request { id, expires: Duration::from_secs(9), body })
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
async fn what_nobody_can_take_waits_until_it_expires() {
    let broker = Memory::new();
    let (gateway, told) = attach(&broker, "n", "g", 1);
    let (one, heard) = attach(&broker, "n", "1", 1);
    ask(&gateway, "too early").unwrap();
    assert_eq!(told.heard(), ["too early: nobody"]);
    one.serve(&PING);
    ask(&gateway, "a").unwrap();
    ask(&gateway, "b").unwrap();
    tokio::time::advance(Duration::from_secs(8)).await;
    ask(&gateway, "c").unwrap();
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(heard.heard(), ["a"]);
    one.settle(heard.ticket());
    assert_eq!(heard.heard(), ["c"], "b has expired");
    ask(&gateway, "d").unwrap();
    one.stop_serving().await;
    assert_eq!(told.heard(), ["d: nobody"]);
    one.answer("g", "c", Bytes::from_static(b"pong")).unwrap();
    one.answer("nobody", "c", Bytes::from_static(b"pong")).unwrap();
    assert_eq!(told.heard(), ["pong"]);
}

#[tokio::test]
async fn what_a_node_held_that_is_gone_goes_to_another_and_says_so() {
    let broker = Memory::new();
    let (gateway, _) = attach(&broker, "n", "g", 1);
    let (one, heard_one) = attach(&broker, "n", "1", 9);
    let (two, heard_two) = attach(&broker, "n", "2", 9);
    one.serve(&PING);
    for id in ["a", "b", "c"] {
        ask(&gateway, id).unwrap();
    }
    two.serve(&PING);
    one.settle(heard_one.ticket());
    drop(one);
    assert_eq!(heard_one.heard(), ["a", "b", "c"]);
    assert_eq!(heard_two.heard(), ["b again", "c again"]);
    two.leave().await;
    assert_eq!(two.publish("t", Bytes::new()), Err(Unsent::Lost));
}

#[test]
fn a_broker_that_was_lost_knows_its_nodes_but_nothing_else() {
    let broker = Memory::new();
    let (gateway, told) = attach(&broker, "n", "g", 1);
    let (one, heard) = attach(&broker, "n", "1", 1);
    let (_other, deaf) = attach(&broker, "another", "1", 1);
    one.serve(&PING);
    one.subscribe("t");
    ask(&gateway, "a").unwrap();
    ask(&gateway, "b").unwrap();
    broker.lose();
    assert_eq!(ask(&gateway, "c"), Err(Unsent::Lost));
    broker.restore();
    one.settle(heard.ticket());
    ask(&gateway, "d").unwrap();
    gateway.publish("t", Bytes::from_static(b"news")).unwrap();
    gateway.publish("u", Bytes::from_static(b"news")).unwrap();
    assert_eq!(heard.heard(), ["a", "lost", "d", "t: news"]);
    assert_eq!(told.heard(), ["lost"]);
    assert_eq!(deaf.heard(), ["lost"], "a network hears nothing of another");
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
