//! What processes of `therms` on the same broker see of us, and we of them.

use super::stranger::Stranger;
use crate::peer::Peer;
use amq_protocol::protocol::BasicProperties;
use bytes::Bytes;
use rand::random;
use std::{sync::Arc, time::Duration};
use trunkline_core::Key;
use trunkline_net::broker::{Amqp, Broker, Request};
use trunkline_services::RabbitMq;

/// The network that `therms` is in.
const DEFAULT: &str = "trunkline";

/// A scope of its own, as all tests of this network share it.
fn scope() -> String {
    format!("test-{:016x}", random::<u64>())
}

// strangers block
#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_as_they_send_theirs_and_a_copy_of_it_goes_to_each_of_them() {
    let uri = RabbitMq::shared().unwrap().uri();
    let broker: Arc<dyn Broker> = Arc::new(Amqp::new(&uri).unwrap());
    let scope = scope();
    let key = Key { scope: &scope, procedure: "echo", version: "1" };
    let mut ours = Peer::serving(&broker, DEFAULT, 9, &[key]).await;
    let mut gateway = Peer::attach(&broker, DEFAULT, 9).await;
    let mut theirs = Stranger::connect(&uri);
    theirs.listen(&format!("{scope}-rpc"), "rpc-scoped", &key.to_string());
    let body = Bytes::from_static(b"{}");
    let id = "0123456789abcdef0123456789abcdef";
    let expires = Duration::from_millis(29_999);
    gateway.line().request(&key, Request { id, correlation: &|| "c-1".to_owned(), expires, body }).unwrap();

    let (properties, body) = theirs.message();
    let text = |value: &Option<amq_protocol::types::ShortString>| value.as_ref().unwrap().to_string();
    assert_eq!(body, b"{}");
    assert_eq!(text(properties.kind()), "request");
    assert_eq!(text(properties.app_id()), "same");
    assert_eq!((text(properties.correlation_id()), text(properties.message_id())), ("c-1".into(), id.into()));
    assert_eq!(text(properties.expiration()), "29999");
    let reply_to = text(properties.reply_to());
    let random = reply_to.strip_prefix("same-rpc-").unwrap();
    assert_eq!(random.len(), 32, "128 bits that nobody can guess");

    // theirs and ours both run, and both answer
    theirs.publish("", &reply_to, BasicProperties::default().with_type("response".into()), b"theirs");
    theirs.publish("", &reply_to, BasicProperties::default().with_type("request".into()), b"no answer");
    theirs.publish("", &reply_to, BasicProperties::default(), b"of no type");
    gateway.hears(&["theirs"]).await;
    let heard = ours.next().await;
    assert_eq!(heard.text, "{}");
    ours.line().answer(&heard.reply_to, id, Bytes::from_static(b"ours")).unwrap();
    gateway.hears(&["ours"]).await;
}

// strangers block
#[tokio::test(flavor = "multi_thread")]
async fn their_requests_are_answered_as_they_answer() {
    let uri = RabbitMq::shared().unwrap().uri();
    let broker: Arc<dyn Broker> = Arc::new(Amqp::new(&uri).unwrap());
    let procedure = scope();
    let key = Key { scope: "global", procedure: &procedure, version: "1" };
    let mut ours = Peer::serving(&broker, DEFAULT, 1, &[key]).await;
    let mut theirs = Stranger::connect(&uri);
    let queue = format!("{procedure}-rpc");
    theirs.listen(&queue, "rpc-global", &format!("nothing of {procedure}"));
    let theirs_sends =
        |kind: &str| BasicProperties::default().with_type(kind.into()).with_reply_to(queue.as_str().into());
    // what is no request is passed over, and takes no room
    theirs.publish("rpc-global", &key.to_string(), theirs_sends("response"), b"no request");
    theirs.publish("rpc-global", &key.to_string(), theirs_sends("request"), b"a");
    let heard = ours.next().await;
    assert_eq!((&*heard.text, &*heard.reply_to), ("a", &*queue));
    ours.line().answer(&heard.reply_to, "their-id", Bytes::from_static(b"{}")).unwrap();
    let (properties, body) = theirs.message();
    assert_eq!(body, b"{}");
    assert_eq!(properties.kind().as_ref().unwrap().as_str(), "response");
    assert_eq!(properties.correlation_id().as_ref().unwrap().as_str(), "their-id");
    assert!(properties.reply_to().is_none() && properties.expiration().is_none());
}
