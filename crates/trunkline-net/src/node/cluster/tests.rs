use super::{
    topics::{MOST, MOST_TOPICS},
    *,
};
use futures_util::{FutureExt, StreamExt};

fn taken<T: DeserializeOwned>(published: &mut Published<T>) -> Vec<T> {
    std::iter::from_fn(|| published.next().now_or_never()).map(|event| event.unwrap().unwrap()).collect()
}

#[test]
fn who_is_slow_misses_the_oldest_events_and_is_told_how_many() {
    let cluster = Cluster::default();
    let (mut slow, mut other) =
        (cluster.subscribe("t").unwrap(), cluster.subscribe::<usize>("other").unwrap());
    let (events, bytes) = MOST;
    for number in 0..events + 3 {
        cluster.publish("t", number).unwrap();
    }
    assert_eq!(taken::<usize>(&mut slow), (3..events + 3).collect::<Vec<_>>());
    assert_eq!((slow.missed(), taken(&mut other).len(), other.missed()), (3, 0, 0));

    let mut slow = cluster.subscribe::<String>("t").unwrap();
    let most = "x".repeat(bytes);
    for _ in 0..2 {
        cluster.publish("t", &most).unwrap();
    }
    cluster.publish("t", "y").unwrap();
    assert_eq!((taken(&mut slow), slow.missed()), (vec!["y".to_owned()], 2));
    cluster.publish("t", &most).unwrap();
    assert_eq!((taken(&mut slow), slow.missed()), (vec![most], 2), "one is kept however long it is");
}

#[tokio::test]
async fn who_waits_is_woken_and_who_is_gone_is_forgotten() {
    let cluster = Cluster::default();
    let mut heard = cluster.subscribe::<String>("t").unwrap();
    let publishing = cluster.clone();
    let (event, ()) = tokio::join!(heard.next(), async move { publishing.publish("t", "news").unwrap() });
    assert_eq!(event, Some(Ok("news".to_owned())));
    cluster.publish("t", 7).unwrap();
    cluster.publish("t", "more").unwrap();
    let fault = heard.next().await.unwrap().unwrap_err();
    assert_eq!(fault.kind(), FaultKind::InvalidReply, "{fault}");
    assert_eq!(heard.next().await, Some(Ok("more".to_owned())));
    drop(heard);
    assert_eq!(cluster.0.topics.len(), 0);
}

#[test]
fn topics_have_names_of_some_length() {
    let cluster = Cluster::default();
    for (topic, fits) in [("", false), ("t", true), (&*"x".repeat(200), true), (&*"x".repeat(201), false)] {
        assert_eq!(cluster.publish(topic, ()).is_ok(), fits, "{topic}");
        assert_eq!(cluster.subscribe::<()>(topic).is_ok(), fits, "{topic}");
    }
}

#[test]
fn no_more_topics_are_listened_to_than_so_many() {
    let cluster = Cluster::default();
    let mut heard: Vec<_> =
        (0..MOST_TOPICS).map(|topic| cluster.subscribe::<()>(&topic.to_string()).unwrap()).collect();
    let fault = cluster.subscribe::<()>("one more").unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Unavailable, "{fault}");
    assert!(cluster.subscribe::<()>("0").is_ok(), "of a topic there may be more");
    heard.pop();
    assert!(cluster.subscribe::<()>("one more").is_ok());
}

#[test]
fn what_is_no_event_is_passed_over() {
    let cluster = Cluster::default();
    let mut heard = cluster.subscribe::<u8>("t").unwrap();
    let own = cluster.peers().holder();
    for body in [
        String::new(),
        "null".to_owned(),
        "{}".to_owned(),
        r#"{"data":1}"#.to_owned(),
        r#"{"from":"x","name":"n","data":1}"#.to_owned(),
        format!(r#"{{"from":"{own}","data":1}}"#),
    ] {
        cluster.hear("topic.t", body.as_bytes());
        cluster.hear(BROADCAST, body.as_bytes());
    }
    cluster.hear("topic.t", b"\xff");
    cluster.hear("t", br#"{"from":"x","data":1}"#);
    assert!(taken(&mut heard).is_empty());
    cluster.hear("topic.t", br#"{"from":"x","data":1}"#);
    assert_eq!(taken(&mut heard), [1]);
}

#[tokio::test]
async fn without_a_broker_nobody_else_has_connections() {
    let id = trunkline_core::Connection::new("websocket", "none").id();
    let fault = Cluster::default().send_to(id, "hello", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::NotFound);
}
