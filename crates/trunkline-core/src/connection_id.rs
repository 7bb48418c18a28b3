//! [`ConnectionId`]: tells a connection from all others, of any server.

use crate::{fault::Fault, reply::IntoReply};
use rand::random;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{borrow::Cow, fmt, str::FromStr, sync::LazyLock};

/// Tells a connection from all others, of any server; never used again.
///
/// It is spelled as a UUID of version 4, in which 60 random bits are those of the
/// [server](Self::holder) that holds the connection, so that others know whom to ask for
/// it, and 62 its own: who knows one id cannot guess another.
///
/// ```
/// # use trunkline_core::{Connection, ConnectionId};
/// let id = Connection::new("websocket", "jsonrpc").id();
/// assert_eq!(id.to_string().parse(), Ok(id));
/// assert!("17".parse::<ConnectionId>().is_err());
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId {
    holder: Holder,
    own: u64,
}

/// A server, as the ids of the connections that it holds name it: 16 hexadecimal digits.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Holder(u64);

/// Where UUIDs have their version, in their first half; that of random ones.
const VERSION: (u64, u64) = (0xf000, 0x4000);
/// Where they have their variant, in their second half; that of RFC 9562, section 4.1.
const VARIANT: (u64, u64) = (0xc000_0000_0000_0000, 0x8000_0000_0000_0000);

/// In place of the server where there is none.
static NOBODY: LazyLock<Holder> = LazyLock::new(Holder::new);

fn marked(bits: u64, (mask, mark): (u64, u64)) -> u64 {
    bits & !mask | mark
}

impl ConnectionId {
    /// The id of a new connection, which no server holds.
    pub(crate) fn new() -> Self {
        Self { holder: *NOBODY, own: marked(random(), VARIANT) }
    }

    /// Whether a server holds the connection, or has held it: those of clients, and of
    /// single requests over HTTP, are held by none.
    #[must_use]
    pub fn is_held(self) -> bool {
        self.holder != *NOBODY
    }

    /// The same of a connection that this server holds.
    pub(crate) fn held_by(self, holder: Holder) -> Self {
        Self { holder, ..self }
    }

    /// The server that holds the connection, if [any does](Self::is_held).
    #[must_use]
    pub fn holder(self) -> Holder {
        self.holder
    }

    /// The bytes of the UUID.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.holder.0) << 64 | u128::from(self.own)).to_be_bytes()
    }

    /// The id of these bytes, if they are those of one.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        let both = u128::from_be_bytes(bytes);
        // each has its half of the bits
        #[expect(clippy::cast_possible_truncation, reason = "the upper half is the other's")]
        let (first, own) = ((both >> 64) as u64, both as u64);
        let is_one = first == marked(first, VERSION) && own == marked(own, VARIANT);
        is_one.then_some(Self { holder: Holder(first), own })
    }
}

impl Holder {
    /// Names a server; no other has this name.
    #[must_use]
    pub fn new() -> Self {
        Self(marked(random(), VERSION))
    }
}

impl Default for Holder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Which of the 36 characters of a UUID are dashes.
fn is_dash(at: usize) -> bool {
    matches!(at, 8 | 13 | 18 | 23)
}

// Ids are written and read with each call between servers, so both are done by hand.
impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut halves = [self.holder.0, self.own];
        let mut text = [b'-'; 36];
        for at in (0..text.len()).rev().filter(|at| !is_dash(*at)) {
            let half = &mut halves[usize::from(at > 18)];
            text[at] = DIGITS[(*half & 15) as usize];
            *half >>= 4;
        }
        // digits and dashes
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is no [`ConnectionId`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the id of a connection is a UUID of version 4, such as 919108f7-52d1-4320-9bac-f847db4148a8")]
pub struct NoConnectionId;

impl FromStr for ConnectionId {
    type Err = NoConnectionId;

    fn from_str(text: &str) -> Result<Self, NoConnectionId> {
        let text: &[u8; 36] = text.as_bytes().try_into().map_err(|_| NoConnectionId)?;
        let mut bits = 0_u128;
        for (at, byte) in text.iter().enumerate() {
            match char::from(*byte).to_digit(16) {
                _ if is_dash(at) && *byte == b'-' => {}
                Some(digit) if !is_dash(at) => bits = bits << 4 | u128::from(digit),
                _ => return Err(NoConnectionId),
            }
        }
        Self::from_bytes(bits.to_be_bytes()).ok_or(NoConnectionId)
    }
}

impl Serialize for ConnectionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ConnectionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'_, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl IntoReply for ConnectionId {
    type Value = Self;

    fn into_reply(self) -> Result<Self, Fault> {
        Ok(self)
    }
}

impl JsonSchema for ConnectionId {
    fn schema_name() -> Cow<'static, str> {
        "ConnectionId".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "uuid"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_random_uuids_that_tell_who_holds_the_connection() {
        let (one, other) = (Holder::new(), Holder::new());
        assert_ne!(one, other);
        let ids: HashSet<_> = (0..1000).map(|_| ConnectionId::new().held_by(one)).collect();
        assert_eq!(ids.len(), 1000);
        for id in ids {
            let spelled = id.to_string();
            assert!(spelled.replace('-', "").starts_with(&one.to_string()), "{spelled} of {one}");
            assert_eq!((&spelled[14..15], "89ab".contains(&spelled[19..20])), ("4", true), "{spelled}");
            assert_eq!(serde_json::from_value::<ConnectionId>(serde_json::json!(id)).unwrap(), id);
            assert_eq!(spelled.to_uppercase().parse(), Ok(id));
            let bytes = id.to_bytes();
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!((digits, ConnectionId::from_bytes(bytes)), (spelled.replace('-', ""), Some(id)));
            let other_version = bytes.map(|byte| byte ^ 0xff);
            assert_eq!(ConnectionId::from_bytes(other_version), None);
        }
    }

    #[test]
    fn what_is_no_such_id_is_none() {
        let good = "919108f7-52d1-4320-9bac-f847db4148a8";
        assert!(good.parse::<ConnectionId>().is_ok());
        let bad = [
            "",
            "1",
            "919108f7-52d1-4320-9bac-f847db4148a",
            "919108f7-52d1-4320-9bac-f847db4148a8 ",
            "919108f7-52d1-1320-9bac-f847db4148a8",
            "919108f7-52d1-4320-cbac-f847db4148a8",
            "919108f752d143209bacf847db4148a8----",
            "+19108f7-52d1-4320-9bac-f847db4148a8",
            "ü19108f-52d1-4320-9bac-f847db4148a8",
        ];
        for text in bad {
            assert_eq!(text.parse::<ConnectionId>(), Err(NoConnectionId), "{text}");
        }
    }
}
