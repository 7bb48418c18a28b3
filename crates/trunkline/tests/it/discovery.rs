//! Who is told what there is.

use serde_json::Value;
use trunkline::{Client, Fault, FaultKind, Link, Router, Server};

/// A client of a server that has something to hide.
fn client(settings: impl FnOnce(Server) -> Server) -> Client {
    let admin = Router::new()
        .procedure("wipe", async || ())
        .guard(|_| Err(Fault::new(FaultKind::Forbidden, "not for you")));
    let server = settings(Server::new(Router::new().scope("admin", admin)).name("a demo"));
    let (here, there) = Link::pair();
    tokio::spawn(server.serve_link(there));
    Client::over(here).connect_lazy().unwrap()
}

#[tokio::test]
async fn nobody_is_told_unless_the_server_says_so() {
    let fault = client(|server| server).call::<Value>("rpc.discover", ()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::NotFound);
    let document: Value = client(Server::discoverable).call("rpc.discover", ()).await.unwrap();
    assert_eq!(document["info"]["title"], "a demo");
    let names: Vec<&Value> = document["methods"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["admin.wipe"], "also what the caller may not call");
}
