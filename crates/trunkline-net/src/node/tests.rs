//! What a node makes of what others put on the broker.

use super::*;
use crate::broker::{Delivery, Line, Memory, Request, Soon, Ticket, Unsent};
use bytes::Bytes;
use std::{
    future::pending,
    sync::{
        Mutex, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::sync::Notify;
use trunkline_core::{
    Attempt, Connection, Context, Credentials, Fault, FaultKind, Format, Identity, Limits, Payload, Router,
    Security,
    envelope::Asked,
    handler::handler,
    security::{Authenticating, unauthenticated},
};
use trunkline_dialects::{jsonrpc::JsonRpc, native::Native, therms::Network};

/// Somebody who speaks to the broker without being a node.
#[derive(Default)]
struct Stranger {
    requests: Mutex<Vec<(String, Ticket)>>,
    answers: Mutex<Vec<Bytes>>,
    events: Mutex<Vec<String>>,
    heard: Notify,
}

impl Inbox for Stranger {
    fn arrived(&self, arrival: Arrival<'_>) {
        match arrival {
            Arrival::Request(Delivery { reply_to, ticket, .. }) => {
                self.requests.lock().unwrap().push((reply_to.to_owned(), ticket));
            }
            Arrival::Answer(body) => {
                self.answers.lock().unwrap().push(body);
            }
            Arrival::Event { topic, .. } => self.events.lock().unwrap().push(topic.to_owned()),
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

    async fn answer(&self) -> Bytes {
        loop {
            if let Some(answer) = self.answers.lock().unwrap().pop() {
                return answer;
            }
            self.heard.notified().await;
        }
    }

    async fn answered(&self) -> serde_json::Value {
        serde_json::from_slice(&self.answer().await).unwrap()
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
    let connection = Connection::new("memory", "none");
    let context = Context::from(Arc::new(connection));
    let args = Some(Payload::Json("[]"));
    let value = service.router.call(name, args, &context).await?;
    assert_eq!(value.borrow().format(), Format::Json);
    value.decode().map_err(|error| Fault::from(error.to_string()))
}

fn request(id: &str, procedure: &str, more: &str) -> Bytes {
    format!(r#"{{"request":{{"procedure":"{procedure}","trace":{{"id":"{id}"{more}}}}}}}"#).into()
}

/// What a node of ours says besides: a key, of which `id` is the end.
fn ours(id: &str, more: &str) -> String {
    format!(r#","key":"{id:0>32}"{more}"#)
}

fn send(line: &dyn Line, procedure: &str, body: Bytes) {
    let request = Request { id: "x", correlation: &|| "x".to_owned(), expires: Duration::from_secs(9), body };
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
async fn a_call_that_is_given_up_while_it_runs_is_not_begun_with_again() {
    let (broker, begun) = (Memory::new(), Arc::new(Notify::new()));
    let (count, telling) = (Arc::<AtomicUsize>::default(), begun.clone());
    let counted = count.clone();
    let work = move || {
        counted.fetch_add(1, Relaxed);
        telling.notify_one();
        pending::<()>()
    };
    let router =
        Router::new().procedure("work", handler(work).idempotent()).procedure("ping", async || "pong");
    let (_node, _service) = node(&broker, router);
    let (stranger, line) = Stranger::at(&broker);
    send(&*line, "work", request("a", "work", &ours("a", "")));
    begun.notified().await;
    let key = format!("{:0>32}", "a");
    let topic = cancel::topic(&Key::of("work"));
    line.publish(&topic, cancel::write(&key, Duration::from_secs(9))).unwrap();
    send(&*line, "work", request("a", "work", &ours("a", r#","repeated":true"#)));
    send(&*line, "ping", request("b", "ping", &ours("b", "")));
    assert_eq!(stranger.answered().await["response"]["data"], "pong");
    assert_eq!(count.load(Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_costs_nobody_the_answer() {
    let broker = Memory::new();
    let node = Node::new(Arc::new(broker.clone()), Arc::new(Network), "n", "node");
    let router = Router::new().procedure("fail", async || Err::<(), _>(Fault::from("why not")));
    let hooks = Hooks::default().on_fault(|_| panic!("a hook")).on_error(|_| panic!("another"));
    node.join(&Service::new(router, JsonRpc::default()).hooks(hooks));
    let (stranger, line) = Stranger::at(&broker);
    send(&*line, "fail", request("a", "fail", &ours("a", "")));
    assert_eq!(stranger.answered().await["response"]["message"], "why not");
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
    let limits = Limits::default().max_in_flight(1);
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
    // its task ends when the runtime comes to it
    tokio::task::yield_now().await;
    assert!(desk.upgrade().is_none(), "its line, its inbox and its router have let go of each other");
}

/// A procedure `work` that counts how often it was started, and answers when it may.
fn work(go: &Arc<Notify>) -> (impl Fn() -> Ready + Clone + Send + Sync + 'static, Arc<Mutex<usize>>) {
    let (go, started) = (go.clone(), Arc::new(Mutex::new(0)));
    let counted = started.clone();
    let work = move || {
        *counted.lock().unwrap() += 1;
        let go = go.clone();
        let ready: Ready = Box::pin(async move {
            go.notified().await;
            "done"
        });
        ready
    };
    (work, started)
}

type Ready = std::pin::Pin<Box<dyn Future<Output = &'static str> + Send>>;

/// Whatever asks again: the calling node after a loss, or the broker.
#[tokio::test(start_paused = true)]
async fn what_may_have_run_is_not_run_again_unless_it_may_run_twice() {
    let broker = Memory::new();
    let key = async |attempt: Attempt| format!("{} {}", attempt.key(), attempt.is_repeated());
    let router = Router::new().procedure("once", key).procedure("often", handler(key).idempotent());
    let (_node, _) = node(&broker, router);
    let (stranger, line) = Stranger::at(&broker);
    let (first, again) = (&*ours("7", ""), &*ours("7", r#","repeated":true"#));
    let named = |repeated: bool| Some(format!("{:0>32} {repeated}", 7));
    for (procedure, more, data, remark) in [
        ("once", first, named(false), None),
        ("often", first, named(false), Some(true)),
        ("once", again, None, None),
        ("often", again, named(true), Some(true)),
        ("often", "", Some("7 false".to_owned()), None),
    ] {
        send(&*line, procedure, request("7", procedure, more));
        let response = stranger.answered().await["response"].take();
        assert_eq!(
            response["data"].as_str().filter(|_| data.is_some()),
            data.as_deref(),
            "{procedure} {more}"
        );
        assert_eq!(response["trace"]["idempotent"].as_bool(), remark, "{procedure} {more}");
        if data.is_none() {
            assert_eq!(response["trace"]["kind"], "disconnected");
            assert!(response["message"].as_str().unwrap().contains("it may have run there"), "{response}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_again_while_it_runs_is_answered_once() {
    let (broker, go) = (Memory::new(), Arc::new(Notify::new()));
    let (work, started) = work(&go);
    let (node, _) = node(&broker, Router::new().procedure("work", work));
    let (stranger, line) = Stranger::at(&broker);
    send(&*line, "work", request("7", "work", &ours("7", "")));
    send(&*line, "work", request("7", "work", &ours("7", r#","repeated":true"#)));
    tokio::time::sleep(Duration::from_secs(1)).await;
    go.notify_one();
    assert_eq!(stranger.answered().await["response"]["data"], "done");
    node.drain().await;
    assert!(stranger.answers.lock().unwrap().is_empty());
    assert_eq!(*started.lock().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn tasks_are_kept_for_calls_to_come_and_hold_nothing_of_the_last() {
    let broker = Memory::new();
    let last = Arc::new(Mutex::new(Weak::new()));
    let seen = last.clone();
    let router = Router::new().procedure("who", move |context: Context| {
        *seen.lock().unwrap() = Arc::downgrade(context.connection());
        async { "done" }
    });
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let (node, service) = node(&broker, router);
    let (stranger, line) = Stranger::at(&broker);
    let before = tasks();
    for _ in 0..3 {
        for (id, more) in [("1", ""), ("2", ""), ("3", r#","internal":true"#)] {
            send(&*line, "who", request(id, "who", more));
        }
        for _ in 0..3 {
            assert_eq!(stranger.answered().await["response"]["data"], "done");
        }
        assert_eq!(tasks(), before + 3);
        assert!(last.lock().unwrap().upgrade().is_none(), "what the last caller was is kept");
    }
    drop((node, service));
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(tasks(), 0);
}

/// RabbitMQ closes channels that hold a request for half an hour.
#[tokio::test(start_paused = true)]
async fn a_request_is_not_held_for_hours() {
    let (broker, go) = (Memory::new(), Arc::new(Notify::new()));
    let node = Node::new(Arc::new(broker.clone()), Arc::new(Network), "n", "node");
    let limits = Limits::default().max_in_flight(1).call_timeout(Duration::from_secs(7200));
    let (work, started) = work(&go);
    node.join(&Service::new(Router::new().procedure("work", work), JsonRpc::default()).limits(limits));
    let (stranger, line) = Stranger::at(&broker);
    let send = |id| {
        let body = request(id, "work", &ours(id, r#","timeout":7200000"#));
        let request =
            Request { id: "x", correlation: &|| "x".to_owned(), expires: Duration::from_secs(7200), body };
        line.request(&Key::of("work"), request).unwrap();
    };
    send("1");
    send("2");
    tokio::time::sleep(Duration::from_secs(9 * 60)).await;
    assert!(stranger.answers.lock().unwrap().is_empty(), "it holds one, and the other waits");
    tokio::time::sleep(Duration::from_secs(2 * 60)).await;
    let refused = stranger.answered().await["response"].take();
    assert_eq!((&refused["trace"]["id"], &refused["trace"]["started"]), (&"2".into(), &false.into()));
    go.notify_one();
    let done = stranger.answered().await["response"].take();
    assert_eq!((&done["trace"]["id"], &done["data"]), (&"1".into(), &"done".into()));
    assert_eq!(*started.lock().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_tells_those_who_have_the_procedure_and_nobody_else() {
    let (broker, go) = (Memory::new(), Arc::new(Notify::new()));
    let (work, started) = work(&go);
    let (_handler, _) = node(&broker, Router::new().procedure("work", work));
    let (gateway, service) = node(&broker, Router::new());
    let (stranger, line) = Stranger::at(&broker);
    line.subscribe(&cancel::topic(&Key::of("work")));
    line.subscribe(&cancel::topic(&Key::of("other")));
    let call = tokio::spawn(async move { call(&service, "work").await });
    while *started.lock().unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert_eq!(gateway.waiting(), 0);
    assert_eq!(*stranger.events.lock().unwrap(), ["cancel global::work::1"]);
}

/// Knows one token.
struct Tokens;

impl Security for Tokens {
    fn authenticate<'a>(&'a self, credentials: Credentials<'a>, on: &'a Connection) -> Authenticating<'a> {
        assert_eq!(on.transport(), "broker");
        Box::pin(async move {
            match credentials.bearer().as_deref() {
                Some("lovelace") => Ok(Identity::new("ada").with_group("admin")),
                Some("panic") => panic!("secret"),
                Some("wait") => std::future::pending().await,
                _ => Err(unauthenticated("the token is not known")),
            }
        })
    }
}

/// T27: a gateway that has found out who calls is not second-guessed; one that has not
/// hands on what it was shown.
#[tokio::test(start_paused = true)]
async fn who_asks_is_found_out_where_the_gateway_has_not() {
    let broker = Memory::new();
    let router = || {
        Router::new()
            .procedure("whoami", async |identity: Identity| identity.subject().map(str::to_owned))
            .procedure("delete", handler(async || "gone").group("admin"))
    };
    let node = Node::new(Arc::new(broker.clone()), Arc::new(Network), "n", "node");
    node.join(&Service::new(router(), JsonRpc::default()).security(Tokens));
    let (stranger, line) = Stranger::at(&broker);
    let asked = async |procedure: &str, request: &str| {
        let body = format!(r#"{{"request":{{"procedure":"{procedure}",{request}}}}}"#);
        send(&*line, procedure, body.into());
        let mut answer = stranger.answered().await["response"].take();
        (answer["code"].take(), answer["data"].take())
    };
    let token = |token: &str| format!(r#""identity":{{"authorization":"{token}"}},"trace":{{"id":"1"}}"#);
    assert_eq!(asked("whoami", &token("lovelace")).await, (200.into(), "ada".into()));
    assert_eq!(asked("delete", &token("lovelace")).await, (200.into(), "gone".into()));
    for (bad, code) in [("byron", 401), ("panic", 500), ("wait", 500)] {
        let (told, data) = asked("whoami", &token(bad)).await;
        assert_eq!((told, data.is_null()), (code.into(), true), "{bad}");
    }
    let nobody = r#""trace":{"id":"1"}"#;
    assert_eq!(asked("whoami", nobody).await.0, 200);
    assert_eq!(asked("delete", nobody).await.0, 401);
    let found = r#""identity":{"authorization":"byron"},"trace":{"id":"1","identity":{"subject":"bob"}}"#;
    assert_eq!(asked("whoami", found).await, (200.into(), "bob".into()));
    assert_eq!(asked("delete", found).await.0, 403);
    node.leave().await;

    let node = Node::new(Arc::new(broker.clone()), Arc::new(Network), "n", "node");
    node.join(&Service::new(router(), JsonRpc::default()));
    let (code, data) = asked("whoami", &token("lovelace")).await;
    assert_eq!((code, data.is_null()), (200.into(), true), "nobody is there to say who that is");
}

#[tokio::test]
async fn what_is_in_another_spelling_is_passed_over() {
    let asked = |envelope: &dyn Envelope| {
        let (id, context) = (RandomId::new(), Context::local());
        let asked = Asked {
            id: id.as_str(),
            key: &Key::of("ping"),
            args: None,
            context: &context,
            identified: false,
            timeout: Duration::from_secs(9),
            repeated: false,
        };
        let mut body = Vec::new();
        envelope.request(&asked, &mut body);
        Bytes::from(body)
    };
    let spellings: [Arc<dyn Envelope>; 2] = [Arc::new(Network), Arc::new(Native)];
    for (own, other) in [(0, 1), (1, 0)].map(|(own, other)| (&spellings[own], &spellings[other])) {
        let (broker, ran) = (Memory::new(), Arc::<AtomicUsize>::default());
        let counted = ran.clone();
        let ping = move || {
            counted.fetch_add(1, Relaxed);
            async { "pong" }
        };
        let node = Node::new(Arc::new(broker.clone()), own.clone(), "n", "node");
        node.join(&Service::new(Router::new().procedure("ping", ping), JsonRpc::default()));
        let (stranger, line) = Stranger::at(&broker);
        send(&*line, "ping", asked(&**other));
        send(&*line, "ping", asked(&**own));
        let answer = stranger.answer().await;
        assert!(own.answer(&answer).is_some_and(|answer| answer.outcome.is_ok()), "{}", own.name());
        // one that was taken would have begun first
        assert_eq!(ran.load(Relaxed), 1, "{}", own.name());
        node.leave().await;
    }
}

/// A broker that goes on, but hears of nobody who leaves.
#[derive(Clone)]
struct Deaf(Memory, Arc<Leaving>);

/// Whether a node is about to leave, and how often it has tried to answer since.
#[derive(Default)]
struct Leaving(AtomicBool, AtomicUsize);

impl Broker for Deaf {
    fn attach(&self, member: Member, inbox: Arc<dyn Inbox>) -> Arc<dyn Line> {
        Arc::new(DeafLine(self.0.attach(member, inbox), self.1.clone()))
    }
}

struct DeafLine(Arc<dyn Line>, Arc<Leaving>);

impl Line for DeafLine {
    fn serve(&self, key: &Key<'_>) {
        self.0.serve(key);
    }

    fn subscribe(&self, topic: &str) {
        self.0.subscribe(topic);
    }

    fn request(&self, key: &Key<'_>, request: Request<'_>) -> Result<(), Unsent> {
        self.0.request(key, request)
    }

    fn answer(&self, reply_to: &str, id: &str, body: Bytes) -> Result<(), Unsent> {
        let Leaving(leaves, answers) = &*self.1;
        if leaves.load(Relaxed) {
            // so that one who tries for ever ends
            return if answers.fetch_add(1, Relaxed) < 100 { Err(Unsent::Lost) } else { Ok(()) };
        }
        self.0.answer(reply_to, id, body)
    }

    fn publish(&self, topic: &str, body: Bytes) -> Result<(), Unsent> {
        self.0.publish(topic, body)
    }

    fn settle(&self, ticket: Ticket) {
        self.0.settle(ticket);
    }

    fn stop_serving(&self, kept: Option<&Key<'_>>) -> Soon<'_> {
        self.0.stop_serving(kept)
    }

    fn leave(&self) -> Soon<'_> {
        self.1.0.store(true, Relaxed);
        Box::pin(pending())
    }
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_hears_of_nobody_who_leaves_is_left_all_the_same() {
    let node = Node::new(Arc::new(Deaf(Memory::new(), Arc::default())), Arc::new(Network), "n", "leaving");
    node.join(&Service::new(Router::new(), JsonRpc::default()));
    let long = Duration::from_secs(60);
    assert!(tokio::time::timeout(long, node.leave()).await.is_ok());
    assert!(node.desk.line().is_none());
}

#[tokio::test(start_paused = true)]
async fn what_is_done_while_a_node_leaves_is_answered_once_or_not_at_all() {
    let broker = Deaf(Memory::new(), Arc::default());
    let node = Node::new(Arc::new(broker.clone()), Arc::new(Network), "n", "leaving");
    let router = Router::new().procedure("slow", async |()| {
        tokio::time::sleep(Duration::from_secs(1)).await;
        "done"
    });
    node.join(&Service::new(router, JsonRpc::default()));
    let (_stranger, line) = Stranger::at(&broker.0);
    send(&*line, "slow", r#"{"request":{"procedure":"slow","trace":{"id":"1"}}}"#.into());
    tokio::task::yield_now().await;
    node.leave().await;
    assert_eq!(broker.1.1.load(Relaxed), 1, "it does not try again and again");
}
