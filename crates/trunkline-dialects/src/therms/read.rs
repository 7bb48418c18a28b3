//! [`Message`]: what a client has said, as far as it is any of our business.

use super::fault::Refusal;
use crate::jsonrpc::{each_member, is_json};
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::value::RawValue;
use std::borrow::Cow;
use trunkline_core::key::{FIRST, GLOBAL};

/// The members of a message, each as it is spelled. That of another node has a `trace`,
/// which is read as `T`; what clients say of it does not count.
#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct Message<'f, T = IgnoredAny> {
    #[serde(borrow, default, deserialize_with = "spelled")]
    procedure: Option<&'f str>,
    #[serde(borrow, default, deserialize_with = "spelled")]
    scope: Option<&'f str>,
    #[serde(borrow, default, deserialize_with = "spelled")]
    version: Option<&'f str>,
    #[serde(borrow, default, deserialize_with = "spelled")]
    pub(super) args: Option<&'f str>,
    #[serde(borrow, default, deserialize_with = "spelled")]
    pub(super) identity: Option<&'f str>,
    #[serde(borrow, default, rename = "correlationId", deserialize_with = "spelled")]
    correlation: Option<&'f str>,
    #[serde(borrow, default, rename = "clientMessage", deserialize_with = "spelled")]
    pub(super) client_message: Option<&'f str>,
    #[serde(default)]
    pub(super) trace: Option<T>,
}

/// The parts of a procedure's name.
#[derive(Debug)]
pub(super) struct Parts<'f> {
    pub(super) scope: Cow<'f, str>,
    pub(super) procedure: Cow<'f, str>,
    pub(super) version: Cow<'f, str>,
}

/// Reads a message, which is nested no deeper than `max_depth`.
pub(super) fn read(text: &str, max_depth: usize) -> Result<Message<'_>, Refusal> {
    let text = text.trim_ascii();
    match text.as_bytes().first() {
        None => Err(Refusal::Empty),
        Some(b'{') => members(text, max_depth),
        Some(_) if !is_json(text, max_depth) => Err(Refusal::Unparseable),
        Some(b'[') => match serde_json::from_str::<Vec<IgnoredAny>>(text) {
            Ok(items) if items.is_empty() => Err(Refusal::Empty),
            Ok(_) => Err(Refusal::NoProcedure),
            Err(_) => Err(Refusal::Unparseable),
        },
        Some(_) => Err(Refusal::Unparseable),
    }
}

/// Reads a message of a client, in one pass: most of what a gateway hears is this.
fn members(text: &str, max_depth: usize) -> Result<Message<'_>, Refusal> {
    let (mut message, mut trace) = (Message::default(), None);
    let (mut count, mut is_repeated) = (0, false);
    each_member(text, max_depth, |name, value| {
        count += 1;
        let member = match &*name {
            "procedure" => &mut message.procedure,
            "scope" => &mut message.scope,
            "version" => &mut message.version,
            "args" => &mut message.args,
            "identity" => &mut message.identity,
            "correlationId" => &mut message.correlation,
            "clientMessage" => &mut message.client_message,
            "trace" => &mut trace,
            _ => return,
        };
        is_repeated |= member.replace(value).is_some();
    })
    .filter(|()| !is_repeated)
    .ok_or(Refusal::Unparseable)?;
    if count == 0 { Err(Refusal::Empty) } else { Ok(message) }
}

impl<'f, T> Message<'f, T> {
    /// What its answer is to be known by, if that is truthy.
    pub(super) fn correlation(&self) -> Option<&'f str> {
        self.correlation.filter(|id| is_truthy(id))
    }

    /// The procedure that it calls, if it calls any.
    pub(super) fn parts(&self) -> Result<Option<Parts<'f>>, Refusal> {
        let Some(procedure) = self.procedure.filter(|name| is_truthy(name)) else { return Ok(None) };
        let or = |part: Option<&'f str>, default: &'static str| match part.filter(|part| is_truthy(part)) {
            None => Some(Cow::Borrowed(default)),
            Some(part) => text(part),
        };
        let version = match self.version {
            // some clients say which version with a number
            Some(number) if number.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
                Some(Cow::Borrowed(if is_truthy(number) { number } else { FIRST }))
            }
            version => or(version, FIRST),
        };
        match (text(procedure), or(self.scope, GLOBAL), version) {
            (Some(procedure), Some(scope), Some(version)) => Ok(Some(Parts { scope, procedure, version })),
            _ => Err(Refusal::NoProcedure),
        }
    }
}

/// Whether JavaScript takes a value for true.
pub(crate) fn is_truthy(json: &str) -> bool {
    match json {
        "null" | "false" | "\"\"" => false,
        number if number.starts_with(['-', '0']) => number.parse() != Ok(0.0),
        _ => true,
    }
}

/// The text that a JSON string says, if it is one.
pub(super) fn text(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(json).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// A member that is there, also one that is null.
fn spelled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de str>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(|raw| Some(raw.get()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*, sample::select};

    /// Texts that are messages, or nearly so.
    fn nearly_a_message() -> impl Strategy<Value = String> {
        let piece = select(vec![
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            " ",
            "\"",
            "1",
            "-0",
            "null",
            "true",
            "\"a\"",
            "\"\\ud800\"",
            "\"procedure\":",
            "\"scop\\u0065\":",
            "\"scope\":\"s\",",
            "\"trace\":{},",
            "\"args\":[1,{\"a\":2}]",
            "\"x\":[[",
            "]],",
            "\"correlationId\":7",
            "\"clientMessage\":\"ü\",",
        ]);
        vec(piece, 0..8).prop_map(|pieces| format!("{{{}}}", pieces.concat()))
    }

    proptest! {
        /// What reads the requests of nodes is the measure.
        #[test]
        fn a_message_of_a_client_is_read_as_one_of_a_node(text in nearly_a_message()) {
            let expected = serde_json::from_str::<Message<'_>>(&text).ok().filter(|_| is_json(&text, 3));
            let members = |message: Message<'_>| {
                let Message { procedure, scope, version, args, identity, correlation, client_message, .. } = message;
                [procedure, scope, version, args, identity, correlation, client_message].map(|it| it.map(str::to_owned))
            };
            match (read(&text, 3), expected) {
                (Ok(read), Some(expected)) => prop_assert_eq!(members(read), members(expected)),
                (Err(Refusal::Empty), _) => prop_assert_eq!(text[1..].trim_ascii_start(), "}"),
                (Err(_), expected) => prop_assert!(expected.is_none(), "{} is not read", text),
                (Ok(read), None) => prop_assert!(false, "{} is read as {:?}", text, read),
            }
        }
    }
}
