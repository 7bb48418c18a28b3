//! What is internal stays among the servers.

use crate::world::{Handler, gateway, gateway_of};
use serde_json::{Value, json};
use trunkline::{
    Call, Caller, Details, Fault, FaultKind, Identity, Router, Security, Server, broker::Memory, handler,
    security::by_group,
};

fn secret() -> Router {
    Router::new().procedure("secret", handler(async || 42).internal())
}

/// T28.
#[tokio::test(start_paused = true)]
async fn what_is_internal_answers_servers_only() {
    let broker = Memory::new();
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

#[tokio::test(start_paused = true)]
async fn a_server_asks_its_own_security_of_strangers() {
    let broker = Memory::new();
    let router = Router::new().procedure("delete", handler(async || "gone").group("admin"));
    let server = Server::new(router).security(Groups).broker(broker.clone());
    let _bound = server.bind().await.unwrap();
    let as_one = |identity| gateway_of(Server::new(Router::new()).broker(broker.clone()), identity);
    let ada = as_one(Identity::new("ada").with_group("admin"));
    assert_eq!(ada.call::<String>("delete", ()).await.as_deref(), Ok("gone"));
    let bob = as_one(Identity::new("bob"));
    assert_eq!(bob.call::<String>("delete", ()).await.unwrap_err().kind(), FaultKind::Forbidden);
    let fault = as_one(Identity::anonymous()).call::<String>("delete", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Unauthenticated);
}
