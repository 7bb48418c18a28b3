//! From the members of an object to the message it is.
//!
//! The order of the checks decides what is reported when several things are
//! wrong; that all of them end in -32600 does not depend on it.

use std::borrow::Cow;

use super::decimal::Decimal;
use super::not_json::NotJson;
use super::scan::{self, Token};
use super::{
    ErrorObject, Failure, Id, Invalid, InvalidReason as Reason, Item, Message, Notification, NullId, Params,
    RawJson, Request, Rules, Success,
};

/// Reads the object whose `{` is at `at`, and tells the position after it.
#[inline(always)]
pub(super) fn message<'a>(text: &'a str, at: usize, rules: &Rules) -> Result<(Item<'a>, usize), NotJson> {
    let mut members = Members::default();
    let end = scan::members(text, at, rules.max_depth, |name, value| members.see(name, value))?;
    Ok((members.message(rules), end))
}

/// The six members the protocol knows.
#[derive(Default)]
struct Members<'a> {
    version: Option<Token<'a>>,
    id: Option<Token<'a>>,
    method: Option<Token<'a>>,
    params: Option<Token<'a>>,
    result: Option<Token<'a>>,
    error: Option<Token<'a>>,
    repeated: Option<&'static str>,
    repeated_id: bool,
}

impl<'a> Members<'a> {
    #[inline(always)]
    fn see(&mut self, name: Token<'a>, value: Token<'a>) {
        // A name with a lone surrogate is none of ours.
        let Some(name) = name.text() else { return };
        let (slot, name) = match &*name {
            "jsonrpc" => (&mut self.version, "jsonrpc"),
            "id" => (&mut self.id, "id"),
            "method" => (&mut self.method, "method"),
            "params" => (&mut self.params, "params"),
            "result" => (&mut self.result, "result"),
            "error" => (&mut self.error, "error"),
            _ => return,
        };
        if slot.replace(value).is_some() {
            self.repeated = Some(name);
            self.repeated_id |= name == "id";
        }
    }

    #[inline(always)]
    fn message(self, rules: &Rules) -> Item<'a> {
        self.checked(rules).map_err(|reason| self.invalid(reason))
    }

    #[inline(always)]
    fn checked(&self, rules: &Rules) -> Result<Message<'a>, Reason> {
        if let Some(name) = self.repeated {
            return Err(Reason::Repeated(name));
        }
        let id = match self.id {
            Some(id) => Some(Id::scanned(id.raw).ok_or(Reason::IdType)?),
            None => None,
        };
        if !rules.any_version && !self.version.is_some_and(is_two) {
            return Err(Reason::Version);
        }
        match self.method {
            Some(method) => self.call(id, method, rules),
            None => self.response(id),
        }
    }

    #[inline(always)]
    fn call(&self, id: Option<Id<'a>>, method: Token<'a>, rules: &Rules) -> Result<Message<'a>, Reason> {
        let Some(method) = method.text() else {
            return Err(if method.raw.starts_with('"') { Reason::MethodText } else { Reason::MethodType });
        };
        let params = match self.params {
            Some(params) => read_params(params.raw, rules)?,
            None => None,
        };
        match id {
            Some(id) if id.is_null() => match rules.null_id {
                NullId::Request => Ok(Message::Request(Request { id, method, params })),
                NullId::Notification => Ok(Message::Notification(Notification { method, params })),
                NullId::Reject => Err(Reason::NullId),
            },
            Some(id) => Ok(Message::Request(Request { id, method, params })),
            None => Ok(Message::Notification(Notification { method, params })),
        }
    }

    /// `null` is as good as absent next to the other of `result` and `error`.
    #[inline]
    fn response(&self, id: Option<Id<'a>>) -> Result<Message<'a>, Reason> {
        let error = self.error.filter(|error| error.raw != "null");
        match (self.result, error) {
            (Some(result), Some(_)) if result.raw != "null" => Err(Reason::ResultAndError),
            (_, Some(error)) => Ok(Message::Failure(Failure::new(id, read_error(error.raw)?))),
            (Some(result), None) => {
                let id = id.ok_or(Reason::ResultWithoutId)?;
                Ok(Message::Success(Success { id, result: RawJson::trusted(Cow::Borrowed(result.raw)) }))
            }
            (None, None) if self.error.is_some() => Err(Reason::ErrorShape),
            (None, None) => Err(Reason::NoMethod),
        }
    }

    #[cold]
    fn invalid(self, reason: Reason) -> Invalid<'a> {
        let looks_like_response = self.method.is_none() && (self.result.is_some() || self.error.is_some());
        let id = self
            .id
            .filter(|_| !self.repeated_id)
            .and_then(|id| Id::scanned(id.raw))
            .filter(|id| !id.is_null());
        Invalid {
            answers: id.clone().filter(|_| looks_like_response),
            id: id.filter(|_| self.repeated.is_none()),
            reason,
            had_id: self.id.is_some(),
            looks_like_response,
        }
    }
}

#[inline(always)]
fn is_two(version: Token<'_>) -> bool {
    version.raw == "\"2.0\"" || (version.escaped && version.text().is_some_and(|text| text == "2.0"))
}

#[inline(always)]
fn read_params<'a>(raw: &'a str, rules: &Rules) -> Result<Option<Params<'a>>, Reason> {
    match raw.as_bytes().first() {
        Some(b'[' | b'{') => Ok(Some(Params::trusted(Cow::Borrowed(raw)))),
        Some(b'n') if rules.reject_null_params => Err(Reason::NullParams),
        Some(b'n') => Ok(None),
        _ if rules.wrap_scalar_params => Ok(Some(Params::trusted(Cow::Owned(format!("[{raw}]"))))),
        _ => Err(Reason::ParamsType),
    }
}

/// Reads an error object that the scanner has seen. A code is whole by value,
/// not by spelling, for there are languages that only have floats.
fn read_error(raw: &str) -> Result<ErrorObject<'_>, Reason> {
    if !raw.starts_with('{') {
        return Err(Reason::ErrorShape);
    }
    let [mut code, mut message, mut data] = [None; 3];
    let mut repeated = false;
    scan::members(raw, 0, scan::MAX_DEPTH, |name, value| {
        let slot = match name.text().as_deref() {
            Some("code") => &mut code,
            Some("message") => &mut message,
            Some("data") => &mut data,
            _ => return,
        };
        repeated |= slot.replace(value).is_some();
    })
    .map_err(|_| Reason::ErrorShape)?;
    let code = code.and_then(whole);
    let message = message.and_then(Token::text);
    match (code, message) {
        (Some(code), Some(message)) if !repeated => {
            let data = data.map(|data| RawJson::trusted(Cow::Borrowed(data.raw)));
            Ok(ErrorObject { code, message, data })
        }
        _ => Err(Reason::ErrorShape),
    }
}

fn whole(code: Token<'_>) -> Option<i64> {
    match code.raw.as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => Decimal::of(code.raw).to_integer()?.try_into().ok(),
        _ => None,
    }
}
