//! `rpc.discover`: the service describes itself as an OpenRPC document.

use crate::Router;
use serde_json::{Value, json};

/// Adds `rpc.discover` to a router. OpenRPC 1.3.2, "Service Discovery Method".
pub(super) fn add(router: Router, title: &str) -> Router {
    let document = document(&router.names(), title);
    router.extension("rpc.discover", move || {
        let document = document.clone();
        async move { document }
    })
}

fn document(names: &[&str], title: &str) -> Value {
    let method = |name: &&str| {
        json!({
            "name": name,
            "params": [],
            "paramStructure": "either",
            "result": {"name": "result", "schema": {}},
        })
    };
    let methods: Vec<Value> = names.iter().map(method).collect();
    json!({
        "openrpc": "1.3.2",
        "info": {"title": title, "version": env!("CARGO_PKG_VERSION")},
        "methods": methods,
    })
}
