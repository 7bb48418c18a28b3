//! Faults as responses: their codes and messages.

use super::{request::Trace, write::Form};
use serde::Deserialize;
use std::{borrow::Cow, fmt};
use trunkline_core::{
    Fault, FaultKind, Key,
    router::{Unknown, Why},
};

/// Why a message is not a call. The messages are those of the reference server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Refusal {
    Empty,
    Unparseable,
    NoProcedure,
    Binary,
    Identity,
    AuthorizationChanged,
}

impl Refusal {
    fn message(self) -> &'static str {
        match self {
            Self::Empty => "Empty request body received",
            Self::Unparseable => "unable to parse & handle request",
            Self::NoProcedure => "unable to parse request body as a valid CallRequest",
            Self::Binary => "messages are text, and this one was binary",
            Self::Identity => {
                "identity is an object of at most 16 KiB, whose authorization and deviceName are strings, \
                 and whose metadata is an object"
            }
            Self::AuthorizationChanged => {
                "identity.authorization has changed - disconnecting websocket connection"
            }
        }
    }

    /// Appends the response that says so.
    pub(super) fn write(self, out: &mut Vec<u8>, form: &Form<'_>) {
        form.failure(out, 400, None, self.message());
    }
}

/// The code of the response that tells of a fault: its own, or by its kind, for which
/// those stand that HTTP has for the like; 501 is that of procedures that there are not.
#[must_use]
pub fn code(fault: &Fault) -> i64 {
    fault.code().unwrap_or_else(|| match fault.kind() {
        FaultKind::NotFound if is_internal(fault) => 403,
        FaultKind::NotFound => 501,
        FaultKind::InvalidRequest | FaultKind::RequestTooLarge => 400,
        FaultKind::Unauthenticated => 401,
        FaultKind::Forbidden => 403,
        FaultKind::InvalidArgs => 422,
        FaultKind::RateLimited => 429,
        FaultKind::Unavailable => 503,
        _ => 500,
    })
}

/// The kind of a failure with this code. Handlers choose codes as they like, by
/// convention as HTTP has them.
pub(super) fn kind(code: i64) -> FaultKind {
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

/// Where a call came from that has failed, as the reference server tells it.
#[derive(Clone, Copy, Debug)]
pub(super) struct By<'a> {
    pub(super) caller: &'a str,
    pub(super) internal: bool,
}

impl<'a> By<'a> {
    pub(super) fn of(trace: &'a Trace) -> Self {
        Self { caller: &trace.caller, internal: trace.internal }
    }
}

/// Appends the response that tells of a fault.
pub(super) fn write(out: &mut Vec<u8>, form: &Form<'_>, fault: &Fault, by: By<'_>) {
    // the reference server's words say all that it has to say
    let has_words = matches!(fault.kind(), FaultKind::InvalidArgs | FaultKind::DeadlineExceeded);
    let data = fault.raw_data().filter(|_| !has_words || fault.code().is_some());
    form.failure(out, code(fault), data, &message(fault, by));
}

/// What the reference server says, where it has words for it.
fn message<'f>(fault: &'f Fault, by: By<'_>) -> Cow<'f, str> {
    match fault.kind() {
        _ if fault.code().is_some() => fault.message().into(),
        FaultKind::Internal => "server handler issue".into(),
        FaultKind::DeadlineExceeded => "no response received (timed out)".into(),
        FaultKind::InvalidArgs => {
            let why = fault.data::<Violations>().map(|why| why.to_string());
            format!("\"args\" validation failed: {}", why.as_deref().unwrap_or(fault.message())).into()
        }
        FaultKind::NotFound => match Unknown::of(fault) {
            Some(unknown) => match unknown.why() {
                Why::Internal => "caller is not authorized to access this RPC".into(),
                Why::Nowhere => "no registered handlers for RPC".into(),
                _ => not_found(&Key::of(unknown.name()), by).into(),
            },
            None => fault.message().into(),
        },
        _ => fault.message().into(),
    }
}

/// What is wrong with arguments, as the fault that says so has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Violations {
    Words(String),
    Listed { violations: Vec<Violation> },
}

#[derive(Deserialize)]
struct Violation {
    path: String,
    message: String,
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => f.write_str(words),
            Self::Listed { violations } => {
                for (at, Violation { path, message }) in violations.iter().enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    let space = if path.is_empty() { "" } else { " " };
                    write!(f, "{comma}{path}{space}{message}")?;
                }
                Ok(())
            }
        }
    }
}

/// What is said of a procedure that there is not.
pub(super) fn not_found(key: &Key<'_>, By { caller, internal }: By<'_>) -> String {
    let Key { scope, procedure, version } = key;
    format!(
        "No procedure handler found for scope={scope}, procedure={procedure}, version={version}. \
         Trace info: caller={caller} internal={internal}"
    )
}

fn is_internal(fault: &Fault) -> bool {
    Unknown::of(fault).is_some_and(|unknown| unknown.why() == Why::Internal)
}
