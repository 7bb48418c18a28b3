//! A catalog as JSON, as programs tell it each other.
//!
//! What is not known is passed over, and so is a procedure that cannot be read: who reads
//! may be of another version than who writes.

use super::{Catalog, Entry, Items};
use crate::{
    fault::{Fault, FaultKind},
    registration::Details,
    signature::Signature,
};
use schemars::Schema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, value::RawValue};
use std::{borrow::Cow, sync::Arc, time::Duration};

#[derive(Deserialize, Serialize)]
struct Spelled<E> {
    #[serde(default = "Vec::new")]
    procedures: Vec<E>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    definitions: Map<String, Value>,
}

/// A procedure. What is left out is nothing, `false`, or the schema of anything.
#[derive(Deserialize, Serialize)]
#[serde(default)]
struct Procedure {
    name: Box<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deprecated: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "is_false")]
    internal: bool,
    #[serde(skip_serializing_if = "is_false")]
    notification: bool,
    #[serde(skip_serializing_if = "is_false")]
    idempotent: bool,
    #[serde(skip_serializing_if = "is_false")]
    ordered: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<Failure>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u64>,
    #[serde(skip_serializing_if = "is_anything")]
    args: Schema,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    positions: Vec<Cow<'static, str>>,
    #[serde(skip_serializing_if = "is_anything")]
    result: Schema,
    /// Each item of the stream that it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    incoming: Option<Schema>,
    /// What goes by names of its own where `result` is each item of a stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<Stream>,
}

#[derive(Deserialize, Serialize)]
struct Failure {
    kind: FaultKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<i64>,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
}

#[derive(Deserialize, Serialize)]
struct Stream {
    name: Box<str>,
    unsubscribe: Box<str>,
}

impl Serialize for Catalog {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let procedures: Vec<_> = self.procedures.iter().map(Procedure::from).collect();
        Spelled { procedures, definitions: self.definitions.clone() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Catalog {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Spelled { procedures, definitions } = Spelled::<Box<RawValue>>::deserialize(from)?;
        let read = |spelled: Box<RawValue>| serde_json::from_str::<Procedure>(spelled.get()).ok();
        let procedures = procedures.into_iter().filter_map(read).map(Entry::from).collect();
        Ok(Self { procedures, definitions })
    }
}

impl Default for Procedure {
    fn default() -> Self {
        Self::from(&Entry {
            name: "".into(),
            details: Arc::default(),
            timeout: None,
            signature: Signature::default(),
            stream: None,
        })
    }
}

impl From<&Entry> for Procedure {
    fn from(Entry { name, details, timeout, signature, stream }: &Entry) -> Self {
        Self {
            name: name.clone(),
            description: details.description.clone(),
            version: details.version.clone(),
            deprecated: details.deprecated.clone(),
            internal: details.internal,
            notification: details.notification,
            idempotent: details.idempotent,
            ordered: details.ordered,
            faults: details.faults.iter().map(Failure::from).collect(),
            groups: details.groups.clone(),
            timeout_ms: timeout.map(|timeout| timeout.as_millis().try_into().unwrap_or(u64::MAX)),
            args: signature.args.clone(),
            positions: signature.positions.clone(),
            result: signature.result.clone(),
            incoming: signature.stream.clone(),
            stream: stream.clone().map(|Items { name, unsubscribe }| Stream { name, unsubscribe }),
        }
    }
}

impl From<Procedure> for Entry {
    fn from(spelled: Procedure) -> Self {
        let details = Details {
            description: spelled.description,
            version: spelled.version,
            deprecated: spelled.deprecated,
            internal: spelled.internal,
            notification: spelled.notification,
            idempotent: spelled.idempotent,
            ordered: spelled.ordered,
            faults: spelled.faults.into_iter().map(Fault::from).collect(),
            groups: spelled.groups,
            ..Details::default()
        };
        let signature = Signature {
            args: spelled.args,
            positions: spelled.positions,
            result: spelled.result,
            stream: spelled.incoming,
        };
        Self {
            name: spelled.name,
            details: Arc::new(details),
            timeout: spelled.timeout_ms.map(Duration::from_millis),
            signature,
            stream: spelled.stream.map(|Stream { name, unsubscribe }| Items { name, unsubscribe }),
        }
    }
}

impl From<&Fault> for Failure {
    fn from(fault: &Fault) -> Self {
        let (kind, code, message) = (fault.kind(), fault.code(), fault.message().to_owned());
        Self { kind, code, message, data: fault.data() }
    }
}

impl From<Failure> for Fault {
    fn from(Failure { kind, code, message, data }: Failure) -> Self {
        let mut fault = Self::new(kind, message);
        if let Some(code) = code {
            fault = fault.with_code(code);
        }
        if let Some(data) = data {
            fault = fault.with_data(data);
        }
        fault
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

fn is_anything(schema: &Schema) -> bool {
    *schema == true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Router, handler::handler};
    use schemars::JsonSchema;
    use serde_json::json;

    #[derive(serde::Deserialize, serde::Serialize, JsonSchema)]
    struct Team {
        members: Vec<User>,
    }

    #[derive(serde::Deserialize, serde::Serialize, JsonSchema)]
    struct User {
        id: u64,
        #[serde(default)]
        name: String,
    }

    async fn rename(team: Team) -> Result<Vec<User>, Fault> {
        Ok(team.members)
    }

    fn router() -> Router {
        let full = Fault::new(FaultKind::Unavailable, "full").with_code(7).with_data(["lobby"]);
        let rename = handler(rename)
            .description("Renames.")
            .deprecated("call it otherwise")
            .idempotent()
            .group("users")
            .data("secret", "for this program only")
            .fault(full)
            .timeout(Duration::from_millis(1500));
        let ticks = async |user: User| futures_util::stream::iter([user.id]);
        Router::new().procedure("users.rename", rename).procedure("ticks", handler(ticks).ordered())
    }

    #[test]
    fn what_is_told_comes_back() {
        let catalog = router().catalog();
        let told = serde_json::to_string(&catalog).unwrap();
        assert!(!told.contains("secret"), "{told}");
        let heard: Catalog = serde_json::from_str(&told).unwrap();
        assert_eq!(heard.json_schema(), catalog.json_schema());
        for (mut entry, heard) in catalog.procedures.into_iter().zip(heard.procedures) {
            Arc::make_mut(&mut entry.details).data.clear();
            assert_eq!(heard, entry);
        }
    }

    #[test]
    fn what_cannot_be_read_is_passed_over() {
        let told = json!({
            "later": 1,
            "procedures": [{"name": "a", "later": {}}, {"name": 7}, {"name": "b", "args": 7}, {"name": "c"}],
        });
        let heard: Catalog = serde_json::from_value(told).unwrap();
        assert_eq!(heard.procedures.iter().map(|entry| &*entry.name).collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(heard.procedures[0].signature, Signature::default());
    }
}
