//! The endpoints of the JSON-RPC kit.

use crate::demo;
use serde_json::Value;
use std::error::Error;
use trunkline::{
    Fault, JsonRpc, Link, Listener, Router, Server, Service, framing::Framing, http::Endpoint,
    rpc_websockets::RpcWebsockets,
};

/// Serves every endpoint until the process is ended.
pub(crate) async fn serve() -> Result<(), Box<dyn Error>> {
    let http = Listener::http("127.0.0.1:0")
        .endpoint("/mux", |service| Endpoint::new(service.in_language(JsonRpc::mux())).mux())
        .endpoint("/rpc-websockets", rpc_websockets);
    let server = Server::new(demo::router())
        .name("demo")
        .discoverable()
        .listen(http)
        .listen(Listener::tcp("127.0.0.1:0"))
        .listen(Listener::tcp("127.0.0.1:0").content_length())
        .bind()
        .await?;
    let [http, tcp, lsp] = *server.addresses() else { return Err("three listeners were bound".into()) };
    let here = std::env::current_exe()?;
    println!(
        "{}",
        serde_json::json!({
            "http": format!("http://{http}/"),
            "ws": format!("ws://{http}/"),
            "mux": format!("ws://{http}/mux"),
            "rpcws": format!("ws://{http}/rpc-websockets"),
            "tcp": tcp.to_string(),
            "lsp": lsp.to_string(),
            "lsp_cmd": [&*here.to_string_lossy(), "jsonrpc", "--stdio-lsp"],
            "ndjson_cmd": [&*here.to_string_lossy(), "jsonrpc", "--stdio-ndjson"],
        })
    );
    server.serve().await;
    Ok(())
}

/// The demo service with the conventions of rpc-websockets on top.
fn rpc_websockets(service: &Service) -> Endpoint {
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    struct Credentials {
        user: String,
        password: String,
    }
    let events = RpcWebsockets::new().event("feed").protected_event("vault").login(async |params| {
        let credentials: Result<Credentials, _> = serde_json::from_value(params);
        credentials.is_ok_and(|it| it.user == "ada" && it.password == "lovelace")
    });
    let publisher = events.clone();
    let publish = move |mut args: Vec<Value>| {
        let publisher = publisher.clone();
        async move {
            let event = args.first().and_then(Value::as_str).ok_or("name an event")?.to_owned();
            args.remove(0);
            match <[Value; 1]>::try_from(args) {
                // one object is the params of the event itself
                Ok([only]) if only.is_object() => publisher.emit(&event, only),
                Ok(only) => publisher.emit(&event, only),
                Err(args) => publisher.emit(&event, args),
            };
            Ok::<(), Fault>(())
        }
    };
    let protected = Router::new().procedure("secret", async || "42");
    events.endpoint(service, demo::router().procedure("publish", publish), protected)
}

/// Serves the standard streams until the input ends.
pub(crate) async fn serve_stdio(framing: impl Framing + 'static) -> Result<(), Box<dyn Error>> {
    Server::new(demo::router()).name("demo").discoverable().serve_link(Link::stdio(framing)).await;
    Ok(())
}
