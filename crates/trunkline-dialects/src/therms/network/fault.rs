//! Faults as codes and messages, and back.

use crate::jsonrpc::write::string;
use serde::Deserialize;
use serde_json::value::RawValue;
use trunkline_core::{Fault, FaultKind, envelope::Remark};

/// The kinds, as they are told to nodes that ask for them.
const KINDS: [(FaultKind, &str); 15] = [
    (FaultKind::Failed, "failed"),
    (FaultKind::InvalidArgs, "invalid-args"),
    (FaultKind::NotFound, "not-found"),
    (FaultKind::InvalidRequest, "invalid-request"),
    (FaultKind::Unauthenticated, "unauthenticated"),
    (FaultKind::Forbidden, "forbidden"),
    (FaultKind::RateLimited, "rate-limited"),
    (FaultKind::Internal, "internal"),
    (FaultKind::Unavailable, "unavailable"),
    (FaultKind::Cancelled, "cancelled"),
    (FaultKind::DeadlineExceeded, "deadline-exceeded"),
    (FaultKind::RequestTooLarge, "request-too-large"),
    (FaultKind::ReplyTooLarge, "reply-too-large"),
    (FaultKind::Disconnected, "disconnected"),
    (FaultKind::InvalidReply, "invalid-reply"),
];

/// What a process of the original is told of a fault: its own words, where it has some.
pub(super) fn message(fault: &Fault) -> &str {
    match fault.kind() {
        FaultKind::Internal => "server handler issue",
        FaultKind::DeadlineExceeded => "no response received (timed out)",
        _ => fault.message(),
    }
}

/// Appends which kind a fault is of, and whether its code is its own.
pub(super) fn write_kind(fault: &Fault, out: &mut Vec<u8>) {
    if let Some((_, name)) = KINDS.iter().find(|(kind, _)| *kind == fault.kind()) {
        out.extend_from_slice(br#","kind":"#);
        string(out, name);
    }
    if let Some(code) = fault.code() {
        out.extend_from_slice(br#","code":"#);
        out.extend_from_slice(itoa::Buffer::new().format(code).as_bytes());
    }
}

/// What a response says of a fault.
pub(super) struct Told<'a> {
    pub(super) code: Option<&'a RawValue>,
    pub(super) data: Option<&'a RawValue>,
    pub(super) message: Option<&'a RawValue>,
    pub(super) said: Said,
}

/// What it says of itself to those who understand it.
#[derive(Default, Deserialize)]
pub(super) struct Said {
    kind: Option<String>,
    code: Option<i64>,
    started: Option<bool>,
    #[serde(default)]
    idempotent: bool,
}

impl Said {
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
        let Said { kind, code: own, .. } = self.said;
        let code = self.code.and_then(|code| serde_json::from_str::<i64>(code.get()).ok());
        let kind = kind.and_then(|name| KINDS.iter().find(|(_, known)| *known == name));
        let (kind, code) = match kind {
            Some((kind, _)) => (*kind, own),
            None => (code.map_or(FaultKind::Failed, kind_of), code),
        };
        let message = self.message.and_then(|text| serde_json::from_str::<String>(text.get()).ok());
        let mut fault = Fault::new(kind, message.unwrap_or_default());
        if let Some(code) = code {
            fault = fault.with_code(code);
        }
        match self.data {
            Some(data) => fault.with_data(data),
            None => fault,
        }
    }
}

/// What a code says that handlers choose as they like, by convention as HTTP has them.
fn kind_of(code: i64) -> FaultKind {
    match code {
        401 => FaultKind::Unauthenticated,
        403 => FaultKind::Forbidden,
        422 => FaultKind::InvalidArgs,
        429 => FaultKind::RateLimited,
        501 => FaultKind::NotFound,
        503 => FaultKind::Unavailable,
        _ => FaultKind::Failed,
    }
}
