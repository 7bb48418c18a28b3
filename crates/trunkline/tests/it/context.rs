//! What goes along with a call: its place in a trace, and how long it is waited for.

use crate::support::{TestServer, Wire, client, code, serve_http};
use futures_util::{Stream, StreamExt, stream};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
};
use trunkline::{Batch, Caller, Calls, Client, Context, Fault, Hooks, Limits, Peer, Router, State, handler};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const OTHER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-1111111111111111-00";

/// Where a call stands: `traceparent`, a blank, and `tracestate`.
async fn stands(context: Context) -> String {
    context.trace().map_or_else(|| "nowhere".to_owned(), |trace| format!("{trace} {}", trace.state()))
}

fn router() -> Router {
    let left =
        async |caller: Caller| caller.time_left().and_then(|left| u64::try_from(left.as_millis()).ok());
    Router::new()
        .procedure("stands", stands)
        .procedure("inside", async |caller: Caller| caller.call::<String>("stands", ()).await)
        .procedure("meta", async |context: Context, _: trunkline::RawArgs| stands(context).await)
        .procedure("left", handler(left).timeout(Duration::from_secs(9)))
        .procedure("stuck", async || std::future::pending::<()>().await)
}

#[tokio::test]
async fn a_message_says_where_it_stands() {
    let mut wire = Wire::to(router());
    let call = |id: u32, method: &str, more: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}"{more}}}"#)
    };
    let parent = format!(r#","traceparent":"{PARENT}","tracestate":"a=1""#);
    let meta = format!(r#","params":{{"_meta":{{"traceparent":"{OTHER}","tracestate":"b=2"}}}}"#);
    for (method, more, stands) in [
        ("stands", "", "nowhere".to_owned()),
        ("stands", &parent, format!("{PARENT} a=1")),
        // the same once more: what looks like the last message is no excuse
        ("stands", &parent, format!("{PARENT} a=1")),
        ("stands", r#","traceparent":"00-nonsense""#, "nowhere".to_owned()),
        ("inside", &parent, format!("{PARENT} a=1")),
        ("meta", &meta, format!("{OTHER} b=2")),
        // the message knows better than what it carries
        ("meta", &format!("{meta}{parent}"), format!("{PARENT} a=1")),
        ("meta", r#","params":{"_meta":{"traceparent":7}}"#, "nowhere".to_owned()),
    ] {
        assert_eq!(wire.ask(call(1, method, more)).await["result"], stands, "{method} {more}");
    }
    let batch = format!("[{},{}]", call(1, "stands", &parent), call(2, "stands", ""));
    let answers = wire.ask(batch).await;
    assert_eq!(answers[0]["result"], format!("{PARENT} a=1"));
    assert_eq!(answers[1]["result"], "nowhere");
}

/// T41: a trace that is no trace, of any length, is none.
#[tokio::test]
async fn a_stranger_can_say_what_it_likes_of_traces() {
    let mut wire = Wire::to(router());
    for value in ["0".repeat(1 << 20), "\u{1b}[31m\n".into(), "ü".repeat(55)] {
        let call = json!({
            "jsonrpc": "2.0", "id": 1, "method": "stands", "traceparent": value, "tracestate": value,
        });
        assert_eq!(wire.ask(call.to_string()).await["result"], "nowhere");
    }
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "stands",
        "traceparent": PARENT, "tracestate": "x".repeat(1 << 20),
    });
    assert_eq!(wire.ask(call.to_string()).await["result"], format!("{PARENT} "));
}

/// T31: a caller asks for less time than there is, never for more, and nonsense for none of it.
#[tokio::test(start_paused = true)]
async fn a_caller_says_how_long_it_waits() {
    let mut wire = Wire::to(router());
    for (timeout, left) in [
        ("1500", 1500),
        ("1", 1),
        ("9001", 9000),
        ("18446744073709551615", 9000),
        ("18446744073709551616", 9000),
        ("0", 9000),
        ("-5", 9000),
        ("1e2", 9000),
        ("\"5\"", 9000),
        ("null", 9000),
    ] {
        let call = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"left","timeout":{timeout}}}"#);
        assert_eq!(wire.ask(call).await["result"], left, "{timeout}");
    }
    let before = tokio::time::Instant::now();
    let late = wire.ask(r#"{"jsonrpc":"2.0","id":1,"method":"stuck","timeout":250}"#).await;
    assert_eq!(code(&late), -32001);
    assert_eq!(before.elapsed().as_millis() / 10, 25, "by the paused clock");
}

