//! What the kit calls.

use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::sleep;
use trunkline::{
    Caller, Connection, Fault, FaultKind, Hooks, Peer, RawArgs, Registration, Response, Router, handler,
    therms::{self, Identity, Request},
};

pub(crate) const CLIENT_MESSAGE: &str = "gateway.client-message";
pub(crate) const IDENTITY_CHANGE: &str = "gateway.identity-change";

/// What has become of connections, in order.
#[derive(Clone, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<Value>>>);

impl Events {
    fn record(&self, event: Value) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    /// All of it so far.
    pub(crate) fn all(&self) -> Vec<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What tells of connections that come and go.
    pub(crate) fn hooks(&self) -> Hooks {
        let (here, gone) = (self.clone(), self.clone());
        Hooks::default()
            .on_connect(move |peer| {
                let connection = peer.connection();
                let (id, ip) = (connection.id(), ip(connection));
                here.record(json!({"event": "connect", "connectionId": id, "ip": ip}));
            })
            .on_disconnect(move |peer, _| {
                let identity = peer.session().get::<Identity>();
                let (id, ip) = (peer.connection().id(), ip(peer.connection()));
                gone.record(json!({
                    "event": "disconnect", "connectionId": id, "identity": identity.as_deref(), "ip": ip,
                }));
            })
    }
}

fn ip(connection: &Connection) -> Option<String> {
    connection.remote().map(|address| address.ip().to_string())
}

/// The procedures, those of a gateway included.
pub(crate) fn router(events: &Events) -> Router {
    let counters = Arc::new(Mutex::new(HashMap::<String, u64>::new()));
    let of_gateway = events.clone();
    let changes = events.clone();
    let messages = events.clone();
    let identity = move |request: Request, peer: Peer| {
        changes.record(json!({
            "event": "identity", "connectionId": peer.connection().id(), "identity": request.identity,
            "ip": request.trace.ip_address,
        }));
        request.identity.map(|identity| peer.session().insert(identity));
        async {}
    };
    let message = move |request: Request, peer: Peer, message: RawArgs| {
        let (message, id) = (echoed(&message), peer.connection().id());
        let mut event = json!({"event": "message", "connectionId": id, "clientMessage": message});
        if let Some(identity) = &request.identity {
            event["identity"] = json!(identity);
        }
        messages.record(event);
        let answer = json!({"echo": message, "connectionId": id, "identity": request.identity});
        let said = peer.notify(therms::SERVER_MESSAGE, answer);
        async { said }
    };
    Router::new()
        .procedure("ping", async || "pong")
        .procedure("test.echo", async |args: RawArgs| echoed(&args))
        .procedure("test.echo@2", async |args: RawArgs| json!({"version": "2", "args": echoed(&args)}))
        .procedure("scoped", async || json!({"scope": "global"}))
        .procedure("first.scoped", async || json!({"scope": "first"}))
        .procedure("test.whoami", async |request: Request| json!({"identity": request.identity}))
        .procedure("test.trace", async |request: Request| {
            let Request { trace, scope, procedure, version, correlation_id, .. } = request;
            let mut told =
                json!({"trace": trace, "scope": scope, "procedure": procedure, "version": version});
            if let Some(id) = correlation_id {
                told["correlationId"] = id;
            }
            told
        })
        .procedure("test.fail", async |args: Value| Err::<Value, _>(failure(&args)))
        .procedure("test.return-fail", async || {
            Err::<Value, _>(Fault::from("conflict").with_code(409).with_data(json!({"reason": "taken"})))
        })
        .procedure("test.throw", async || Err::<Value, _>(Fault::internal("secret detail")))
        .procedure("test.bad-return", async || {
            Err::<Value, _>(Fault::from("RPC handler error").with_code(500))
        })
        .procedure("test.no-data", async || Response::without_data(204))
        .procedure("math.add", add())
        .procedure("test.strict", strict())
        .procedure("test.slow", async |args: Value| {
            let ms = args["ms"].as_u64().unwrap_or_default();
            sleep(Duration::from_millis(ms)).await;
            json!({"slept": ms, "tag": args["tag"]})
        })
        .procedure("internal.secret", handler(secret).internal())
        .procedure("test.call-internal", call_internal)
        .procedure("test.call-fail", async |caller: Caller| {
            caller.call::<Value>("test.fail", json!({"code": 418, "message": "inner"})).await
        })
        .procedure("test.call-missing", async |caller: Caller| {
            match caller.call::<Value>("nowhere.missing", ()).await {
                Ok(_) => json!({"code": 200, "success": true}),
                Err(fault) => json!({"code": therms::code(&fault), "success": false}),
            }
        })
        .procedure("test.big", async |args: Value| {
            let size = args["size"].as_u64().and_then(|size| usize::try_from(size).ok());
            json!({"blob": "x".repeat(size.unwrap_or_default())})
        })
        .procedure("test.count", move |args: Value| {
            let counters = counters.clone();
            async move {
                let key = args["key"].as_str().unwrap_or_default().to_owned();
                let count = {
                    let mut counters = counters.lock().unwrap_or_else(PoisonError::into_inner);
                    let count = counters.entry(key).or_default();
                    *count += 1;
                    *count
                };
                sleep(Duration::from_millis(args["ms"].as_u64().unwrap_or_default())).await;
                json!({"count": count})
            }
        })
        .procedure("test.blackhole", handler(std::future::pending::<()>).timeout(Duration::from_secs(3600)))
        .procedure("test.server", async || json!({"displayName": "trunkline"}))
        .procedure("gateway.events", move || {
            let events = of_gateway.all();
            async move { json!({"events": events}) }
        })
        .procedure(IDENTITY_CHANGE, handler(identity).internal())
        .procedure(CLIENT_MESSAGE, handler(message).internal())
}

