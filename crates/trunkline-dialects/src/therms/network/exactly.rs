//! Faults, as two of ours tell each other of them: what a code and a message do not say.

use super::{super::fault::kind as kind_of, request::json};
use crate::jsonrpc::write::string;
use serde::{
    Deserialize,
    de::{
        IntoDeserializer,
        value::{self, StrDeserializer},
    },
};
use serde_json::value::RawValue;
use trunkline_core::{
    Fault, FaultKind,
    envelope::Remark,
    router::{Unknown, Why},
};

/// Why there is no procedure of a name.
const WHYS: [(Why, &str); 4] = [
    (Why::Absent, "absent"),
    (Why::Internal, "internal"),
    (Why::Version, "version"),
    (Why::Nowhere, "nowhere"),
];

/// What this reason is called.
pub(crate) fn why(of: Why) -> &'static str {
    WHYS.iter().find(|(it, _)| *it == of).map_or("", |(_, name)| *name)
}

/// The reason of this name; of one that we do not know, that there is no such procedure.
pub(crate) fn why_named(name: &str) -> Why {
    WHYS.iter().find(|(_, known)| *known == name).map_or(Why::Absent, |(it, _)| *it)
}

/// The kind of this name, if we know it.
fn kind_named(name: &str) -> Option<FaultKind> {
    let name: StrDeserializer<'_, value::Error> = name.into_deserializer();
    FaultKind::deserialize(name).ok()
}

/// The members that say of which kind a fault is, whether its code is its own, and which
/// procedure was not found, and why.
pub(super) fn told(fault: &Fault) -> String {
    let mut out = br#","kind":"#.to_vec();
    json(&mut out, &fault.kind());
    let mut member = |before: &str, value: &str| {
        out.extend_from_slice(before.as_bytes());
        string(&mut out, value);
    };
    if let Some(unknown) = Unknown::of(fault) {
        member(r#","unknown":"#, unknown.name());
        member(r#","why":"#, why(unknown.why()));
    }
    if let Some(code) = fault.code() {
        out.extend_from_slice(br#","code":"#);
        out.extend_from_slice(itoa::Buffer::new().format(code).as_bytes());
    }
    // all of it is text
    String::from_utf8(out).unwrap_or_default()
}

/// What a response says of a fault.
pub(super) struct Told<'a> {
    pub(super) code: Option<i64>,
    pub(super) data: Option<&'a RawValue>,
    pub(super) message: Option<&'a RawValue>,
    pub(super) said: Exactly,
}

/// What it says of itself to those who understand it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Exactly {
    kind: String,
    code: Option<i64>,
    unknown: Option<String>,
    why: String,
    started: Option<bool>,
    idempotent: bool,
}

impl Exactly {
    pub(super) fn read(trace: &RawValue) -> Self {
        serde_json::from_str(trace.get()).unwrap_or_default()
    }

    pub(super) fn remark(&self) -> Option<Remark> {
        match (self.started, self.idempotent) {
            (Some(false), _) => Some(Remark::NotStarted),
            (_, true) => Some(Remark::Idempotent),
            _ => None,
        }
    }
}

impl Told<'_> {
    pub(super) fn fault(self) -> Fault {
        let Exactly { kind, code: own, unknown, why, .. } = self.said;
        let (kind, code) = match kind_named(&kind) {
            Some(kind) => (kind, own),
            None => (self.code.map_or(FaultKind::Failed, kind_of), self.code),
        };
        let message = self.message.and_then(|text| serde_json::from_str::<String>(text.get()).ok());
        let mut fault = Fault::new(kind, message.unwrap_or_default());
        if let Some(unknown) = unknown {
            fault = fault.with_source(Unknown::new(&unknown, why_named(&why)));
        }
        if let Some(code) = code {
            fault = fault.with_code(code);
        }
        match self.data {
            Some(data) => fault.with_data(data),
            None => fault,
        }
    }
}