#[tokio::test(start_paused = true)]
async fn a_client_tells_how_long_it_waits_if_it_is_to() {
    let client = TestServer::new(router()).builder().tell_timeouts().connect_lazy().unwrap();
    let left: u64 = client.call("left", ()).timeout(Duration::from_millis(1234)).await.unwrap();
    assert_eq!(left, 1234);
    let silent = crate::support::client(router(), Limits::default(), Router::new());
    let left: u64 = silent.call("left", ()).timeout(Duration::from_millis(1234)).await.unwrap();
    assert_eq!(left, 9000);
}

/// One trace from a caller over HTTP to a server, to a procedure inside of it, and
/// on to a second server.
#[tokio::test]
async fn a_trace_goes_from_server_to_server() {
    async fn onward(context: Context, second: State<Client>) -> Result<String, Fault> {
        second.call("stands", ()).trace(context.trace()).await
    }
    let second = client(router(), Limits::default(), Router::new());
    let first = Router::new()
        .state(second)
        .procedure("onward", handler(onward).internal())
        .procedure("start", async |caller: Caller| caller.call::<String>("onward", ()).await)
        .procedure("stands", stands);
    let address = serve_http(first).await;
    for (scheme, path) in [("http", ""), ("ws", "")] {
        let address = format!("{scheme}://{address}{path}");
        // of the connection
        let builder = Client::builder(&address).header("traceparent", PARENT).header("tracestate", "a=1");
        let client = builder.connect().await.unwrap();
        assert_eq!(client.call::<String>("start", ()).await.unwrap(), format!("{PARENT} a=1"), "{scheme}");
        // of the call
        let trace = trunkline::Trace::parse(OTHER).unwrap();
        let called = client.call::<String>("start", ()).trace(trace).await.unwrap();
        assert_eq!(called, format!("{OTHER} "), "{scheme}");
        client.close().await;
    }
}

/// What is told of each kind of call: where it stands, and for how many milliseconds it is waited for.
type Told = (String, Option<u64>);

