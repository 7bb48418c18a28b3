//! What becomes of clients of @therms, and of what runs for them, as programs are told.

use crate::{
    socket::Socket,
    world::{Handler, Net, World},
};
use serde_json::{Value, json};
use std::{
    error::Error,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinHandle,
};
use trunkline::{
    Cluster, ConnectionId, Context, Fault, FaultKind, Hooks, Identity, Open, Peer, Router, Therms,
    broker::Memory,
    handler,
    therms::{self, Request, SERVER_MESSAGE},
};

type Told = UnboundedSender<Value>;

/// A gateway that tells all that happens.
async fn gateway(net: &Net, told: &Told) -> (SocketAddr, Cluster, JoinHandle<()>) {
    let therms = Therms::default().client_messages("clients.said").identity_changes("clients.introduced");
    let (here, gone, known, said) = (told.clone(), told.clone(), told.clone(), told.clone());
    let hooks = Hooks::default()
        .on_connect(move |peer| {
            let (id, ip) = (peer.connection().id(), peer.connection().client_address());
            here.send(json!({"event": "connect", "connectionId": id, "ip": ip})).unwrap();
        })
        .on_disconnect(move |peer, _| {
            let (id, ip) = (peer.connection().id(), peer.connection().client_address());
            let identity = peer.session().get::<therms::Identity>();
            gone.send(json!({
                "event": "disconnect", "connectionId": id, "ip": ip, "identity": identity.as_deref(),
            }))
            .unwrap();
        });
    let introduced = move |peer: Peer, Request { identity, trace, .. }: Request| {
        let (id, ip) = (peer.connection().id(), trace.ip_address);
        known.send(json!({"event": "identity", "connectionId": id, "ip": ip, "identity": identity})).unwrap();
        identity.map(|identity| peer.session().insert(identity));
        async {}
    };
    let message = move |peer: Peer, Request { identity, .. }: Request, Open(message): Open<Value>| {
        let id = peer.connection().id();
        said.send(
            json!({"event": "message", "connectionId": id, "clientMessage": message, "identity": identity}),
        )
        .unwrap();
        async {}
    };
    let router = Router::new()
        .procedure("clients.introduced", handler(introduced).internal())
        .procedure("clients.said", handler(message).internal());
    let server = net.server(router).therms(therms).hooks(hooks);
    let cluster = server.cluster();
    let bound = server.http("127.0.0.1:0").bind().await.unwrap();
    bound.joined().await;
    (bound.addresses()[0], cluster, tokio::spawn(bound.serve()))
}

async fn next(told: &mut UnboundedReceiver<Value>) -> Value {
    told.recv().await.unwrap()
}

pub(crate) async fn connections_introductions_messages_and_ends_are_told_in_order<W: World>() {
    let (net, (tell, mut told)) = (W::any().await.net(), unbounded_channel());
    let (address, cluster, serving) = gateway(&net, &tell).await;
    let (elsewhere, _, serving_elsewhere) = gateway(&net, &tell).await;
    // with procedures, and without clients
    let send = async |cluster: Cluster, (to, what): (ConnectionId, Value)| {
        cluster.send_to(to, SERVER_MESSAGE, what).await
    };
    let me = async |cluster: Cluster, context: Context| {
        cluster.send_to(context.connection().id(), SERVER_MESSAGE, "you").await
    };
    let _handler = Handler::start(&net, Router::new().procedure("send", send).procedure("me", me)).await;

    let mut ada = Socket::to(address).await;
    let event = next(&mut told).await;
    let id: ConnectionId = serde_json::from_value(event["connectionId"].clone()).unwrap();
    assert_eq!(event, json!({"event": "connect", "connectionId": id, "ip": "127.0.0.1"}));
    let identity = json!({"authorization": "jwt", "deviceName": "phone"});
    ada.say(&json!({"identity": identity, "correlationId": "1"})).await;
    assert_eq!(ada.hear().await, json!({"code": 200, "correlationId": "1", "success": true}));
    let introduced =
        json!({"event": "identity", "connectionId": id, "ip": "127.0.0.1", "identity": identity});
    assert_eq!(next(&mut told).await, introduced);
    for message in [json!({"hello": "world"}), json!(null)] {
        ada.say(&json!({"clientMessage": message})).await;
        let expected =
            json!({"event": "message", "connectionId": id, "clientMessage": message, "identity": identity});
        assert_eq!(next(&mut told).await, expected);
    }
    // told of messages is the program, and by nobody else
    for procedure in ["said", "introduced"] {
        ada.say(&json!({"scope": "clients", "procedure": procedure, "args": 1})).await;
        assert_eq!(ada.hear().await["success"], false);
    }

    // from a client of another gateway, by way of a handler that has neither
    let mut bob = Socket::to(elsewhere).await;
    assert_eq!(next(&mut told).await["event"], "connect");
    bob.say(&json!({"procedure": "send", "args": [id, {"any": "thing"}]})).await;
    assert_eq!(bob.hear().await["success"], true);
    assert_eq!(ada.hear().await, json!({"serverMessage": {"any": "thing"}}));
    bob.say(&json!({"procedure": "me"})).await;
    let heard = [bob.hear().await, bob.hear().await];
    assert!(heard.contains(&json!({"serverMessage": "you"})), "{heard:?}");
    cluster.broadcast("news", [1]).unwrap();
    for client in [&mut ada, &mut bob] {
        assert_eq!(client.hear().await, json!({"serverMessage": {"event": "news", "data": [1]}}));
    }

    drop(ada);
    let gone = json!({"event": "disconnect", "connectionId": id, "ip": "127.0.0.1", "identity": identity});
    assert_eq!(next(&mut told).await, gone);
    bob.say(&json!({"procedure": "send", "args": [id, "too late"], "correlationId": "late"})).await;
    let fault = bob.hear().await;
    assert_eq!((&fault["success"], &fault["correlationId"]), (&json!(false), &json!("late")));
    assert_eq!(cluster.send_to(id, SERVER_MESSAGE, 1).await.unwrap_err().kind(), FaultKind::NotFound);
    serving.abort();
    serving_elsewhere.abort();
}

