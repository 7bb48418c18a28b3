//! [`Identity`]: who a client says that it is.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::{fmt, sync::Arc};
use trunkline_core::{Context, Credentials};

/// As many bytes an identity may have: one is kept for each connection.
const MOST: usize = 16 << 10;

/// Who a client says that it is, in its own words. Nobody has checked that, unless the
/// server has a [`Security`](trunkline_core::Security): who that has found the caller to
/// be is a [`trunkline_core::Identity`].
#[derive(Clone, Eq, PartialEq)]
pub struct Identity(Arc<Map<String, Value>>);

impl Identity {
    /// Reads an identity: an object of at most 16 KiB.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.len() > MOST { None } else { Self::passed(text) }
    }

    /// The same of what another node passes on, which has looked at how long it was.
    pub(crate) fn passed(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(|members| Self(Arc::new(members)))
    }

    /// What a client shows that has no word for it in its own language: the bearer token that
    /// came with its HTTP request, or with that for its WebSocket, if it is of 8 KiB at most.
    pub(crate) fn shown(context: &Context) -> Option<Self> {
        let (headers, extensions) = (context.connection().headers(), context.extensions());
        let credentials = Credentials::Request { headers, extensions };
        let token = credentials.bearer().filter(|token| token.len() <= MOST / 2)?;
        let authorization = Value::String(token.into_owned());
        Some(Self(Arc::new(Map::from_iter([("authorization".to_owned(), authorization)]))))
    }

    /// Whether its members are of the types that the protocol has for them; those that
    /// are falsy are as good as absent.
    pub(super) fn is_well_formed(&self) -> bool {
        let texts = ["authorization", "deviceName"].map(|name| self.truthy(name));
        texts.into_iter().flatten().all(Value::is_string)
            && self.truthy("metadata").is_none_or(Value::is_object)
    }

    fn truthy(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| match value {
            Value::Null | Value::Bool(false) => false,
            Value::Number(number) => number.as_f64() != Some(0.0),
            Value::String(text) => !text.is_empty(),
            _ => true,
        })
    }

    /// By what it is to be known, such as a JSON Web Token.
    #[must_use]
    pub fn authorization(&self) -> Option<&str> {
        self.truthy("authorization")?.as_str()
    }

    /// What the client calls the device that it runs on.
    #[must_use]
    pub fn device_name(&self) -> Option<&str> {
        self.truthy("deviceName")?.as_str()
    }

    /// What else the client says of itself.
    #[must_use]
    pub fn metadata(&self) -> Option<&Map<String, Value>> {
        self.truthy("metadata")?.as_object()
    }

    /// All of it.
    #[must_use]
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl Serialize for Identity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Not what it says, which may be secret.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}
