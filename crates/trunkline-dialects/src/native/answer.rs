//! Answers, written and read.

use super::{
    ID,
    fields::{END, Input, field, text},
};
use crate::{
    jsonrpc::is_json,
    therms::{why, why_named},
};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::borrow::Cow;
use trunkline_core::{
    CowPayload, Fault, FaultKind, Payload,
    envelope::{Answered, Remark},
    router::Unknown,
};

/// How an answer begins.
const ANSWER: u8 = 0x82;

const FAULT: u8 = 0x01;
const NOT_STARTED: u8 = 0x02;
const IDEMPOTENT: u8 = 0x04;

/// Where it is said what it is.
const KIND_AT: usize = 1 + ID;

const KIND: u8 = 1;
const CODE: u8 = 2;
const MESSAGE: u8 = 3;
const DATA: u8 = 4;
const UNKNOWN: u8 = 5;
const WHY: u8 = 6;

/// Appends what stands before a result.
pub(super) fn success(out: &mut Vec<u8>, id: &[u8; ID]) {
    head(out, id, 0);
}

/// Appends the answer that tells of a fault.
pub(super) fn failure(out: &mut Vec<u8>, id: &[u8; ID], fault: &Fault) {
    head(out, id, FAULT);
    // each has a name
    field(out, KIND, &serde_json::to_vec(&fault.kind()).unwrap_or_default());
    if let Some(code) = fault.code() {
        field(out, CODE, &code.to_le_bytes());
    }
    field(out, MESSAGE, fault.message().as_bytes());
    if let Some(data) = fault.raw_data() {
        field(out, DATA, data.as_bytes());
    }
    if let Some(unknown) = Unknown::of(fault) {
        field(out, UNKNOWN, unknown.name().as_bytes());
        field(out, WHY, why(unknown.why()).as_bytes());
    }
    out.push(END);
}

fn head(out: &mut Vec<u8>, id: &[u8; ID], kind: u8) {
    out.push(ANSWER);
    out.extend_from_slice(id);
    out.push(kind);
}

/// Says more of an answer.
pub(super) fn remark(answer: &mut [u8], remark: Remark) {
    if let Some(kind) = answer.get_mut(KIND_AT) {
        *kind |= match remark {
            Remark::NotStarted => NOT_STARTED,
            Remark::Idempotent => IDEMPOTENT,
        };
    }
}

/// Reads an answer; `None` if it is none.
pub(super) fn read(body: &[u8]) -> Option<Answered<'_>> {
    let mut input = Input(body);
    if input.byte()? != ANSWER {
        return None;
    }
    let id = Cow::Borrowed(text(input.array::<ID>()?)?);
    let kind = input.byte()?;
    let remark = match kind & !FAULT {
        0 => None,
        NOT_STARTED => Some(Remark::NotStarted),
        IDEMPOTENT => Some(Remark::Idempotent),
        _ => return None,
    };
    let outcome = match kind & FAULT {
        0 => Ok(CowPayload::Borrowed(Payload::Json(result(input.0)?))),
        _ => Err(fault(input)?),
    };
    Some(Answered { id, outcome, remark })
}

/// A result, which goes on to others as it is: so it must be what it says.
fn result(written: &[u8]) -> Option<&str> {
    let result = text(written)?;
    let is_result = match result.strip_prefix('\0') {
        None => is_value(result),
        Some(parts) => is_coded(parts),
    };
    is_result.then_some(result)
}

/// The parts of a result that has more than its data.
fn is_coded(parts: &str) -> bool {
    let mut parts = parts.split('\0');
    let (Some(code), Some(message), Some(data), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    code.parse::<i64>().is_ok_and(|number| itoa::Buffer::new().format(number) == code)
        && (message.is_empty() || (message.starts_with('"') && is_value(message)))
        && (data.is_empty() || is_value(data))
}

/// Whether it is JSON, however deep: a result is told to whoever asked, as it is where it
/// is called in one process.
fn is_value(text: &str) -> bool {
    // looks at most results for half as long, but does not go on at any depth
    is_json(text, usize::MAX) || serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fn fault(mut input: Input<'_>) -> Option<Fault> {
    let (mut kind, mut message) = (FaultKind::Failed, "");
    let (mut code, mut data, mut unknown, mut reason) = (None, None, None, "");
    let mut number = END;
    loop {
        let (next, value) = input.field(number)?;
        number = next;
        match number {
            END => break,
            KIND => kind = serde_json::from_slice(value).unwrap_or(kind),
            CODE => code = Some(i64::from_le_bytes(value.try_into().ok()?)),
            MESSAGE => message = text(value)?,
            DATA => data = Some(text(value)?),
            UNKNOWN => unknown = Some(text(value)?),
            WHY => reason = text(value)?,
            _ => {}
        }
    }
    if !input.0.is_empty() {
        return None;
    }
    let mut fault = Fault::new(kind, message.to_owned());
    if let Some(unknown) = unknown {
        fault = fault.with_source(Unknown::new(unknown, why_named(reason)));
    }
    if let Some(code) = code {
        fault = fault.with_code(code);
    }
    Some(match data {
        Some(data) => fault.with_data(serde_json::from_str::<&RawValue>(data).ok()?),
        None => fault,
    })
}
