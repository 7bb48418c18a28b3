//! What the scenarios share.

use serde_json::Value;
use std::net::SocketAddr;
use tokio::sync::mpsc;
pub(crate) use trunkline::testing::{TestServer, Wire};
use trunkline::{Client, JsonRpc, Limits, Router, Server, Service};

/// A service with these limits.
pub(crate) fn service(router: Router, limits: Limits) -> Service {
    Service::new(router, JsonRpc::default()).limits(limits)
}

/// A client of `router` over a connection in memory; `own` serves the server.
pub(crate) fn client(router: Router, limits: Limits, own: Router) -> Client {
    let server = TestServer::new(service(router, limits.clone()));
    server.builder().router(own).limits(limits).connect_lazy().unwrap()
}

/// Serves over HTTP, on a free port, until the test ends.
pub(crate) async fn serve_http(router: Router) -> SocketAddr {
    let bound = Server::new(router).http("127.0.0.1:0").bind().await.unwrap();
    let address = bound.addresses()[0];
    tokio::spawn(bound.serve());
    address
}

/// Says when what it is in is dropped.
pub(crate) struct Tells(pub(crate) mpsc::UnboundedSender<()>);

impl Drop for Tells {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// The code of an error reply.
#[track_caller]
pub(crate) fn code(reply: &Value) -> i64 {
    reply["error"]["code"].as_i64().unwrap_or_else(|| panic!("{reply} is no error"))
}

/// A request.
pub(crate) fn request(id: impl serde::Serialize, method: &str, params: Value) -> String {
    serde_json::json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
}
