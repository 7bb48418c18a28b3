//! Clients of @therms, whose calls another server answers.

use crate::{
    http_client::Request,
    socket::Socket,
    world::{Handler, LONG, Net, Running, World, until, work},
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::{net::SocketAddr, sync::mpsc};
use tokio::{io::duplex, sync::watch};
use trunkline::{
    BindError, Caller, JsonRpc, Limits, Listener, Mixed, RawArgs, Registration, Router, Server, Shutdown,
    Therms,
    broker::Memory,
    handler,
    http::{Endpoint, IntoService},
    therms,
};

/// A gateway on a port, for as long as the runtime lives.
async fn gateway(net: &Net, router: Router) -> SocketAddr {
    on_port(net.server(router)).await
}

/// The same of this server, once it is in its network.
pub(crate) async fn on_port(server: Server) -> SocketAddr {
    let bound = server.therms(Therms::default()).http("127.0.0.1:0").bind().await.unwrap();
    bound.joined().await;
    let address = bound.addresses()[0];
    tokio::spawn(bound.serve());
    address
}

/// A gateway whose clients come through pipes: there are more of them than files that a
/// process may have open on most machines.
async fn through_pipes(net: &Net) -> IntoService {
    let (give, given) = mpsc::channel();
    let listener = Listener::http("127.0.0.1:0").endpoint("/", move |service| {
        let endpoint = Endpoint::new(service.in_language(Mixed::new(JsonRpc::default(), Therms::default())));
        give.send(IntoService::new(endpoint, Shutdown::new())).unwrap();
        Endpoint::new(service.clone())
    });
    let limits = Limits::default().call_timeout(LONG);
    on_port(net.server(Router::new()).limits(limits).listen(listener)).await;
    given.recv().unwrap()
}

pub(crate) async fn posted(address: SocketAddr, body: &Value) -> Value {
    let response = Request::post(body.to_string().as_bytes()).send(address).await.unwrap();
    serde_json::from_str(&response.body).unwrap()
}

/// T05.
pub(crate) async fn equal_correlation_ids_are_told_apart<W: World>() {
    let net = W::any().await.net();
    let echo = || Router::new().procedure("echo", async |args: RawArgs| args.0);
    let _handlers = [Handler::start(&net, echo()).await, Handler::start(&net, echo()).await];
    let gateways = [gateway(&net, Router::new()).await, gateway(&net, Router::new()).await];
    join_all((0..100).map(async |tag| {
        let asked = json!({"procedure": "echo", "args": {"tag": tag}, "correlationId": "same"});
        let told = posted(gateways[tag % 2], &asked).await;
        assert_eq!((&told["data"]["tag"], &told["correlationId"]), (&tag.into(), &"same".into()));
    }))
    .await;
}

/// T05: all calls are under way before the first is answered.
pub(crate) async fn a_thousand_clients_with_one_correlation_id_have_their_own_answers<W: World>() {
    const CLIENTS: usize = 1000;
    let net = W::any().await.net();
    let (running, go) = (Running::default(), watch::Sender::new(false));
    let limits = Limits::default().max_in_flight(CLIENTS).call_timeout(LONG);
    let handler = || Handler::with_limits(&net, work(&running, &go), limits.clone());
    let _handlers = [handler().await, handler().await];
    let gateways = [through_pipes(&net).await, through_pipes(&net).await];
    let asked = join_all((0..CLIENTS).map(async |token| {
        let (near, far) = duplex(4 << 10);
        tokio::spawn(gateways[token % 2].clone().serve_stream(far));
        let mut client = Socket::over(near).await;
        client.say(&json!({"procedure": "work", "args": token, "correlationId": "same"})).await;
        client
    }));
    let mut clients = asked.await;
    until(&running, CLIENTS).await;
    go.send_replace(true);
    for (token, client) in clients.iter_mut().enumerate() {
        let told = client.hear().await;
        assert_eq!(told, json!({"code": 200, "data": token, "correlationId": "same", "success": true}));
    }
}

/// All that a handler is told of a call.
async fn tell(request: therms::Request) -> Value {
    json!({
        "trace": request.trace, "identity": request.identity, "correlation": request.correlation_id,
        "name": [request.scope, request.procedure, request.version],
    })
}

/// And of one that another makes.
fn telling() -> Router {
    Router::new()
        .procedure("users.tell@2", tell)
        .procedure("users.inner", handler(tell).internal())
        .procedure("users.outer", async |caller: Caller| caller.call::<Value>("users.inner", ()).await)
}

pub(crate) async fn a_handler_is_told_the_same_by_any_way<W: World>() {
    let net = W::any().await.net();
    let _handler = Handler::start(&net, telling()).await;
    let across = gateway(&net, Router::new()).await;
    let here = gateway(&Net::new(), telling()).await;
    let identity = json!({"authorization": "a", "deviceName": "d", "metadata": {"m": [1]}, "more": null});
    for (procedure, version, correlation) in
        [("tell", "2", json!("c")), ("tell", "2", json!({"a": 1})), ("outer", "1", json!("c"))]
    {
        let asked = json!({
            "procedure": procedure, "scope": "users", "version": version, "identity": identity,
            "correlationId": correlation,
        });
        let (mut here, mut across) = (posted(here, &asked).await, posted(across, &asked).await);
        for told in [&mut here, &mut across] {
            let id = told["data"]["trace"]["id"].as_str().unwrap();
            if id != "c" {
                assert_eq!(id.len(), 24, "{told}");
                told["data"]["trace"]["id"].take();
            }
        }
        assert_eq!(here, across);
        let caller = if procedure == "tell" { "HttpServer" } else { "RPCServer.call users::outer::1" };
        assert_eq!(across["data"]["trace"]["caller"], caller);
        assert_eq!(across["data"]["identity"], identity);
    }
}

pub(crate) async fn what_is_internal_is_refused_in_the_words_of_each<W: World>() {
    let net = W::any().await.net();
    let secret = || handler(async || 42).internal();
    let _handler = Handler::start(&net, Router::new().procedure("there", secret())).await;
    let address = gateway(&net, Router::new().procedure("here", secret())).await;
    for name in ["here", "there"] {
        assert_eq!(
            posted(address, &json!({"procedure": name})).await,
            json!({"code": 403, "message": "caller is not authorized to access this RPC", "success": false}),
        );
        assert_eq!(
            posted(address, &json!({"jsonrpc": "2.0", "id": 1, "method": name})).await,
            json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "Method not found"}}),
        );
    }
}

