//! T26: what callers are told of what went wrong.

use crate::{
    support::{Wire, request},
    world::{access, login, service, shut},
};
use futures_util::stream;
use serde_json::json;
use std::{
    borrow::Cow,
    sync::{Arc, Mutex},
};
use trunkline::{Context, Fault, FaultKind, Hooks, JsonRpc, Router, Security, Service, access::Access};

fn secret() -> Fault {
    Fault::from("it went wrong").with_source("SELECT secret FROM users")
}

fn router() -> Router {
    Router::new()
        .procedure("fails", async || Err::<(), _>(secret()))
        .procedure("hidden", async || Err::<(), _>(Fault::internal("disk on fire at /dev/sda")))
        .procedure("panics", async || -> () { panic!("secret {}", 7) })
        .procedure("breaks", async || stream::iter([Err::<u8, _>(secret())]))
}

/// All that a caller hears when everything fails.
async fn heard(service: Service) -> Vec<String> {
    let mut wire = Wire::to(service);
    let mut heard = vec![];
    for name in ["fails", "hidden", "panics"] {
        heard.push(wire.ask(request(1, name, json!([]))).await["error"].to_string());
    }
    wire.ask(request(1, "breaks", json!([]))).await;
    heard.push(wire.next().await["params"]["error"].to_string());
    heard
}

const PUBLIC: [&str; 4] = [
    r#"{"code":-32000,"message":"it went wrong"}"#,
    r#"{"code":-32603,"message":"Internal error"}"#,
    r#"{"code":-32603,"message":"Internal error"}"#,
    r#"{"code":-32000,"message":"it went wrong"}"#,
];

#[tokio::test]
async fn strangers_hear_what_is_public() {
    let service = Service::new(router(), JsonRpc::default());
    assert_eq!(heard(service.clone()).await, PUBLIC);
    assert_eq!(heard(service.security(Access::new())).await, PUBLIC);
}

#[tokio::test]
async fn developers_may_hear_the_rest() {
    let service = Service::new(router(), JsonRpc::default()).security(Access::new().show_sources());
    assert_eq!(
        heard(service).await,
        [
            r#"{"code":-32000,"message":"it went wrong: SELECT secret FROM users"}"#,
            r#"{"code":-32603,"message":"Internal error: disk on fire at /dev/sda"}"#,
            r#"{"code":-32603,"message":"Internal error: the handler panicked: secret 7"}"#,
            r#"{"code":-32000,"message":"it went wrong: SELECT secret FROM users"}"#,
        ]
    );
}

/// Says nothing to strangers, and fails to say anything to bob.
struct Silent(Access);

impl Security for Silent {
    fn authenticate<'a>(
        &'a self,
        credentials: trunkline::Credentials<'a>,
        on: &'a trunkline::Connection,
    ) -> trunkline::security::Authenticating<'a> {
        self.0.authenticate(credentials, on)
    }

    fn redact<'f>(&self, fault: &'f Fault, caller: &Context) -> Cow<'f, Fault> {
        match caller.identity().subject() {
            None => Cow::Owned(Fault::new(FaultKind::Failed, "no")),
            Some("bob") => panic!("redaction fails"),
            Some(_) => Cow::Borrowed(fault),
        }
    }
}

/// It may go by who asks, and what operators hear is the whole of it.
#[tokio::test]
async fn who_asks_decides_what_is_told() {
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let hooks = {
        let told = told.clone();
        Hooks::default().on_fault(move |report| told.lock().unwrap().push(report.fault.to_string()))
    };
    let mut wire = Wire::to(service(Silent(access(&shut()))).hooks(hooks));
    let fails = request(1, "fails", json!([]));
    assert_eq!(wire.ask(&fails).await["error"]["message"], "no");
    wire.ask(login(2, "bob")).await;
    assert_eq!(wire.ask(&fails).await["error"]["message"], "Internal error");
    wire.ask(login(3, "ada")).await;
    assert_eq!(wire.ask(&fails).await["error"]["message"], "it went wrong");
    assert_eq!(*told.lock().unwrap(), ["it went wrong"; 3]);
}

/// Keeps whom it is asked about.
struct Asked(Access, Arc<Mutex<Vec<String>>>);

impl Security for Asked {
    fn authenticate<'a>(
        &'a self,
        credentials: trunkline::Credentials<'a>,
        on: &'a trunkline::Connection,
    ) -> trunkline::security::Authenticating<'a> {
        self.0.authenticate(credentials, on)
    }

    fn redact<'f>(&self, fault: &'f Fault, caller: &Context) -> Cow<'f, Fault> {
        self.1.lock().unwrap().push(name(caller));
        Cow::Borrowed(fault)
    }
}

fn name(caller: &Context) -> String {
    caller.identity().subject().unwrap_or("nobody").to_owned()
}

/// A call that fails after somebody else has authenticated is still of whoever made it.
#[tokio::test(start_paused = true)]
async fn a_fault_is_told_of_whoever_called() {
    let held = Arc::new(tokio::sync::Semaphore::new(0));
    let router = {
        let held = held.clone();
        let hold = move || {
            let held = held.clone();
            async move {
                held.acquire().await.unwrap().forget();
                Err::<(), _>(secret())
            }
        };
        Router::new()
            .procedure("hold", hold)
            .procedure(
                "late",
                trunkline::handler(std::future::pending::<()>).timeout(std::time::Duration::from_secs(9)),
            )
            .procedure("silent", async || stream::pending::<u8>())
    };
    let (asked, reported) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<Mutex<Vec<String>>>::default());
    let hooks = {
        let reported = reported.clone();
        Hooks::default().on_fault(move |report| {
            reported.lock().unwrap().push(format!("{} {}", name(report.context), report.procedure))
        })
    };
    let security = Asked(access(&shut()), asked.clone());
    let mut wire = Wire::to(Service::new(router, JsonRpc::default()).security(security).hooks(hooks));
    wire.ask(login(1, "ada")).await;
    wire.line(request("held", "hold", json!([]))).await;
    wire.line(request("given up", "hold", json!([]))).await;
    wire.line(request("late", "late", json!([]))).await;
    wire.ask(request(2, "silent", json!([]))).await;
    wire.line(login(3, "bob")).await;
    let mut heard = vec![wire.next().await, wire.next().await];
    heard.retain(|message| message["id"] == 3);
    assert_eq!(heard[0]["result"], json!({"subject": "bob"}), "the other is the end of the stream");
    held.add_permits(1);
    assert_eq!(wire.next().await["id"], "held");
    wire.line(r#"{"jsonrpc":"2.0","method":"rpc.cancel","params":{"id":"given up"}}"#).await;
    assert_eq!(wire.next().await["id"], "given up");
    assert_eq!(wire.next().await["id"], "late");
    assert_eq!(*reported.lock().unwrap(), ["ada silent", "ada hold", "ada hold", "ada late"]);
    assert_eq!(*asked.lock().unwrap(), ["ada"; 4]);
}
