//! Responses, as they are read by who has asked.

use super::{
    fault::{Said, Told},
    request::some,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use trunkline_core::{Payload, envelope::Answered};

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

/// Reads the answer to a request; `None` if it is none.
pub(super) fn read(body: &str) -> Option<Answered<'_>> {
    let Message { request, response } = serde_json::from_str(body).ok()?;
    let Response { code, data, message, success, trace } = response;
    let said = trace.map(Said::read).unwrap_or_default();
    let remark = said.remark();
    let outcome = match success.is_some_and(|success| success.get() == "true") {
        true => Ok(Payload::Json(data.map_or("null", RawValue::get))),
        false => Err(Told { code, data, message, said }.fault()),
    };
    Some(Answered { id: request.trace.id, outcome, remark })
}