/// A procedure with a schema that was written by hand, which gives its arguments as it got them.
fn strict() -> Registration {
    handler(async |args: RawArgs| args.0).args_schema(json!({
        "type": "object",
        "properties": {
            "count": {"type": "integer", "default": 3},
            "name": {"type": "string"},
            "weight": {"type": "number"},
        },
        "required": ["name"],
        "additionalProperties": false,
    }))
}

pub(crate) async fn arguments_are_coerced_where_their_procedure_is_and_for_clients_of_therms_alone<
    W: World,
>() {
    let net = W::any().await.net();
    let ask = async |caller: Caller| caller.call::<Value>("strict", json!({"name": 7})).await;
    let router = || Router::new().procedure("strict", strict()).procedure("ask", ask);
    let _handler = Handler::start(&net, router()).await;
    let across = gateway(&net, Router::new()).await;
    let here = gateway(&Net::new(), router()).await;
    for address in [here, across] {
        let asked = br#"{"procedure":"strict","args":{"name":1.50,"other":1,"weight":2.50}}"#;
        let told = Request::post(asked).send(address).await.unwrap().body;
        assert_eq!(told, r#"{"code":200,"data":{"name":"1.5","weight":2.50,"count":3},"success":true}"#);
        let told = posted(address, &json!({"procedure": "strict", "args": {"count": 1}})).await;
        let message = "\"args\" validation failed: must have required property 'name'";
        assert_eq!(told, json!({"code": 422, "message": message, "success": false}));
        let strict = json!({"jsonrpc": "2.0", "id": 1, "method": "strict", "params": {"name": 7}});
        let told = posted(address, &strict).await;
        assert_eq!(told["error"]["data"]["violations"][0]["path"], "/name", "{told}");
        // what a handler calls is called as it was
        let told = posted(address, &json!({"procedure": "ask"})).await;
        assert_eq!(told["data"], json!({"name": "7", "count": 3}));
        let told = posted(address, &json!({"jsonrpc": "2.0", "id": 1, "method": "ask"})).await;
        assert_eq!(told["error"]["data"]["violations"][0]["path"], "/name", "{told}");
    }
}

#[tokio::test]
async fn a_schema_that_is_none_for_clients_of_therms_is_an_error_of_bind() {
    let router = || {
        let odd = handler(async |_: Value| ()).args_schema(json!({"type": "object", "minContains": 1}));
        Router::new().scope("odd", Router::new().procedure("one", odd))
    };
    let servers =
        [Server::new(router()).therms(Therms::default()), Server::new(router()).broker(Memory::new())];
    for server in servers {
        let error = server.bind().await.unwrap_err();
        assert!(matches!(error, BindError::Schema(_)), "{error:?}");
        let message = error.to_string();
        let begin = "procedure `odd.one`: the schema of the arguments cannot be used, at `#`: \
                     the keyword `minContains` is not known; ";
        assert!(message.starts_with(begin), "{message}");
    }
    assert!(Server::new(router()).bind().await.is_ok(), "nobody else minds");
}
