//! [`Own`]: what this node says of itself.

use super::{
    node_info::Load,
    said::{Here, LARGEST, LONGEST_NAME, Said},
};
use bytes::Bytes;
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};
use trunkline_core::{Catalog, Format, OwnedPayload, Signature};

/// What this node says of itself.
pub(crate) struct Own {
    pub(super) name: Box<str>,
    pub(super) version: Box<str>,
    pub(super) digest: Box<str>,
    pub(super) catalog: Arc<Catalog>,
    /// The catalog as it is told, and in short, for brokers that do not carry all of it.
    pub(super) told: [Option<Bytes>; 2],
    pub(super) load: Box<dyn Fn() -> Load + Send + Sync>,
}

impl Own {
    /// A node that serves what is in this catalog.
    pub(crate) fn new(
        name: &str,
        version: &str,
        catalog: Catalog,
        load: impl Fn() -> Load + Send + Sync + 'static,
    ) -> Self {
        let short = || {
            let mut short = Catalog::default();
            short.procedures.clone_from(&catalog.procedures);
            // they take anything and give anything, for all that is known
            short.procedures.iter_mut().for_each(|entry| entry.signature = Signature::default());
            short
        };
        let spelled = OwnedPayload::encode(&catalog, Format::Json).ok();
        let digest = digest(spelled.as_ref());
        let told = [told(&digest, spelled), told(&digest, OwnedPayload::encode(&short(), Format::Json).ok())];
        if told[0].is_none() {
            tracing::warn!(
                name,
                most = LARGEST,
                "what this node serves is too much to be described to others: its schemas are left out"
            );
        }
        let short = |text: &str| text[..text.floor_char_boundary(LONGEST_NAME)].into();
        let (name, version) = (short(name), short(version));
        Self { name, version, digest, catalog: catalog.into(), told, load: Box::new(load) }
    }

    /// What it says now.
    pub(super) fn here(&self, id: &str, up_ms: u64, every_ms: u64, is_leaving: bool) -> Here {
        Here {
            id: id.into(),
            name: self.name.clone(),
            version: self.version.clone(),
            software: concat!("trunkline ", env!("CARGO_PKG_VERSION")).into(),
            up_ms,
            every_ms,
            is_leaving,
            catalog: Some(self.digest.clone()),
            load: (self.load)(),
        }
    }
}

/// What tells a catalog from others. Nobody has to find the same for it as we do.
fn digest(spelled: Option<&OwnedPayload>) -> Box<str> {
    let mut hasher = DefaultHasher::new();
    if let Some(spelled) = spelled {
        spelled.borrow().as_bytes().hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish()).into()
}

/// The message that tells a catalog, if there is room for it in one.
fn told(digest: &str, spelled: Option<OwnedPayload>) -> Option<Bytes> {
    let told = Said::Catalog { digest: digest.into(), catalog: spelled? }.spell()?;
    (told.len() <= LARGEST).then_some(told)
}
