//! Calls from one peer to another.

use crate::world::{World, named, unavailable};
use futures_util::{Stream, StreamExt, stream};
use serde_json::json;
use tokio::sync::mpsc;
use trunkline::{
    CallError, Caller, CallingPeer, Calls, Client, Context, Fault, FaultKind, Identity, Peer, Router, Server,
    access::Access, handler,
};

#[derive(Debug, PartialEq, trunkline::Fault)]
enum Refusal {
    #[fault("{guests} guests are enough", code = 4001)]
    Full { guests: usize },
}

#[trunkline::service]
trait Door {
    async fn knock(&self, who: String, loudly: Option<bool>) -> Result<String, Refusal>;
    async fn chimes(&self, count: u32) -> impl Stream<Item = u32>;
    #[procedure(notification)]
    async fn leave(&self, note: String);
}

struct House(mpsc::UnboundedSender<String>);

impl Door for House {
    async fn knock(&self, who: String, loudly: Option<bool>) -> Result<String, Refusal> {
        match loudly {
            Some(true) => Err(Refusal::Full { guests: 2 }),
            _ => Ok(format!("come in, {who}")),
        }
    }

    async fn chimes(&self, count: u32) -> impl Stream<Item = u32> {
        stream::iter(1..=count)
    }

    async fn leave(&self, note: String) {
        self.0.send(note).unwrap();
    }
}

/// As those of a server may.
#[tokio::test]
async fn what_is_served_to_peers_calls_what_is_beside_it() {
    let twice = async |caller: Caller, word: String| {
        Ok::<_, Fault>(caller.call::<String>("shout", (&word,)).await? + &word)
    };
    let for_peers =
        Router::new().procedure("twice", twice).procedure("shout", async |word: String| word.to_uppercase());
    let world = World::new().await;
    let _alice = world.peer("alice", for_peers).await;
    let bob = world.client().await;
    assert_eq!(bob.peer("alice").call::<String>("twice", ("ha",)).await.unwrap(), "HAha");
}

#[tokio::test]
async fn a_typed_client_works_whatever_the_two_are_connected_by() {
    let world = World::new().await;
    for (theirs, ours) in
        [(&world.tcp, &world.tcp), (&world.tcp, &world.ws), (&world.ws, &world.tcp), (&world.ws, &world.ws)]
    {
        let (sent, mut notes) = mpsc::unbounded_channel();
        let router = Router::new().service(DoorService::new(House(sent)));
        let alice = named(theirs, "alice", router).connect().await.unwrap();
        let bob = Client::connect(ours).await.unwrap();
        let door = DoorClient::new(bob.peer("alice"));
        assert_eq!(door.knock("Bob".into(), None).await.unwrap(), "come in, Bob");
        let refused = door.knock("Bob".into(), Some(true)).await;
        assert_eq!(refused, Err(CallError::Typed(Refusal::Full { guests: 2 })));
        let chimes: Vec<u32> = door.chimes(3).await.unwrap().map(Result::unwrap).collect().await;
        assert_eq!(chimes, [1, 2, 3]);
        door.leave("gone".into()).await.unwrap();
        assert_eq!(notes.recv().await.unwrap(), "gone");
        alice.close().await;
        world.until_free("alice").await;
    }
}

