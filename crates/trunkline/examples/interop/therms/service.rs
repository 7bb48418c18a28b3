//! What a handler of the kit has.

use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::sleep;
use trunkline::{
    Caller, Fault, FaultKind, RawArgs, Registration, Response, Router, handler,
    therms::{self, Request},
};

/// Its procedures, of those scopes that are wanted; a server is called by this name.
pub(crate) fn router(name: &str, wants: impl Fn(&str) -> bool) -> Router {
    let wanted = scopes(name).into_iter().filter(|(scope, _)| wants(scope));
    wanted.fold(Router::new(), |router, (scope, procedures)| match scope {
        "global" => router.merge(procedures),
        scope => router.scope(scope, procedures),
    })
}

fn scopes(name: &str) -> [(&'static str, Router); 5] {
    let first = Router::new().procedure("scoped", async || json!({"scope": "first"}));
    let internal = Router::new().procedure("secret", handler(secret).internal());
    [
        ("global", global()),
        ("first", first),
        ("test", test(name.into())),
        ("math", Router::new().procedure("add", add())),
        ("internal", internal),
    ]
}

fn global() -> Router {
    Router::new().procedure("ping", async || "pong").procedure("scoped", async || json!({"scope": "global"}))
}

fn test(name: Arc<str>) -> Router {
    let counters = Arc::new(Mutex::new(HashMap::<String, u64>::new()));
    Router::new()
        .procedure("echo", async |args: RawArgs| echoed(&args))
        .procedure("echo@2", async |args: RawArgs| json!({"version": "2", "args": echoed(&args)}))
        .procedure("whoami", async |request: Request| json!({"identity": request.identity}))
        .procedure("trace", async |request: Request| {
            let Request { trace, scope, procedure, version, correlation_id, .. } = request;
            let mut told =
                json!({"trace": trace, "scope": scope, "procedure": procedure, "version": version});
            if let Some(id) = correlation_id {
                told["correlationId"] = id;
            }
            told
        })
        .procedure("fail", async |args: Value| Err::<Value, _>(failure(&args)))
        .procedure("return-fail", async || {
            Err::<Value, _>(Fault::from("conflict").with_code(409).with_data(json!({"reason": "taken"})))
        })
        .procedure("throw", async || Err::<Value, _>(Fault::internal("secret detail")))
        .procedure("bad-return", async || Err::<Value, _>(Fault::from("RPC handler error").with_code(500)))
        .procedure("no-data", async || Response::without_data(204))
        .procedure("strict", strict())
        .procedure("slow", async |args: Value| {
            let ms = args["ms"].as_u64().unwrap_or_default();
            if args["say"] == true {
                println!("slow {}", args["tag"]);
            }
            sleep(Duration::from_millis(ms)).await;
            json!({"slept": ms, "tag": args["tag"]})
        })
        .procedure("call-internal", call_internal)
        .procedure("call-fail", async |caller: Caller| {
            caller.call::<Value>("test.fail", json!({"code": 418, "message": "inner"})).await
        })
        .procedure("call-missing", async |caller: Caller| {
            match caller.call::<Value>("nowhere.missing", ()).await {
                Ok(_) => json!({"code": 200, "success": true}),
                Err(fault) => json!({"code": therms::code(&fault), "success": false}),
            }
        })
        .procedure("big", async |args: Value| {
            let size = args["size"].as_u64().and_then(|size| usize::try_from(size).ok());
            json!({"blob": "x".repeat(size.unwrap_or_default())})
        })
        .procedure("count", move |args: Value| {
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
        .procedure("blackhole", handler(std::future::pending::<()>).timeout(Duration::from_secs(3600)))
        .procedure("server", move || {
            let name = name.clone();
            async move { json!({"displayName": *name}) }
        })
}

pub(crate) fn echoed(args: &RawArgs) -> Value {
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