#[trunkline::service(scope = "told")]
trait Telling {
    async fn one(&self, #[extract] context: Context, #[extract] caller: Caller) -> Result<Told, Fault>;

    async fn many(
        &self,
        #[extract] context: Context,
        #[extract] caller: Caller,
    ) -> Result<impl Stream<Item = Told>, Fault>;

    #[procedure(notification)]
    async fn none(&self, #[extract] context: Context, #[extract] caller: Caller);
}

/// Tells each caller; what notifications say is told here.
#[derive(Clone)]
struct Teller(mpsc::UnboundedSender<Told>);

async fn told(context: &Context, caller: &Caller) -> Told {
    let left = caller.time_left().and_then(|left| u64::try_from(left.as_millis()).ok());
    (stands(context.clone()).await, left)
}

impl Telling for Teller {
    async fn one(&self, context: Context, caller: Caller) -> Result<Told, Fault> {
        Ok(told(&context, &caller).await)
    }

    async fn many(&self, context: Context, caller: Caller) -> Result<impl Stream<Item = Told>, Fault> {
        Ok(stream::iter([told(&context, &caller).await]))
    }

    async fn none(&self, context: Context, caller: Caller) {
        let _ = self.0.send(told(&context, &caller).await);
    }
}

fn telling() -> (Router, mpsc::UnboundedReceiver<Told>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Router::new().service(TellingService::new(Teller(sender))), receiver)
}

/// The trace, and the time, of all kinds of calls of a typed client.
async fn ask_all<C: Calls>(calls: C, heard: &mut mpsc::UnboundedReceiver<Told>) -> Vec<Told> {
    let typed = TellingClient::new(calls);
    let mut all = vec![typed.one().await.unwrap()];
    typed.none().await.unwrap();
    all.push(heard.recv().await.unwrap());
    all.push(typed.many().await.unwrap().next().await.unwrap().unwrap());
    all
}

/// Whatever a client does in a trace, stands in that trace.
#[tokio::test]
async fn all_that_a_client_says_stands_in_its_trace() {
    let (router, mut heard) = telling();
    let address = serve_http(router).await;
    let trace = trunkline::Trace::parse(PARENT).unwrap().with_state("a=1");
    let here = format!("{PARENT} a=1");
    for scheme in ["ws", "http"] {
        let client = Client::connect(format!("{scheme}://{address}")).await.unwrap();
        let untold = ask_all(client.clone(), &mut heard).await;
        assert_eq!(untold.len(), 3, "{scheme}: {untold:?}");
        assert!(untold.iter().all(|(stands, _)| stands == "nowhere"), "{scheme}: {untold:?}");
        let traced = client.in_trace(trace.clone());
        let told = ask_all(traced.clone(), &mut heard).await;
        assert_eq!(told.len(), 3, "{scheme}: {told:?}");
        assert!(told.iter().all(|(stands, _)| *stands == here), "{scheme}: {told:?}");
        let batch = client.batch().call("told.one", ()).unwrap().notify("told.none", ()).unwrap();
        let answers = batch.call("told.one", ()).unwrap().trace(trace.clone()).send().await.unwrap();
        for at in [0, 1] {
            assert_eq!(answers.get::<Told>(at).unwrap().0, here, "{scheme}: item {at} of a batch");
        }
        assert_eq!(heard.recv().await.unwrap().0, here, "{scheme}: a notification in a batch");
        // of one call only, whatever the client says
        let other = trunkline::Trace::parse(OTHER).unwrap();
        let (stands, _): Told = traced.call("told.one", ()).trace(other.clone()).await.unwrap();
        assert_eq!(stands, format!("{OTHER} "), "{scheme}");
        let mut stream = client.stream::<Told>("told.many", ()).trace(other).await.unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap().0, format!("{OTHER} "), "{scheme}");
        client.close().await;
    }
}

/// The same the other way: a handler that calls its caller back.
#[tokio::test]
async fn all_that_a_server_says_to_its_caller_stands_in_the_trace() {
    let (own, heard) = telling();
    let heard = Arc::new(tokio::sync::Mutex::new(heard));
    let back = move |peer: Peer, context: Context| {
        let heard = heard.clone();
        async move {
            let peer = peer.in_trace(context.trace());
            let mut all = ask_all(&peer, &mut *heard.lock().await).await;
            let batch = Batch::new().call("told.one", ())?;
            all.push(peer.batch(&batch).await?.get::<Told>(0)?);
            Ok::<_, Fault>(all)
        }
    };
    let client = client(Router::new().procedure("back", back), Limits::default(), own);
    let trace = trunkline::Trace::parse(PARENT).unwrap();
    let told: Vec<Told> = client.call("back", ()).trace(trace).await.unwrap();
    assert_eq!(told.len(), 4);
    assert!(told.iter().all(|(stands, _)| *stands == format!("{PARENT} ")), "{told:?}");
}

