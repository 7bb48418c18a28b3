//! What is internal stays among the servers.

use crate::world::{Handler, Joins, gateway, gateway_of, on_each_broker};
use serde_json::{Value, json};
use trunkline::{
    Call, Caller, Details, Fault, FaultKind, Identity, Router, Security, Server, handler, security::by_group,
};

on_each_broker! {
    what_is_internal_answers_servers_only,
    a_server_asks_its_own_security_of_strangers,
}

fn secret() -> Router {
    Router::new().procedure("secret", handler(async || 42).internal())
}

/// T28.
async fn what_is_internal_answers_servers_only(broker: impl Joins) {
    let _handler = Handler::start(&broker, secret()).await;
    let ask = async |caller: Caller| caller.call::<u8>("secret", ()).await;
    let client = gateway(&broker, Router::new().procedure("ask", ask));
    assert_eq!(client.call::<u8>("ask", ()).await, Ok(42));
    for args in [
        json!(null),
        json!({"internal": true}),
        json!({"trace": {"internal": true, "depth": 1}}),
        json!({"request": {"trace": {"internal": true}}}),
    ] {
        let fault = client.call::<Value>("secret", &args).await.unwrap_err();
        assert_eq!((fault.kind(), fault.message()), (FaultKind::NotFound, "Method not found"), "{args}");
    }
}

struct Groups;

impl Security for Groups {
    fn authorize(&self, call: &Call<'_>, procedure: &Details) -> Result<(), Fault> {
        by_group(call, procedure)
    }
}

async fn a_server_asks_its_own_security_of_strangers(broker: impl Joins) {
    let router = Router::new().procedure("delete", handler(async || "gone").group("admin"));
    let _handler = Handler::with(&broker, router, |server| server.security(Groups)).await;
    let as_one = |identity| gateway_of(broker.join(Server::new(Router::new())), identity);
    let ada = as_one(Identity::new("ada").with_group("admin"));
    assert_eq!(ada.call::<String>("delete", ()).await.as_deref(), Ok("gone"));
    let bob = as_one(Identity::new("bob"));
    assert_eq!(bob.call::<String>("delete", ()).await.unwrap_err().kind(), FaultKind::Forbidden);
    let fault = as_one(Identity::anonymous()).call::<String>("delete", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Unauthenticated);
}
