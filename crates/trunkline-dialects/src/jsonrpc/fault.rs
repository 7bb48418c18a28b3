//! Faults as JSON-RPC error objects, and back.

use super::{ErrorObject, code, write};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use trunkline_core::{Fault, FaultKind};

/// What the caller gave up on the deadline for, or the listener did.
const DEADLINE_EXCEEDED: i64 = -32001;
/// The caller may not do this.
const FORBIDDEN: i64 = -32003;

/// Appends the reply to call `id` that carries `fault`.
pub(super) fn write_reply(out: &mut Vec<u8>, id: &str, fault: &Fault, plain_code: i64, expose: bool) {
    let (code, message) = told(fault, plain_code, expose);
    write::failure(out, Some(id), code, &message, fault.raw_data());
}

/// Appends `fault` as an error object.
pub(super) fn write_object(out: &mut Vec<u8>, fault: &Fault, plain_code: i64, expose: bool) {
    let (code, message) = told(fault, plain_code, expose);
    write::error(out, code, &message, fault.raw_data());
}

/// The code and the message that the caller is told.
fn told(fault: &Fault, plain_code: i64, expose: bool) -> (i64, Cow<'_, str>) {
    let code = code_told(fault, plain_code);
    let hidden =
        (expose && fault.kind() == FaultKind::Internal).then(|| std::error::Error::source(fault)).flatten();
    let message = match hidden {
        Some(source) => Cow::Owned(source.to_string()),
        None => Cow::Borrowed(fault.message()),
    };
    (code, message)
}

/// The code that callers are told of a fault.
pub(super) fn code_told(fault: &Fault, plain_code: i64) -> i64 {
    fault.code().unwrap_or_else(|| code_of(fault.kind(), plain_code))
}

fn code_of(kind: FaultKind, plain_code: i64) -> i64 {
    match kind {
        FaultKind::NotFound => code::METHOD_NOT_FOUND,
        FaultKind::InvalidArgs => code::INVALID_PARAMS,
        FaultKind::InvalidRequest => code::INVALID_REQUEST,
        FaultKind::Internal => code::INTERNAL_ERROR,
        FaultKind::Forbidden => FORBIDDEN,
        FaultKind::Unavailable => code::SERVER_BUSY,
        FaultKind::Cancelled => code::REQUEST_CANCELLED,
        FaultKind::DeadlineExceeded => DEADLINE_EXCEEDED,
        FaultKind::RequestTooLarge => code::REQUEST_TOO_BIG,
        FaultKind::ReplyTooLarge => code::RESPONSE_TOO_BIG,
        _ => plain_code,
    }
}

/// What an error reply tells its caller.
pub(super) fn read(error: ErrorObject<'_>) -> Fault {
    let kind = kind_of(error.code);
    let fault = Fault::new(kind, error.message.into_owned()).with_code(error.code);
    match error.data.map(|data| data.decode::<Box<RawValue>>()) {
        Some(Ok(data)) => fault.with_data(data),
        _ => fault,
    }
}

/// What is told of a stream that breaks off: an error object, or, as some servers
/// have it, just a text.
pub(super) fn read_loosely(error: &str) -> Fault {
    #[derive(Deserialize)]
    struct Object {
        code: i64,
        message: String,
        data: Option<Box<RawValue>>,
    }
    if let Ok(Object { code, message, data }) = serde_json::from_str(error) {
        let fault = Fault::new(kind_of(code), message).with_code(code);
        return match data {
            Some(data) => fault.with_data(data),
            None => fault,
        };
    }
    Fault::from(serde_json::from_str(error).unwrap_or_else(|_| error.to_owned()))
}

fn kind_of(code: i64) -> FaultKind {
    match code {
        code::METHOD_NOT_FOUND => FaultKind::NotFound,
        code::INVALID_PARAMS => FaultKind::InvalidArgs,
        code::INVALID_REQUEST | code::PARSE_ERROR => FaultKind::InvalidRequest,
        code::INTERNAL_ERROR => FaultKind::Internal,
        FORBIDDEN => FaultKind::Forbidden,
        code::SERVER_BUSY => FaultKind::Unavailable,
        code::REQUEST_CANCELLED => FaultKind::Cancelled,
        DEADLINE_EXCEEDED => FaultKind::DeadlineExceeded,
        code::REQUEST_TOO_BIG | code::BATCH_TOO_LARGE => FaultKind::RequestTooLarge,
        code::RESPONSE_TOO_BIG => FaultKind::ReplyTooLarge,
        _ => FaultKind::Failed,
    }
}
