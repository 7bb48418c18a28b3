//! From the members of an object to the message it is.
//!
//! The order of the checks decides what is reported when several things are
//! wrong; that all of them end in -32600 does not depend on it.

use std::borrow::Cow;

use super::decimal::Decimal;
use super::members::{self, Members, Names};
use super::scan::{MAX_DEPTH, Step};
use super::string;
use super::{
    ErrorObject, Failure, Id, Invalid, InvalidReason as Reason, Item, Message, Notification, NullId, Params,
    RawJson, Request, Rules, Success,
};

/// The six members the protocol knows; their places follow.
const NAMES: Names<6> = Names::new(["jsonrpc", "id", "method", "params", "result", "error"]);
const VERSION: usize = 0;
const ID: usize = 1;
const METHOD: usize = 2;
const PARAMS: usize = 3;
const RESULT: usize = 4;
const ERROR: usize = 5;

/// The members of a message as spelled.
pub(super) struct Envelope<'a>(Members<'a, 6>);

impl<'a> Envelope<'a> {
    /// Without members as yet.
    #[inline(always)]
    pub(super) const fn empty() -> Self {
        Self(Members::none())
    }

    /// Reads the object whose `{` is at `at`, and tells the position after it.
    #[inline(always)]
    pub(super) fn read(&mut self, text: &'a str, at: usize, rules: &Rules) -> Step {
        members::read(text, at, rules.max_depth, &NAMES, &mut self.0)
    }

    /// Tells what message it is.
    #[inline(always)]
    pub(super) fn message(&self, rules: &Rules) -> Item<'a> {
        if let Some(name) = self.0.first_repeated(&NAMES) {
            return Err(self.invalid(Reason::Repeated(name)));
        }
        let id = Id::scanned(self.0.values[ID]);
        if id.is_none() && self.has(ID) {
            return Err(self.invalid(Reason::IdType));
        }
        if !rules.any_version && !self.is_two() {
            return Err(self.invalid(Reason::Version));
        }
        if !self.has(METHOD) {
            return self.response(id).map_err(|reason| self.invalid(reason));
        }
        let Some(method) = self.text(METHOD) else {
            let is_string = self.0.values[METHOD].starts_with('"');
            return Err(self.invalid(if is_string { Reason::MethodText } else { Reason::MethodType }));
        };
        if id.as_ref().is_some_and(Id::is_too_long) {
            return Err(self.invalid(Reason::IdLength));
        }
        let params = self.0.values[PARAMS];
        let params = match params.as_bytes().first() {
            Some(b'[' | b'{') => Some(Params::trusted(Cow::Borrowed(params))),
            None => None,
            Some(_) => match unusual_params(params, rules) {
                Ok(params) => params,
                Err(reason) => return Err(self.invalid(reason)),
            },
        };
        match id {
            Some(id) if id.is_null() => match rules.null_id {
                NullId::Request => Ok(Message::Request(Request { id, method, params })),
                NullId::Notification => Ok(Message::Notification(Notification { method, params })),
                NullId::Reject => Err(self.invalid(Reason::NullId)),
            },
            Some(id) => Ok(Message::Request(Request { id, method, params })),
            None => Ok(Message::Notification(Notification { method, params })),
        }
    }

    #[inline(always)]
    fn has(&self, place: usize) -> bool {
        !self.0.values[place].is_empty()
    }

    /// The text of a member, if it is a string.
    #[inline(always)]
    fn text(&self, place: usize) -> Option<Cow<'a, str>> {
        string::text(self.0.values[place], self.0.escaped & 1 << place != 0)
    }

    #[inline(always)]
    fn is_two(&self) -> bool {
        self.0.values[VERSION] == r#""2.0""# || self.text(VERSION).is_some_and(|version| version == "2.0")
    }

    /// The response it is. `null` is as good as absent next to the other of
    /// `result` and `error`.
    #[inline]
    fn response(&self, id: Option<Id<'a>>) -> Result<Message<'a>, Reason> {
        match (self.0.values[RESULT], self.0.values[ERROR]) {
            ("", "") => Err(Reason::NoMethod),
            ("", "null") => Err(Reason::ErrorShape),
            (result, "" | "null") => {
                let id = id.ok_or(Reason::ResultWithoutId)?;
                Ok(Message::Success(Success { id, result: RawJson::trusted(Cow::Borrowed(result)) }))
            }
            ("" | "null", error) => Ok(Message::Failure(Failure::new(id, read_error(error)?))),
            _ => Err(Reason::ResultAndError),
        }
    }

    #[cold]
    fn invalid(&self, reason: Reason) -> Invalid<'a> {
        let looks_like_response = !self.has(METHOD) && (self.has(RESULT) || self.has(ERROR));
        let id = Id::scanned(self.0.values[ID]).filter(|id| !id.is_null() && self.0.repeated & 1 << ID == 0);
        Invalid {
            answers: id.clone().filter(|_| looks_like_response),
            id: id.filter(|id| self.0.repeated == 0 && !id.is_too_long()),
            reason,
            had_id: self.has(ID),
            looks_like_response,
        }
    }
}

/// What stands for parameters that are neither an array nor an object.
#[cold]
fn unusual_params<'a>(raw: &'a str, rules: &Rules) -> Result<Option<Params<'a>>, Reason> {
    match raw {
        "null" if rules.reject_null_params => Err(Reason::NullParams),
        "null" => Ok(None),
        _ if rules.wrap_scalar_params => Ok(Some(Params::trusted(Cow::Owned(format!("[{raw}]"))))),
        _ => Err(Reason::ParamsType),
    }
}

/// Reads an error object that the scanner has seen. A code is whole by value,
/// not by spelling, for there are languages that only have floats.
fn read_error(raw: &str) -> Result<ErrorObject<'_>, Reason> {
    const NAMES: Names<3> = Names::new(["code", "message", "data"]);
    if !raw.starts_with('{') {
        return Err(Reason::ErrorShape);
    }
    let mut members = Members::none();
    members::read(raw, 0, MAX_DEPTH, &NAMES, &mut members).map_err(|_| Reason::ErrorShape)?;
    let [code, message, data] = members.values;
    let message = string::text(message, members.escaped & 0b10 != 0);
    match (whole(code), message) {
        (Some(code), Some(message)) if members.repeated == 0 => {
            let data = (!data.is_empty()).then(|| RawJson::trusted(Cow::Borrowed(data)));
            Ok(ErrorObject { code, message, data })
        }
        _ => Err(Reason::ErrorShape),
    }
}

fn whole(code: &str) -> Option<i64> {
    match code.as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => Decimal::of(code).to_integer()?.try_into().ok(),
        _ => None,
    }
}
