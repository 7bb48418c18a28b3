//! [`Difference`]: where trunkline does something else than an original did,
//! and the playing of what was captured of originals.

use crate::{
    compare,
    contact::{Contact, documents},
    load::{list, text},
};
use serde_json::Value;

/// Where trunkline does something else than an original did.
pub(crate) struct Difference {
    /// The vector or session.
    name: &'static str,
    /// What trunkline sends, message by message.
    sends: &'static [&'static str],
    reason: &'static str,
}

/// A row of a table of differences.
pub(crate) const fn differs(
    name: &'static str,
    sends: &'static [&'static str],
    reason: &'static str,
) -> Difference {
    Difference { name, sends, reason }
}

/// Compares all that comes with what the original sent, unless a table says
/// otherwise.
pub(crate) async fn compare_with_original(
    contact: &mut Contact,
    name: &str,
    original: &[Value],
    differences: &[Difference],
) -> Result<(), String> {
    match differences.iter().find(|difference| difference.name == name) {
        Some(Difference { sends, reason, .. }) => {
            let sends: Vec<Value> = sends.iter().map(|text| read(text)).collect();
            let outcome = compare_rest(contact, &sends).await;
            outcome.map_err(|why| format!("{why}; it differs from the original because: {reason}"))
        }
        None => compare_rest(contact, original).await,
    }
}

/// Asserts that each row of a table is about something that was played.
#[track_caller]
pub(crate) fn assert_known(differences: &[Difference], vectors: &[Value]) {
    for Difference { name, .. } in differences {
        assert!(vectors.iter().any(|vector| text(vector, "name") == *name), "nothing is named {name}");
    }
}

/// A message that a vector or a table has as text.
#[track_caller]
pub(crate) fn read(message: &str) -> Value {
    serde_json::from_str(message).unwrap_or_else(|error| panic!("{message}: {error}"))
}

/// The messages of a session that went one way.
pub(crate) fn sent<'s>(session: &'s Value, direction: &str) -> impl Iterator<Item = &'s Value> {
    list(session, "traffic").iter().filter(move |message| message["dir"] == direction)
}

/// The documents that come until nothing happens any more, one by one against
/// those expected.
pub(crate) async fn compare_rest(contact: &mut Contact, expected: &[Value]) -> Result<(), String> {
    let (arrivals, ended) = contact.until_quiet().await;
    if ended {
        return Err("the connection ended".to_owned());
    }
    compare_all(&documents(arrivals)?, expected)
}

/// Replies as replies, other messages as they are.
pub(crate) fn compare_all(got: &[String], expected: &[Value]) -> Result<(), String> {
    if got.len() != expected.len() {
        return Err(format!("{got:?} came, expected {expected:?}"));
    }
    got.iter().zip(expected).try_for_each(|(got, expected)| {
        let is_reply =
            expected.is_array() || (expected.get("id").is_some() && expected.get("method").is_none());
        match is_reply {
            true => compare::document(expected, got),
            false if compare::spells(expected, got) => Ok(()),
            false => Err(format!("{got}, expected {expected}")),
        }
    })
}
