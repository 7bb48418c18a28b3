//! What the code refers to that the macros make. None of it is for anybody else:
//! it may change with any version.

mod inside;
mod lent;
mod plain;

pub use self::{
    inside::{Inside, NoError},
    lent::{Lender, Lent},
    plain::plain,
};
pub use futures_core::Stream;
pub use serde;

use crate::{Extract, schemars};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize, Serializer, de::DeserializeOwned};
use std::{borrow::Cow, fmt, marker::PhantomData};

/// The error in a `Result`, by whatever alias.
pub trait ResultOf {
    /// What may be in place of a value.
    type Err;
}

impl<T, E> ResultOf for Result<T, E> {
    type Err = E;
}

/// What can travel between a service and its clients.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel between a service and its clients",
    label = "cannot travel",
    note = "what travels derives `serde::Serialize`, `serde::Deserialize` and `schemars::JsonSchema`,",
    note = "or is in `trunkline::Open`; both sides share the type, so it needs all of them;",
    note = "it is `Send`, `Sync` and `'static` besides; what comes bit by bit is written `impl Stream<Item = T>`",
    note = "a parameter that does not travel, such as a `Peer`, is marked: `#[extract] peer: Peer`",
    note = "a `Result` is written out, or called `Result`: an alias of another name is taken for a value"
)]
pub trait Travels: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static> Travels for T {}

/// What can be taken from a call.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not something that a call has",
    label = "not an extractor",
    note = "`#[extract]` marks what does not travel: `Peer`, `Context`, `State<T>`, `Headers`, …;",
    note = "an argument that callers give is not marked"
)]
pub trait Extracted: Extract + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Extract + Send + 'static> Extracted for T {}

/// What has a message for callers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no message for callers",
    label = "no message",
    note = "say one of each of its errors, `#[fault(\"the room is full\")]`,",
    note = "or implement `Display`, as thiserror does, to have its text told"
)]
pub trait Message {
    /// What callers are told.
    fn message(&self) -> String;
}

#[diagnostic::do_not_recommend]
impl<E: fmt::Display> Message for E {
    fn message(&self) -> String {
        self.to_string()
    }
}

/// Asks whether a type can travel.
pub fn travels<T: Travels>() {}

/// Asks whether a type can be extracted.
pub fn extracted<T: Extracted>() {}

/// Asks whether a type can belong to a fault.
pub fn told<T: Told>() {}

/// What can belong to a fault.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be told to callers",
    label = "cannot be told",
    note = "the fields of a fault derive `serde::Serialize` and `serde::Deserialize`;",
    note = "an error that is none of the callers' business is marked: `#[fault(internal)]`"
)]
pub trait Told: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Told for T {}

/// Tells a `Result` from other types, by whatever alias.
#[derive(Debug)]
pub struct Probe<T>(PhantomData<T>);

impl<T, E> Probe<Result<T, E>> {
    /// It is a `Result`.
    pub const CHECKED: () = panic!(
        "this is a `Result` by another name, which callers would be sent as a value: \
         write it as `Result<T, E>`"
    );
}

/// What is not a `Result`.
pub trait NoResult {
    /// It is not a `Result`.
    const CHECKED: () = ();
}

impl<T> NoResult for Probe<T> {}

/// The arguments of a method without any; newer callers may send more.
#[derive(Debug, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "clients make it")]
pub struct NoArgs {}

impl Serialize for NoArgs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl JsonSchema for NoArgs {
    fn schema_name() -> Cow<'static, str> {
        "NoArgs".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        false.into()
    }
}
