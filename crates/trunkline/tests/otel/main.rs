//! Traces of OpenTelemetry, through clients, servers and what they call in turn.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

#[path = "../it/support.rs"]
#[allow(dead_code, reason = "scenarios of other kinds need the rest")]
mod support;

use futures_util::{Stream, StreamExt, stream};
use opentelemetry::trace::{SpanId, SpanKind, Status, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use support::{Wire, client};
use tracing::{Instrument, subscriber::DefaultGuard};
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt};
use trunkline::{
    Caller, Client, Context, Fault, Limits, Link, Peer, Router, Server, State, broker::Memory, handler,
    testing::TestServer,
};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Collects the spans of this thread.
struct Collected {
    exporter: InMemorySpanExporter,
    _provider: SdkTracerProvider,
    _guard: DefaultGuard,
}

impl Collected {
    fn new() -> Self {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        let ours = Targets::new()
            .with_target("trunkline", tracing::Level::DEBUG)
            .with_target(module_path!(), tracing::Level::INFO);
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test")).with_filter(ours);
        let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        Self { exporter, _provider: provider, _guard: guard }
    }

    /// The one span of this name and kind.
    #[track_caller]
    fn one(&self, name: &str, kind: SpanKind) -> SpanData {
        let all = self.exporter.get_finished_spans().unwrap();
        let mut these = all.iter().filter(|span| span.name == name && span.span_kind == kind);
        match (these.next(), these.next()) {
            (Some(span), None) => span.clone(),
            (first, _) => {
                let names: Vec<_> = all.iter().map(|span| (&span.name, &span.span_kind)).collect();
                panic!(
                    "{} of {name} {kind:?} in {names:?}",
                    if first.is_some() { "more than one" } else { "none" }
                )
            }
        }
    }
}

/// What a span says of a key; empty if nothing.
fn said(span: &SpanData, key: &str) -> String {
    let said = span.attributes.iter().find(|it| it.key.as_str() == key);
    said.map(|it| it.value.to_string()).unwrap_or_default()
}

#[track_caller]
fn assert_parent(child: &SpanData, parent: &SpanData) {
    assert_eq!(child.span_context.trace_id(), parent.span_context.trace_id(), "{}", child.name);
    assert_eq!(child.parent_span_id, parent.span_context.span_id(), "{}", child.name);
}

async fn serve(router: Router) -> (std::net::SocketAddr, tokio::task::JoinHandle<()>) {
    let bound = Server::new(router).http("127.0.0.1:0").bind().await.unwrap();
    let address = bound.addresses()[0];
    (
        address,
        tokio::spawn(async move {
            bound.serve().await;
        }),
    )
}

/// From a program over a client to a server, a call inside of it, and a second server
/// that refuses; over a WebSocket and over HTTP.
#[tokio::test]
async fn one_trace_goes_all_the_way() {
    for (first, second) in [("ws", "http"), ("http", "ws")] {
        all_the_way(first, second).await;
    }
}

async fn all_the_way(first: &str, second: &str) {
    let collected = Collected::new();
    let refuse = async || Err::<(), _>(Fault::from("no room").with_code(4001));
    let (far, far_serving) = serve(Router::new().procedure("rooms.refuse", refuse)).await;
    let far = Client::connect(format!("{second}://{far}")).await.unwrap();
    let onward = async |far: State<Client>| far.call::<()>("rooms.refuse", ()).await;
    let start = async |caller: Caller| caller.call::<()>("onward", ()).await;
    let router = Router::new().state(far.clone());
    let router = router.procedure("onward", handler(onward).internal()).procedure("start", start);
    let (near, near_serving) = serve(router).await;
    let client = Client::connect(format!("{first}://{near}")).await.unwrap();

    let root = tracing::info_span!("checkout");
    let fault = client.call::<()>("start", ()).instrument(root.clone()).await.unwrap_err();
    drop(root);
    assert_eq!(fault.code(), Some(4001));

    let checkout = collected.one("checkout", SpanKind::Internal);
    assert_eq!(checkout.parent_span_id, SpanId::INVALID);
    let outer_client = collected.one("start", SpanKind::Client);
    let outer_server = collected.one("start", SpanKind::Server);
    let inner = collected.one("onward", SpanKind::Internal);
    let last_client = collected.one("rooms.refuse", SpanKind::Client);
    let last_server = collected.one("rooms.refuse", SpanKind::Server);
    assert_parent(&outer_client, &checkout);
    assert_parent(&outer_server, &outer_client);
    assert_parent(&inner, &outer_server);
    assert_parent(&last_client, &inner);
    assert_parent(&last_server, &last_client);
    assert!(outer_server.parent_span_is_remote && last_server.parent_span_is_remote);

    for span in [&outer_client, &outer_server, &inner, &last_client, &last_server] {
        assert_eq!(said(span, "rpc.system.name"), "jsonrpc", "{}", span.name);
        assert_eq!(said(span, "jsonrpc.protocol.version"), "2.0", "{}", span.name);
        assert_eq!(said(span, "rpc.method"), span.name, "{}", span.name);
        assert_eq!(said(span, "rpc.response.status_code"), "4001", "{}", span.name);
        assert_eq!(said(span, "error.type"), "4001", "{}", span.name);
        assert_eq!(span.status, Status::error("no room"), "{}", span.name);
    }
    assert_eq!(said(&outer_client, "server.address"), "127.0.0.1");
    assert_ne!(said(&outer_client, "server.port"), "");
    assert_eq!(said(&outer_server, "network.peer.address"), "127.0.0.1");
    assert_eq!(said(&outer_server, "jsonrpc.request.id"), "1");
    client.close().await;
    far.close().await;
    near_serving.abort();
    far_serving.abort();
}