pub(crate) async fn messages_of_clients_go_to_an_internal_procedure_of_another_server<W: World>() {
    let (net, (tell, mut told)) = (W::any().await.net(), unbounded_channel());
    let said = move |context: Context, request: Request, Open(message): Open<Value>| {
        let id = context.connection().id();
        let (identity, trace) = (request.identity, request.trace);
        let (internal, ip) = (trace.internal, trace.ip_address);
        tell.send(json!([request.procedure, id, message, identity, internal, ip])).unwrap();
        async {}
    };
    let router = Router::new()
        .procedure("clients.introduced", handler(said.clone()).internal())
        .procedure("clients.said", handler(said).internal());
    let _handler = Handler::start(&net, router).await;
    let therms = Therms::default().client_messages("clients.said").identity_changes("clients.introduced");
    let me = Router::new().procedure("me", async |context: Context| context.connection().id());
    let bound = net.server(me).therms(therms).http("127.0.0.1:0").bind().await.unwrap();
    bound.joined().await;
    let address = bound.addresses()[0];
    let serving = tokio::spawn(bound.serve());

    let mut ada = Socket::to(address).await;
    ada.say(&json!({"procedure": "me"})).await;
    let id = ada.hear().await["data"].take();
    let identity = json!({"deviceName": "phone"});
    ada.say(&json!({"identity": identity, "correlationId": "1"})).await;
    assert_eq!(ada.hear().await["success"], true);
    assert_eq!(next(&mut told).await, json!(["introduced", id, null, identity, true, "127.0.0.1"]));
    ada.say(&json!({"clientMessage": {"hello": "world"}})).await;
    let expected = json!(["said", id, {"hello": "world"}, identity, true, "127.0.0.1"]);
    assert_eq!(next(&mut told).await, expected);
    // by nobody else
    for (procedure, more) in [("said", json!(null)), ("introduced", json!({"internal": true}))] {
        let asked = json!({"scope": "clients", "procedure": procedure, "args": 1, "trace": more});
        ada.say(&asked).await;
        assert_eq!(ada.hear().await["success"], false);
        ada.say(&json!({"jsonrpc": "2.0", "method": format!("clients.{procedure}"), "params": [1]})).await;
    }
    ada.say(&json!({"clientMessage": "the last"})).await;
    assert_eq!(next(&mut told).await[2], "the last");
    serving.abort();
}

#[tokio::test(start_paused = true)]
async fn what_a_handler_has_no_answer_for_is_told_apart_from_what_it_has() {
    let broker = Memory::new();
    let failed = Arc::new(Mutex::new(Vec::new()));
    let (of_handlers, of_server) = (failed.clone(), failed.clone());
    let hooks = Hooks::default()
        .on_handler_error(move |report| {
            of_handlers.lock().unwrap().push(report.procedure.to_owned());
        })
        .on_error(move |error: &(dyn Error + 'static)| {
            of_server.lock().unwrap().push(error.to_string());
            panic!("which is no affair of the broker's");
        });
    let router = Router::new()
        .procedure("refuses", async || Err::<(), _>(Fault::from("no")))
        .procedure("panics", async || -> () { panic!("secret") });
    let server = Net::on(broker.clone()).server(router).hooks(hooks);
    let client = crate::world::gateway_of(server, Identity::anonymous());
    for procedure in ["refuses", "panics", "unknown"] {
        client.call::<()>(procedure, ()).await.unwrap_err();
    }
    broker.lose();
    broker.lose();
    broker.restore();
    broker.lose();
    let lost = "the broker of this network cannot be reached";
    assert_eq!(*failed.lock().unwrap(), ["panics", lost, lost]);
}
