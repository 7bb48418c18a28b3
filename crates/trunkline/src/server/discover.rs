//! `rpc.discover`: the service describes itself as an OpenRPC document.

use crate::{Catalog, Cluster, JsonRpc, Open, Router};
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

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
        writing: Mutex::default(),
    };
    // not when somebody asks: what is here is to be described without a mistake
    document.text();
    let document = Arc::new(document);
    router.extension("rpc.discover", move || {
        let document = document.clone();
        async move { Open(document.text()) }
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
    written: Mutex<Option<(u64, Text)>>,
    /// Who holds this is writing another.
    writing: Mutex<()>,
}

/// The document as it is sent. It may be long: the reply is the only copy of it.
#[derive(Clone)]
struct Text(Arc<RawValue>);

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Document {
    fn text(&self) -> Text {
        // before it is looked at: what changes meanwhile is written the next time
        let revision = self.cluster.catalog_revision();
        if let Some((of, text)) = &*self.written()
            && *of == revision
        {
            return text.clone();
        }
        // one writes it, while nobody waits for a lock; who asks meanwhile is told the last
        let writing = self.writing.try_lock();
        if matches!(writing, Err(TryLockError::WouldBlock))
            && let Some((_, last)) = &*self.written()
        {
            return last.clone();
        }
        let text = Text(self.write().into());
        let mut written = self.written();
        // which may be of a later revision
        if written.as_ref().is_none_or(|(of, _)| *of < revision) {
            *written = Some((revision, text.clone()));
        }
        text
    }

    fn written(&self) -> MutexGuard<'_, Option<(u64, Text)>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> Box<RawValue> {
        let mut all = self.here.clone();
        all.add(self.cluster.catalog());
        let document = self.language.openrpc(&all.for_outsiders(), &self.title, &self.version);
        to_raw_value(&document).expect("what is JSON can be written as such")
    }
}