/// Both conventions, and calls that stand in no trace: each begins one.
#[tokio::test]
async fn a_caller_says_where_it_stands() {
    let collected = Collected::new();
    let mut wire = Wire::to(
        Router::new()
            .procedure("member", async || "ok")
            .procedure("meta", async |_: Context, _: trunkline::RawArgs| "ok")
            .procedure("nowhere", async || "ok")
            .procedure("elsewhere", async || "ok"),
    );
    let member = format!(r#"{{"jsonrpc":"2.0","id":"a","method":"member","traceparent":"{PARENT}"}}"#);
    assert_eq!(wire.ask(member).await["result"], "ok");
    let params = format!(r#"{{"_meta":{{"traceparent":"{PARENT}"}}}}"#);
    let meta = format!(r#"{{"jsonrpc":"2.0","id":7,"method":"meta","params":{params}}}"#);
    assert_eq!(wire.ask(meta).await["result"], "ok");
    for name in ["member", "meta"] {
        let span = collected.one(name, SpanKind::Server);
        assert_eq!(span.span_context.trace_id().to_string(), TRACE, "{name}");
        assert_eq!(span.parent_span_id.to_string(), "00f067aa0ba902b7", "{name}");
        assert_eq!(span.status, Status::Unset, "{name}");
        assert_eq!(said(&span, "error.type"), "", "{name}");
    }
    assert_eq!(said(&collected.one("member", SpanKind::Server), "jsonrpc.request.id"), "a");
    for name in ["nowhere", "elsewhere"] {
        wire.ask(format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{name}"}}"#)).await;
    }
    let (one, other) =
        (collected.one("nowhere", SpanKind::Server), collected.one("elsewhere", SpanKind::Server));
    assert_ne!(one.span_context.trace_id(), other.span_context.trace_id());
    assert_eq!(one.parent_span_id, SpanId::INVALID, "the connection is no parent: it lasts too long");
}

/// T41: names that no procedure has are no names of spans.
#[tokio::test]
async fn what_is_refused_has_a_span_too() {
    let collected = Collected::new();
    let outer = async |caller: Caller| caller.call::<u8>("typed", ("x",)).await;
    let mut wire =
        Wire::to(Router::new().procedure("typed", async |(number,): (u8,)| number).procedure("outer", outer));
    wire.ask(format!(r#"{{"jsonrpc":"2.0","id":1,"method":"no\n{}"}}"#, "x".repeat(1000))).await;
    let span = collected.one("jsonrpc", SpanKind::Server);
    assert_eq!(said(&span, "rpc.method"), "_OTHER");
    let original = said(&span, "rpc.method_original");
    assert!(original.starts_with("no\\nxxx") && original.chars().count() < 140, "{original}");
    assert_eq!(said(&span, "rpc.response.status_code"), "-32601");
    wire.ask(r#"{"jsonrpc":"2.0","id":2,"method":"typed","params":["x"]}"#).await;
    let span = collected.one("typed", SpanKind::Server);
    assert_eq!(said(&span, "error.type"), "-32602");
    wire.ask(r#"{"jsonrpc":"2.0","id":3,"method":"outer"}"#).await;
    let span = collected.one("typed", SpanKind::Internal);
    assert_eq!(said(&span, "error.type"), "InvalidArgs", "also one that fails before it waits");
}

/// A gateway learns from others whether a name is one.
#[tokio::test]
async fn what_a_gateway_forwards_is_named_at_both_its_ends_if_somebody_has_it() {
    let collected = Collected::new();
    let broker = Memory::new();
    let refuse = async || Err::<(), _>(Fault::from("no room").with_code(4001));
    let router = Router::new().procedure("rooms.get", async || 1).procedure("rooms.refuse", refuse);
    let handler = TestServer::new(Server::new(router).broker(broker.clone()));
    let ask = async |caller: Caller| caller.call::<u8>("rooms.get", ()).await;
    let gateway = TestServer::new(Server::new(Router::new().procedure("ask", ask)).broker(broker));
    let client = gateway.client();
    assert_eq!(client.call::<u8>("rooms.get", ()).await, Ok(1));
    assert_eq!(client.call::<()>("rooms.refuse", ()).await.unwrap_err().code(), Some(4001));
    client.call::<()>("made.up", ()).await.unwrap_err();
    client.close().await;

    let spans = collected.exporter.get_finished_spans().unwrap();
    let servers = |name| {
        let is_it = move |span: &&SpanData| span.span_kind == SpanKind::Server && span.name == name;
        spans.iter().filter(is_it).collect::<Vec<_>>()
    };
    // at the gateway and at the handler
    for (name, count, method, original) in [
        ("rooms.get", 2, "rooms.get", ""),
        ("rooms.refuse", 2, "rooms.refuse", ""),
        ("jsonrpc", 1, "_OTHER", "made.up"),
    ] {
        let these = servers(name);
        assert_eq!(these.len(), count, "{name}");
        for span in these {
            let methods = span.attributes.iter().filter(|it| it.key.as_str() == "rpc.method");
            assert_eq!(methods.map(|it| it.value.as_str()).collect::<Vec<_>>(), [method], "once");
            assert_eq!(said(span, "rpc.method_original"), original);
        }
    }
    drop(handler);

    // a handler's own span keeps its name
    let client = gateway.client();
    client.call::<u8>("ask", ()).await.unwrap_err();
    assert_eq!(said(&collected.one("ask", SpanKind::Server), "rpc.method"), "ask");
}

/// Streams, notifications, batches and calls back, each in the trace of what made it.
#[tokio::test]
async fn all_that_is_said_goes_on_with_the_trace() {
    async fn count() -> Result<impl Stream<Item = Result<u8, Fault>>, Fault> {
        Ok(stream::iter([Ok(1), Err(Fault::from("burst").with_code(7))]))
    }
    let collected = Collected::new();
    let router = Router::new()
        .procedure("count", count)
        .procedure("note", async || ())
        .procedure("one", async || 1)
        .procedure("two", handler(async |peer: Peer| peer.call::<u8>("three", ()).await).parallel());
    let client = client(router, Limits::default(), Router::new().procedure("three", async || 3));
    let calls = async {
        let counted: Vec<_> = client.stream::<u8>("count", ()).await.unwrap().collect().await;
        assert_eq!(counted.len(), 2);
        client.notify("note", ()).await.unwrap();
        let batch = client.batch().call("one", ()).unwrap();
        assert_eq!(batch.send().await.unwrap().get::<u8>(0).unwrap(), 1);
        assert_eq!(client.call::<u8>("two", ()).await.unwrap(), 3);
    };
    calls.instrument(tracing::info_span!("program")).await;
    client.close().await;
    let program = collected.one("program", SpanKind::Internal);
    let opened = collected.one("count", SpanKind::Client);
    assert_parent(&opened, &program);
    assert_eq!(opened.status, Status::error("burst"), "a span lasts as long as the stream");
    let counted = collected.one("count", SpanKind::Server);
    assert_parent(&counted, &opened);
    assert_eq!(said(&counted, "rpc.response.status_code"), "7");
    assert_parent(&collected.one("note", SpanKind::Server), &program);
    let batch = collected.one("jsonrpc", SpanKind::Client);
    assert_parent(&batch, &program);
    assert_parent(&collected.one("one", SpanKind::Server), &batch);
    let two = collected.one("two", SpanKind::Server);
    let back = collected.one("three", SpanKind::Client);
    assert_parent(&back, &two);
    assert_parent(&collected.one("three", SpanKind::Server), &back);
}

/// From a client over a gateway to a server that has the procedure, and on to another
/// one: each asks in a span of its own, and answers in one.
#[tokio::test]
async fn one_trace_goes_over_a_broker() {
    let collected = Collected::new();
    let broker = trunkline::broker::Memory::new();
    let ask = async |caller: Caller| caller.call::<u8>("rooms.refuse", ()).await;
    let refuse = async || Err::<u8, _>(Fault::from("no room").with_code(4001));
    let mut serving = Vec::new();
    for router in [Router::new().procedure("ask", ask), Router::new().procedure("rooms.refuse", refuse)] {
        serving.push(Server::new(router).broker(broker.clone()).bind().await.unwrap());
    }
    let (here, there) = Link::pair();
    tokio::spawn(Server::new(Router::new()).broker(broker).serve_link(there));
    let client = Client::over(here).connect_lazy().unwrap();
    let calls = async {
        assert_eq!(client.call::<u8>("ask", ()).await.unwrap_err().code(), Some(4001));
        client.call::<u8>("nobody", ()).await.unwrap_err();
    };
    calls.instrument(tracing::info_span!("program")).await;
    client.close().await;

    let of_system = |name: &str, kind: SpanKind, system: &str| {
        let all = collected.exporter.get_finished_spans().unwrap();
        let these = all.into_iter().filter(|span| span.name == name && span.span_kind == kind);
        let mut these: Vec<_> = these.filter(|span| said(span, "rpc.system.name") == system).collect();
        assert_eq!(these.len(), 1, "{name} {kind:?} {system}");
        these.remove(0)
    };
    let first = of_system("ask", SpanKind::Client, "jsonrpc");
    let asking = of_system("ask", SpanKind::Client, "trunkline");
    let answering = of_system("ask", SpanKind::Server, "trunkline");
    let inner_asking = of_system("rooms.refuse", SpanKind::Client, "trunkline");
    let inner_answering = of_system("rooms.refuse", SpanKind::Server, "trunkline");
    assert_eq!(asking.span_context.trace_id(), first.span_context.trace_id());
    assert_parent(&answering, &asking);
    assert_parent(&inner_answering, &inner_asking);
    assert!(answering.parent_span_is_remote && inner_answering.parent_span_is_remote);
    assert_eq!(inner_asking.span_context.trace_id(), first.span_context.trace_id());
    for span in [&asking, &answering, &inner_asking, &inner_answering] {
        assert_eq!(said(span, "rpc.method"), span.name, "{}", span.name);
        assert_eq!(said(span, "rpc.response.status_code"), "4001", "{}", span.name);
        assert_eq!(span.status, Status::error("no room"), "{}", span.name);
    }
    let unknown = of_system("trunkline", SpanKind::Client, "trunkline");
    assert_eq!(said(&unknown, "error.type"), "NotFound", "what nobody has gives no span its name");
}

/// What runs in a task of its own is in the span of its call all the same, also where that
/// was made inside of another; and a stream that does not open has one span.
#[tokio::test]
async fn what_runs_elsewhere_and_what_does_not_open_have_their_own_span() {
    let collected = Collected::new();
    let router = Router::new()
        .procedure("outer", async |caller: Caller| caller.call::<u8>("inner", ()).await)
        .procedure("inner", handler(async |peer: Peer| peer.call::<u8>("back", ()).await).parallel())
        .procedure("count", async |(to,): (u8,)| stream::iter(0..to));
    let client = client(router, Limits::default(), Router::new().procedure("back", async || 1));
    assert_eq!(client.call::<u8>("outer", ()).await.unwrap(), 1);
    client.stream::<u8>("count", ("x",)).await.unwrap_err();
    client.close().await;
    assert_parent(&collected.one("back", SpanKind::Client), &collected.one("inner", SpanKind::Internal));
    let count = collected.one("count", SpanKind::Server);
    assert_eq!(said(&count, "error.type"), "-32602");
}

/// `.trace(…)` is where a call stands that is made elsewhere, and no step back for one
/// that is made in that trace.
#[tokio::test]
async fn what_is_said_of_a_trace_holds() {
    let collected = Collected::new();
    let client = client(Router::new().procedure("one", async || 1), Limits::default(), Router::new());
    let said = trunkline::Trace::parse(PARENT).unwrap();
    let call = async {
        assert_eq!(client.call::<u8>("one", ()).trace(said).await.unwrap(), 1);
    };
    call.instrument(tracing::info_span!("program")).await;
    let called = collected.one("one", SpanKind::Client);
    assert_eq!(called.span_context.trace_id().to_string(), TRACE);
    assert_eq!(called.parent_span_id.to_string(), "00f067aa0ba902b7");
    assert_parent(&collected.one("one", SpanKind::Server), &called);
}

#[tokio::test]
async fn a_connection_has_a_span_at_either_end() {
    let collected = Collected::new();
    let (address, serving) = serve(Router::new()).await;
    let client = Client::connect(format!("ws://{address}")).await.unwrap();
    client.close().await;
    while collected.exporter.get_finished_spans().unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    serving.abort();
    let (dialled, served) =
        (collected.one("client", SpanKind::Internal), collected.one("connection", SpanKind::Internal));
    for span in [&dialled, &served] {
        assert_eq!(said(span, "rpc.system.name"), "jsonrpc");
        assert_eq!(said(span, "transport"), "websocket");
        assert_eq!(said(span, "network.peer.address"), "127.0.0.1");
    }
    let port = address.port().to_string();
    assert_eq!(said(&dialled, "network.peer.port"), port);
    assert!(!["", &*port].contains(&&*said(&served, "network.peer.port")));
}
