//! [`Reply`]: a reply as it was spelled, which must be well formed whatever is expected of it.

use serde::{
    Deserialize,
    de::{Deserializer, MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};
use std::fmt;

/// A well-formed reply.
pub(crate) struct Reply<'t> {
    /// The id, as it was spelled.
    pub(crate) id: &'t str,
    /// The result, as it was spelled, or the error.
    pub(crate) outcome: Result<&'t str, ReplyError>,
}

/// A well-formed error object.
#[derive(Debug)]
pub(crate) struct ReplyError {
    pub(crate) code: i64,
    pub(crate) message: String,
    pub(crate) data: Option<Value>,
}

impl<'t> Reply<'t> {
    /// Reads a reply and checks its form: the version, an id that can be one,
    /// either a result or an error, no member twice.
    pub(crate) fn read(text: &'t str) -> Result<Self, String> {
        let malformed = |what: &str| format!("{what}: {}", cut(text));
        let mut members = Members::read(text).map_err(|error| malformed(&error))?;
        if members.take("jsonrpc") != Some("\"2.0\"") {
            return Err(malformed("a reply without \"jsonrpc\":\"2.0\""));
        }
        let id = members.take("id").ok_or_else(|| malformed("a reply without id"))?;
        if !id.starts_with(['"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) && id != "null" {
            return Err(malformed("a reply whose id cannot be one"));
        }
        let outcome = match (members.take("result"), members.take("error")) {
            (Some(result), None) => Ok(result),
            (None, Some(error)) => Err(ReplyError::read(error).map_err(|error| malformed(&error))?),
            _ => return Err(malformed("a reply has either result or error")),
        };
        members.nothing_left().map_err(|error| malformed(&error))?;
        Ok(Self { id, outcome })
    }
}

impl ReplyError {
    fn read(text: &str) -> Result<Self, String> {
        let mut members = Members::read(text)?;
        let code = members.take("code").and_then(|code| code.parse().ok());
        let message = members.take("message").and_then(|message| serde_json::from_str(message).ok());
        let data = members.take("data").and_then(|data| serde_json::from_str(data).ok());
        members.nothing_left()?;
        Ok(Self {
            code: code.ok_or("an error without an integer code")?,
            message: message.ok_or("an error without a message")?,
            data,
        })
    }
}

/// The elements of a batch reply, each as it was spelled.
pub(crate) fn elements(text: &str) -> Result<Vec<&str>, String> {
    let elements: Vec<&RawValue> =
        serde_json::from_str(text).map_err(|error| format!("no array ({error}): {}", cut(text)))?;
    Ok(elements.into_iter().map(RawValue::get).collect())
}

/// The beginning of a text, for messages.
pub(crate) fn cut(text: &str) -> String {
    let end = text.char_indices().nth(200).map_or(text.len(), |(at, _)| at);
    if end < text.len() { format!("{}…", &text[..end]) } else { text.to_owned() }
}

/// The members of an object in their order, repeated ones included.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'t> Members<'t> {
    /// Fails if a name is repeated.
    fn read(text: &'t str) -> Result<Self, String> {
        let members: Self = serde_json::from_str(text).map_err(|error| format!("no object ({error})"))?;
        let mut names: Vec<&String> = members.0.iter().map(|(name, _)| name).collect();
        names.sort();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("the member `{}` twice", pair[0])),
            None => Ok(members),
        }
    }

    fn take(&mut self, name: &str) -> Option<&'t str> {
        let at = self.0.iter().position(|(member, _)| member == name)?;
        Some(self.0.swap_remove(at).1.get())
    }

    fn nothing_left(&self) -> Result<(), String> {
        match self.0.first() {
            Some((name, _)) => Err(format!("a foreign member `{name}`")),
            None => Ok(()),
        }
    }
}

impl<'de: 't, 't> Deserialize<'de> for Members<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(InOrder).map(Self)
    }
}