/// T31: what is left of the deadline, in both directions, of all that has an answer.
#[tokio::test(start_paused = true)]
async fn all_that_waits_for_an_answer_says_how_long_if_it_is_to() {
    let second = Duration::from_secs(1);
    let (own, _heard_by_client) = telling();
    let (router, _heard) = telling();
    let back = async |peer: Peer| peer.call::<Told>("told.one", ()).timeout(Duration::from_secs(2)).await;
    let service = trunkline::Service::new(router.procedure("back", back), trunkline::JsonRpc::default());
    let server = TestServer::new(service.tell_timeouts(true));
    let client = server.builder().router(own).tell_timeouts().connect_lazy().unwrap();
    let (_, left): Told = client.call("back", ()).await.unwrap();
    assert_eq!(left, Some(2000), "a call of the caller");
    let batch = client.batch().call("told.one", ()).unwrap().timeout(second).send().await.unwrap();
    assert_eq!(batch.get::<Told>(0).unwrap().1, Some(1000), "a call of a batch");
    let stuck = async || std::future::pending::<Result<futures_util::stream::Empty<u8>, Fault>>().await;
    let mut wire = Wire::to(Router::new().procedure("stuck", stuck));
    let late = wire.ask(r#"{"jsonrpc":"2.0","id":1,"method":"stuck","timeout":250}"#).await;
    assert_eq!(code(&late), -32001, "a stream has that long to open");
}

/// Hooks hear where a call stood that failed, at once, after a while, or as a stream.
#[tokio::test]
async fn a_fault_is_reported_where_its_call_stands() {
    let (sender, mut reports) = mpsc::unbounded_channel();
    let hooks = Hooks::default().on_fault(move |report| {
        let stood = report.context.trace().map(|trace| trace.to_string());
        sender.send((report.procedure.to_owned(), stood)).unwrap();
    });
    let late = async || {
        tokio::task::yield_now().await;
        Err::<(), _>(Fault::from("late"))
    };
    let router = Router::new()
        .procedure("late", late)
        .procedure("now", async || Err::<(), _>(Fault::from("no")))
        .procedure("breaks", async || stream::iter([Err::<u8, _>(Fault::from("broken"))]));
    let mut wire = Wire::to(trunkline::Service::new(router, trunkline::JsonRpc::default()).hooks(hooks));
    for name in ["now", "late", "unknown", "breaks"] {
        wire.ask(format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{name}","traceparent":"{PARENT}"}}"#)).await;
        assert_eq!(reports.recv().await.unwrap(), (name.to_owned(), Some(PARENT.to_owned())));
    }
}

/// T41: a request keeps the name that its caller gave it, if that is one.
#[tokio::test]
async fn a_request_that_has_a_name_is_answered_under_it() {
    let names = async |context: Context| stream::iter([context.request_id()]);
    let router = Router::new()
        .procedure("name", async |context: Context| context.request_id())
        .procedure("names", names);
    let address = serve_http(router).await;
    const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"name"}"#;
    let ask_with = async |header: &str, body: &str| {
        let head = "Host: localhost\r\nContent-Type: application/json\r\nConnection: close";
        let text =
            format!("POST / HTTP/1.1\r\n{head}\r\n{header}Content-Length: {}\r\n\r\n{body}", body.len());
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.to_ascii_lowercase()
    };
    let ask = async |header| ask_with(header, CALL).await;
    let named = ask("X-Request-Id: job-7\r\n").await;
    assert!(named.contains("x-request-id: job-7\r\n") && named.contains(r#""result":"job-7""#), "{named}");
    let stream = CALL.replace("\"name\"", "\"names\"");
    for (accept, body, told) in [
        ("", format!("[{CALL},{CALL}]"), r#""result":"job-8""#),
        ("", CALL.replace(r#""id":1,"#, ""), ""),
        ("Accept: text/event-stream\r\n", stream, r#""result":"job-8""#),
    ] {
        let answer = ask_with(&format!("X-Request-Id: job-8\r\n{accept}"), &body).await;
        assert!(answer.contains("x-request-id: job-8\r\n") && answer.contains(told), "{body}: {answer}");
    }
    for unnamed in ["", "X-Request-Id: two words\r\n", &format!("X-Request-Id: {}\r\n", "x".repeat(129))] {
        let answer = ask(unnamed).await;
        assert!(answer.starts_with("http/1.1 200") && !answer.contains("x-request-id"), "{answer}");
        assert!(answer.contains(r#""result":""#) && !answer.contains("words"), "{answer}");
    }
}
