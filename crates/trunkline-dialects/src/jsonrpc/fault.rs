//! Faults as JSON-RPC error objects, and back.

use super::{ErrorObject, code, write};
use serde::Deserialize;
use serde_json::value::RawValue;
use trunkline_core::{Fault, FaultKind};

/// What the caller gave up on the deadline for, or the listener did.
const DEADLINE_EXCEEDED: i64 = -32001;
/// The caller has not shown who it is.
const UNAUTHENTICATED: i64 = -32002;
/// The caller may not do this.
const FORBIDDEN: i64 = -32003;
/// The caller has done this too often of late; the code is that of EIP-1474.
const RATE_LIMITED: i64 = -32005;

/// Appends the reply to call `id` that carries `fault`.
pub(super) fn write_reply(out: &mut Vec<u8>, id: &str, fault: &Fault, plain_code: i64) {
    write::failure(out, Some(id), code_told(fault, plain_code), fault.message(), fault.raw_data());
}

/// Appends `fault` as an error object.
pub(super) fn write_object(out: &mut Vec<u8>, fault: &Fault, plain_code: i64) {
    write::error(out, code_told(fault, plain_code), fault.message(), fault.raw_data());
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
        FaultKind::Unauthenticated => UNAUTHENTICATED,
        FaultKind::Forbidden => FORBIDDEN,
        FaultKind::RateLimited => RATE_LIMITED,
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
        UNAUTHENTICATED => FaultKind::Unauthenticated,
        FORBIDDEN => FaultKind::Forbidden,
        RATE_LIMITED => FaultKind::RateLimited,
        code::SERVER_BUSY => FaultKind::Unavailable,
        code::REQUEST_CANCELLED => FaultKind::Cancelled,
        DEADLINE_EXCEEDED => FaultKind::DeadlineExceeded,
        code::REQUEST_TOO_BIG | code::BATCH_TOO_LARGE => FaultKind::RequestTooLarge,
        code::RESPONSE_TOO_BIG => FaultKind::ReplyTooLarge,
        _ => FaultKind::Failed,
    }
}
