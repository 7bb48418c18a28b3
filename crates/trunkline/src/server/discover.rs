//! `rpc.discover`: the service describes itself as an OpenRPC document.

use crate::{JsonRpc, Router};
use serde_json::value::{RawValue, to_raw_value};

/// Adds `rpc.discover` to a router. OpenRPC 1.3.2, "Service Discovery Method".
/// The document is written once, here: what is in it does not change.
pub(super) fn add(router: Router, language: &JsonRpc, title: &str, version: &str) -> Router {
    let document = language.openrpc(&router.catalog(), title, version);
    let document: Box<RawValue> = to_raw_value(&document).expect("what is JSON can be written as such");
    router.extension("rpc.discover", move || {
        let document = document.clone();
        async move { document }
    })
}
