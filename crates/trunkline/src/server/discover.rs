//! `rpc.discover`: the service describes itself as an OpenRPC document.

use crate::{Catalog, Cluster, JsonRpc, Router};
use serde_json::value::{RawValue, to_raw_value};
use std::sync::{Arc, Mutex, PoisonError};

/// Adds `rpc.discover` to a router. OpenRPC 1.3.2, "Service Discovery Method". What other
/// servers have is described too, unless there is something of that name here.
pub(super) fn add(
    router: Router,
    language: &JsonRpc,
    title: &str,
    version: &str,
    cluster: &Cluster,
) -> Router {
    let document = Document {
        here: router.clone().with_internal_found().catalog(),
        cluster: cluster.clone(),
        language: language.clone(),
        title: title.into(),
        version: version.into(),
        written: Mutex::default(),
    };
    // not when somebody asks: what is here is to be described without a mistake
    document.written();
    let document = Arc::new(document);
    router.extension("rpc.discover", move || {
        let document = document.clone();
        async move { document.text() }
    })
}

/// The document, which is written again when other servers have something else.
struct Document {
    /// With what is internal: nothing else is found under its names.
    here: Catalog,
    cluster: Cluster,
    language: JsonRpc,
    title: Box<str>,
    version: Box<str>,
    /// For which revision of the cluster's catalog.
    written: Mutex<Option<(u64, Arc<RawValue>)>>,
}

impl Document {
    fn text(&self) -> Box<RawValue> {
        // it may be long, and is copied where nobody waits for it
        (*self.written()).to_owned()
    }

    fn written(&self) -> Arc<RawValue> {
        // before it is looked at: what changes meanwhile is written the next time
        let revision = self.cluster.catalog_revision();
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        match &*written {
            Some((known, text)) if *known == revision => text.clone(),
            _ => {
                let text: Arc<RawValue> = self.write().into();
                *written = Some((revision, text.clone()));
                text
            }
        }
    }

    fn write(&self) -> Box<RawValue> {
        let mut all = self.here.clone();
        all.add(self.cluster.catalog());
        let document = self.language.openrpc(&all.for_outsiders(), &self.title, &self.version);
        to_raw_value(&document).expect("what is JSON can be written as such")
    }
}