fn echoed(args: &RawArgs) -> Value {
    args.0.as_ref().and_then(|args| args.decode().ok()).unwrap_or_default()
}

/// The failure that a caller has asked for.
fn failure(asked: &Value) -> Fault {
    let message = asked["message"].as_str().unwrap_or_default().to_owned();
    let fault = Fault::new(FaultKind::Failed, message).with_code(asked["code"].as_i64().unwrap_or(500));
    match &asked["data"] {
        Value::Null => fault,
        data => fault.with_data(data),
    }
}

pub(crate) async fn call_internal(caller: Caller) -> Result<Value, Fault> {
    let inner: Value = caller.call("internal.secret", ()).await?;
    Ok(json!({"inner": inner}))
}

async fn secret(request: Request) -> Value {
    let Request { trace, identity, .. } = request;
    json!({"secret": 42, "identity": identity, "caller": trace.caller, "internal": trace.internal,
        "traceIdLength": trace.id.len()})
}

fn add() -> Registration {
    let add = async |args: Value| match (args["a"].as_i64(), args["b"].as_i64()) {
        (Some(a), Some(b)) => json!({"sum": a + b}),
        _ => json!({"sum": args["a"].as_f64().unwrap_or_default() + args["b"].as_f64().unwrap_or_default()}),
    };
    let number = json!({"type": "number"});
    handler(add).args_schema(json!({
        "type": "object",
        "properties": {"a": number, "b": number},
        "required": ["a", "b"],
        "additionalProperties": false,
    }))
}

fn strict() -> Registration {
    handler(async |args: Value| args).args_schema(json!({
        "type": "object",
        "properties": {
            "location_id": {"type": "string"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "limit": {"type": "integer", "default": 10},
            "deep": {
                "type": "object",
                "properties": {"n": {"type": "integer", "minimum": 1}},
                "required": ["n"],
            },
        },
        "required": ["location_id"],
        "additionalProperties": false,
    }))
}