#[tokio::test]
async fn faults_cross_as_they_are() {
    let world = World::new().await;
    let router = Router::new()
        .procedure("fail", async || {
            Err::<(), _>(Fault::from("no").with_code(7).with_data(json!({"a": [1.0, null]})))
        })
        .procedure("panic", async || -> u8 { panic!("secret") });
    let _alice = world.peer("alice", router).await;
    let bob = world.client().await;
    let fault = bob.peer("alice").call::<()>("fail", ()).await.unwrap_err();
    assert_eq!((fault.code(), fault.message()), (Some(7), "no"));
    assert_eq!(fault.raw_data(), Some(r#"{"a":[1.0,null]}"#));
    let fault = bob.peer("alice").call::<u8>("panic", ()).await.unwrap_err();
    assert_eq!((fault.kind(), fault.message()), (FaultKind::Internal, "Internal error"));
    let fault = bob.peer("alice").call::<u8>("nothing", ()).await.unwrap_err();
    assert_eq!((fault.kind(), fault.message()), (FaultKind::NotFound, "Method not found"));
}

#[tokio::test]
async fn arguments_are_those_of_any_call() {
    let world = World::new().await;
    let router = Router::new()
        .procedure("none", async || "none")
        .procedure("one", async |(text,): (String,)| text)
        .procedure("two", async |(a, b): (i64, i64)| a + b);
    let _alice = world.peer("alice", router).await;
    let alice = world.client().await.peer("alice");
    assert_eq!(alice.call::<String>("none", ()).await.unwrap(), "none");
    assert_eq!(alice.call::<String>("one", "text").await.unwrap(), "text");
    assert_eq!(alice.call::<i64>("two", (1, 2)).await.unwrap(), 3);
    let fault = alice.call::<i64>("two", (1,)).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::InvalidArgs);
    let fault = alice.call::<i64>("two", std::collections::HashMap::from([((1, 2), 3)])).await.unwrap_err();
    assert!(fault.message().starts_with("the arguments cannot be encoded"), "{fault}");
}

async fn who(from: CallingPeer) -> String {
    format!("{:?} {:?}", from.name, from.subject)
}

#[tokio::test]
async fn the_server_says_who_calls() {
    let access = Access::new()
        .bearer(async |token| Ok(Identity::new(token)))
        .names(|_, _| Ok(()))
        .sends(|_, _, _| Ok(()));
    let world = World::secured(access).await;
    let _alice = world.peer("alice", Router::new().procedure("who", who)).await;
    let bob = world.client().await;
    let ask = async || bob.peer("alice").call::<String>("who", ()).await.unwrap();
    assert_eq!(ask().await, "None None");
    bob.register("bob").await.unwrap();
    bob.register("robert").await.unwrap();
    assert_eq!(ask().await, r#"Some("bob") None"#);
    bob.authenticate(["ada"]).await.unwrap();
    assert_eq!(ask().await, r#"Some("bob") Some("ada")"#);
    assert!(bob.unregister("bob").await.unwrap());
    assert_eq!(ask().await, r#"Some("robert") Some("ada")"#);
    let posting = Client::builder(&world.http).bearer("grace").connect().await.unwrap();
    let posted: String = Calls::call(&posting.peer("alice"), "who", (), None).await.unwrap();
    assert_eq!(posted, r#"None Some("grace")"#);
}

#[tokio::test]
async fn what_is_for_peers_and_what_is_for_the_server_are_apart() {
    let world = World::new().await;
    let for_peers = Router::new().procedure("who", who);
    let for_server = Router::new().procedure("secret", async || 42).procedure("who", who);
    let _alice = named(&world.ws, "alice", for_peers).router(for_server).connect().await.unwrap();
    let bob = world.client().await;
    let fault = bob.peer("alice").call::<u8>("secret", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::NotFound);
    let alice = world.peers.named("alice").unwrap();
    assert_eq!(alice.call::<u8>("secret", ()).await.unwrap(), 42);
    let fault = alice.call::<String>("who", ()).await.unwrap_err();
    assert_eq!(fault.message(), "only peers may call this, by way of the server");
}

#[tokio::test]
async fn who_serves_nothing_to_peers_has_no_procedures() {
    let world = World::new().await;
    let alice = world.client().await;
    alice.register("alice").await.unwrap();
    let fault = world.client().await.peer("alice").call::<u8>("who", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::NotFound);
}

#[tokio::test]
async fn a_peer_may_call_itself_and_be_called_back() {
    /// Calls whoever calls, by way of the server, so many times.
    async fn back(from: CallingPeer, server: Peer, depth: u32) -> Result<u32, Fault> {
        let Some(less) = depth.checked_sub(1) else { return Ok(0) };
        let said = json!({"peer": from.name, "method": "back", "params": [less]});
        Ok(1 + server.call::<u32>("rpc.peer.call", said).await?)
    }
    let world = World::new().await;
    let router = || Router::new().procedure("back", back);
    let alice = world.peer("alice", router()).await;
    let _bob = world.peer("bob", router()).await;
    assert_eq!(alice.peer("alice").call::<u32>("back", (3,)).await.unwrap(), 3);
    assert_eq!(alice.peer("bob").call::<u32>("back", (4,)).await.unwrap(), 4);
    // each may be called so often at a time: there is an end to it
    let fault = alice.peer("bob").call::<u32>("back", (10_000,)).await.unwrap_err();
    unavailable(&fault, "PeerBusy");
    assert_eq!(alice.peer("bob").call::<u32>("back", (1,)).await.unwrap(), 1);
}

#[tokio::test]
async fn it_counts_where_and_for_how_long_a_procedure_runs() {
    let world = World::new().await;
    let here = std::thread::current().id();
    let elsewhere = move || async move { std::thread::current().id() != here };
    let slow = std::future::pending::<()>;
    let router = Router::new()
        .procedure("blocking", handler(elsewhere).blocking())
        .procedure("parallel", handler(async || true).parallel())
        .procedure("slow", handler(slow).timeout(std::time::Duration::from_millis(1)))
        .procedure("quick", handler(async || true).timeout(std::time::Duration::from_secs(60)));
    let _alice = world.peer("alice", router).await;
    let alice = world.client().await.peer("alice");
    for name in ["blocking", "parallel", "quick"] {
        assert!(alice.call::<bool>(name, ()).await.unwrap(), "{name}");
    }
    let fault = alice.call::<()>("slow", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::DeadlineExceeded);
}

#[tokio::test]
async fn what_is_for_peers_calls_what_else_is() {
    let world = World::new().await;
    let louder = async |caller: Caller, text: String| {
        let text: String = caller.call("shout", (text,)).await?;
        Ok::<_, Fault>(format!("{text}!"))
    };
    let shout = async |from: CallingPeer, text: String| format!("{:?}: {}", from.name, text.to_uppercase());
    let router = Router::new().procedure("louder", louder).procedure("shout", handler(shout).internal());
    let _alice = world.peer("alice", router).await;
    let bob = world.client().await;
    bob.register("bob").await.unwrap();
    let alice = bob.peer("alice");
    assert_eq!(alice.call::<String>("louder", ("hey",)).await.unwrap(), r#"Some("bob"): HEY!"#);
    assert_eq!(alice.call::<String>("shout", ("hey",)).await.unwrap_err().kind(), FaultKind::NotFound);
}

#[tokio::test]
async fn nobody_is_told_twice_what_a_fault_is() {
    struct Marks;
    impl trunkline::Security for Marks {
        fn may_register_peer(&self, _: &str, _: &Context) -> Result<(), Fault> {
            Ok(())
        }
        fn may_send_to_peer(&self, _: &str, _: &str, _: &Context) -> Result<(), Fault> {
            Ok(())
        }
        fn redact<'f>(&self, fault: &'f Fault, _: &Context) -> std::borrow::Cow<'f, Fault> {
            std::borrow::Cow::Owned(fault.clone().with_message(format!("<{fault}>")))
        }
    }
    let world = World::secured(Marks).await;
    let router = Router::new().procedure("fail", async || Err::<(), _>(Fault::from("no")));
    let _alice = world.peer("alice", router).await;
    let fault = world.client().await.peer("alice").call::<()>("fail", ()).await.unwrap_err();
    assert_eq!(fault.message(), "<no>");
}

#[tokio::test]
async fn a_server_relays_only_where_it_is_asked_to() {
    let server = Server::new(Router::new()).tcp("127.0.0.1:0").bind().await.unwrap();
    let client = Client::connect(format!("tcp://{}", server.addresses()[0])).await.unwrap();
    tokio::spawn(server.serve());
    assert_eq!(client.register("alice").await.unwrap_err().kind(), FaultKind::NotFound);
    let fault = client.peer("alice").call::<()>("x", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::NotFound);
}

/// What one peer asks of another stands in the trace in which the one says that it does.
#[tokio::test]
async fn a_relayed_call_stands_where_its_caller_does() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    fn stands(context: &Context) -> Option<String> {
        context.trace().map(|trace| trace.to_string())
    }
    let (sent, mut notes) = mpsc::unbounded_channel();
    let router = Router::new()
        .procedure("stands", async |context: Context| stands(&context))
        .procedure("note", move |context: Context| {
            sent.send(stands(&context)).unwrap();
            std::future::ready(())
        })
        .procedure("stream", async |context: Context| stream::iter([stands(&context)]));
    let world = World::new().await;
    let _alice = world.peer("alice", router).await;
    let bob = world.client().await;
    for trace in [Some(parent.to_owned()), None] {
        let place = trace.as_deref().and_then(trunkline::Trace::parse);
        let alice = bob.in_trace(place).peer("alice");
        assert_eq!(alice.call::<Option<String>>("stands", ()).await.unwrap(), trace);
        alice.notify("note", ()).await.unwrap();
        assert_eq!(notes.recv().await.unwrap(), trace);
        let mut stream = alice.stream::<Option<String>>("stream", ()).await.unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap(), trace);
    }
}
