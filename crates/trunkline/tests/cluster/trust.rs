//! What is internal stays among the servers.

use crate::world::{Handler, World, gateway, gateway_of};
use serde_json::{Value, json};
use trunkline::{
    Call, Caller, Details, Fault, FaultKind, Identity, Router, Security, handler, security::by_group,
};

fn secret() -> Router {
    Router::new().procedure("secret", handler(async || 42).internal())
}

/// T28.
pub(crate) async fn what_is_internal_answers_servers_only<W: World>() {
    let net = W::any().await.net();
    let _handler = Handler::start(&net, secret()).await;
    let ask = async |caller: Caller| caller.call::<u8>("secret", ()).await;
    let client = gateway(&net, Router::new().procedure("ask", ask));
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

pub(crate) async fn a_server_asks_its_own_security_of_strangers<W: World>() {
    let net = W::any().await.net();
    let router = Router::new().procedure("delete", handler(async || "gone").group("admin"));
    let _handler = Handler::with(&net, router, |server| server.security(Groups)).await;
    let as_one = |identity| gateway_of(net.server(Router::new()), identity);
    let ada = as_one(Identity::new("ada").with_group("admin"));
    assert_eq!(ada.call::<String>("delete", ()).await.as_deref(), Ok("gone"));
    let bob = as_one(Identity::new("bob"));
    assert_eq!(bob.call::<String>("delete", ()).await.unwrap_err().kind(), FaultKind::Forbidden);
    let fault = as_one(Identity::anonymous()).call::<String>("delete", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Unauthenticated);
}
