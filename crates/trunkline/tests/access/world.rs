//! What the scenarios serve, and to whom.

use crate::support::Wire;
use std::sync::Arc;
use tokio::sync::Semaphore;
use trunkline::{
    Fault, Identity, JsonRpc, Limits, Router, Security, Service, access::Access, handler,
    security::unauthenticated,
};

/// Knows ada, who is an admin, and bob, by tokens that are their names. Whoever has
/// a token that begins with `slow-` is known once `gate` opens.
pub(crate) fn access(gate: &Arc<Semaphore>) -> Access {
    let gate = gate.clone();
    Access::new().bearer(move |token| {
        let gate = gate.clone();
        async move {
            let name = match token.strip_prefix("slow-") {
                None => &*token,
                Some(name) => {
                    gate.acquire().await.unwrap().forget();
                    name
                }
            };
            match name {
                "ada" => Ok(Identity::new("ada").with_group("admin")),
                "bob" => Ok(Identity::new("bob")),
                "boom" => panic!("the verifier fails"),
                _ => Err(unauthenticated("the token is not known")),
            }
        }
    })
}

pub(crate) async fn whoami(identity: Identity) -> String {
    identity.subject().unwrap_or("nobody").to_owned()
}

/// `hold` answers who called it once `held` lets it.
pub(crate) fn router(held: &Arc<Semaphore>) -> Router {
    let held = held.clone();
    Router::new()
        .procedure("whoami", whoami)
        .procedure("reset", handler(async || "done").group("admin"))
        .procedure("hold", move |identity: Identity| {
            let held = held.clone();
            async move {
                held.acquire().await.unwrap().forget();
                whoami(identity).await
            }
        })
        .procedure("fails", async || {
            Err::<(), _>(Fault::from("it went wrong").with_source("SELECT secret FROM /etc/passwd"))
        })
}

/// Doors that are shut.
pub(crate) fn shut() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(0))
}

pub(crate) fn service(security: impl Security) -> Service {
    Service::new(router(&shut()), JsonRpc::default()).security(security)
}

/// A connection to such a service.
pub(crate) fn wire() -> Wire {
    Wire::to(service(access(&shut())))
}

/// The same with these limits.
pub(crate) fn wire_with(limits: Limits, gate: &Arc<Semaphore>) -> Wire {
    Wire::to(service(access(gate)).limits(limits))
}

/// A request to be known by a token.
pub(crate) fn login(id: u32, token: &str) -> String {
    crate::support::request(id, "rpc.authenticate", serde_json::json!({ "token": token }))
}

/// A request to be told who one is.
pub(crate) fn ask(id: u32) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"whoami"}}"#)
}
