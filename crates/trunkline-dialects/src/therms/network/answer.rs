//! Responses, as they are read by who has asked.

use super::exactly::{Exactly, Told};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use trunkline_core::{CowPayload, OwnedPayload, Payload, envelope::Answered, response::Written};

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    request: Request<'a>,
    #[serde(borrow)]
    response: Response<'a>,
}

/// What is repeated of the request, as far as it matters.
#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    trace: Trace<'a>,
}

#[derive(Deserialize)]
struct Trace<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    key: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow, default)]
    code: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "some")]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    success: Option<&'a RawValue>,
    #[serde(borrow, default)]
    trace: Option<&'a RawValue>,
}

/// A value that may be null, which is not the same as absent.
fn some<'de, D: Deserializer<'de>>(value: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(value).map(Some)
}

/// Reads the answer to a request; `None` if it is none.
pub(super) fn read(body: &str) -> Option<Answered<'_>> {
    let Message { request: Request { trace: Trace { id, key } }, response } =
        serde_json::from_str(body).ok()?;
    let Response { code, data, message, success, trace } = response;
    let said = trace.map(Exactly::read).unwrap_or_default();
    let remark = said.remark();
    let code = code.and_then(|code| serde_json::from_str(code.get()).ok());
    let outcome = match success.is_some_and(|success| success.get() == "true") {
        true => Ok(value(code, message, data)),
        false => Err(Told { code, data, message, said }.fault()),
    };
    Some(Answered { id: key.unwrap_or(id), outcome, remark })
}

/// What a success says: just its data, if that is all.
fn value<'b>(code: Option<i64>, message: Option<&RawValue>, data: Option<&'b RawValue>) -> CowPayload<'b> {
    let message = message.map(RawValue::get).filter(|message| message.starts_with('"'));
    match (code, message, data) {
        (None | Some(200), None, Some(data)) => CowPayload::Borrowed(Payload::Json(data.get())),
        _ => {
            let mut coded = Vec::new();
            let code = itoa::Buffer::new().format(code.unwrap_or(200)).to_owned();
            Written { code: &code, message, data: data.map(RawValue::get) }.write(&mut coded);
            // all of its parts are text
            let coded = String::from_utf8(coded).unwrap_or_default();
            CowPayload::Owned(OwnedPayload::Json(coded.into()))
        }
    }
}
