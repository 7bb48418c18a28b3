//! What nodes say to each other of themselves.
//!
//! JSON, so that it can be looked at on the broker, and so that later versions can say
//! more: members that are not known are passed over, those that are left out are 0, and a
//! message of a kind that is not known is no message.

use super::node_info::Load;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use trunkline_core::{Format, OwnedPayload, Payload};

/// Where everybody speaks to everybody. With a point and the id of a node behind it: where
/// that node is spoken to.
pub(crate) const TOPIC: &str = "trunkline.presence";

/// The most bytes of a message: brokers carry as many, and so much is read.
pub(super) const LARGEST: usize = 512 << 10;

/// The longest text that a node says of itself, and that is remembered, in bytes.
pub(super) const LONGEST_NAME: usize = 128;

/// A message.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Said {
    /// A node is there still, to everybody, or to one who has asked.
    Here(Here),
    /// A node has left.
    Gone { id: Box<str> },
    /// Who is there? The node that asks is to be told.
    Who { id: Box<str> },
    /// What is in your catalog? The node that asks is to be told.
    Want { id: Box<str> },
    /// What is in a catalog.
    Catalog { digest: Box<str>, catalog: OwnedPayload },
}

/// What a node says of itself again and again.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Here {
    pub(super) id: Box<str>,
    pub(super) name: Box<str>,
    pub(super) version: Box<str>,
    pub(super) software: Box<str>,
    pub(super) up_ms: u64,
    /// After which time at most it says so again.
    pub(super) every_ms: u64,
    /// Whether it takes no more calls.
    pub(super) is_leaving: bool,
    /// What tells its catalog from others; those that are equal have the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) catalog: Option<Box<str>>,
    pub(super) load: Load,
}

/// Where a node is spoken to.
pub(super) fn topic_of(node: &str) -> String {
    format!("{TOPIC}.{node}")
}

/// Whether a node may be called so, in topics and elsewhere.
pub(super) fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl Here {
    /// Whether it may be remembered.
    pub(super) fn is_short(&self) -> bool {
        let texts = [&self.name, &self.version, &self.software];
        let is_digest = |digest: &str| digest.len() <= LONGEST_NAME;
        is_id(&self.id)
            && texts.iter().all(|text| text.len() <= LONGEST_NAME)
            && self.catalog.as_deref().is_none_or(is_digest)
    }
}

impl Said {
    /// Spells it; `None` if that cannot be.
    pub(super) fn spell(&self) -> Option<Bytes> {
        let spelled = OwnedPayload::encode(self, Format::Json).ok()?;
        Some(Bytes::copy_from_slice(spelled.borrow().as_bytes()))
    }

    /// Reads it, if it is something, and not too long.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let text = (body.len() <= LARGEST).then(|| std::str::from_utf8(body).ok())??;
        Payload::Json(text).decode().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_versions_may_say_more() {
        let said = br#"{"here":{"id":"a","name":"n","later":[1],"load":{"calls":2,"later":{}}}}"#;
        let Some(Said::Here(here)) = Said::read(said) else { panic!("it is understood") };
        assert_eq!((&*here.name, here.load.calls, here.up_ms, here.catalog), ("n", 2, 0, None));
        for other in ["", "null", "{}", r#"{"later":{}}"#, r#"{"here":7}"#, r#"{"gone":{}}"#] {
            assert!(Said::read(other.as_bytes()).is_none(), "{other}");
        }
        let long = format!(r#"{{"gone":{{"id":"{}"}}}}"#, "a".repeat(LARGEST));
        assert!(Said::read(long.as_bytes()).is_none());
    }
}
