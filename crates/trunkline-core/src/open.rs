//! [`Open`]: a value of a type that is not described.

use crate::{fault::Fault, payload::OwnedPayload, reply::IntoReply};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use std::borrow::Cow;

/// A value of a type that is not described: its schema admits anything.
///
/// For arguments and results whose types are somebody else's, or which are better
/// described by hand, by [`args_schema`](crate::Registration::args_schema) and
/// [`result_schema`](crate::Registration::result_schema). As a reply it needs no `Result`.
///
/// ```
/// # use trunkline_core::{Open, Router};
/// #[derive(serde::Deserialize, serde::Serialize)]
/// struct Foreign { weight: f64 }
///
/// let router = Router::new()
///     .procedure("weigh", async |Open(thing): Open<Foreign>| thing.weight)
///     .procedure("double", async |Open(thing): Open<Foreign>| Open(Foreign { weight: 2.0 * thing.weight }));
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(transparent)]
#[expect(clippy::exhaustive_structs, reason = "it is what it holds")]
pub struct Open<T>(pub T);

impl<T: Serialize> IntoReply for Open<T> {
    type Value = Self;

    fn into_reply(self) -> Result<Self, Fault> {
        Ok(self)
    }
}

/// What is of any shape.
macro_rules! anything {
    ($([$($generics:tt)*] $type:ty),*) => {
        $(
            impl<$($generics)*> JsonSchema for $type {
                fn schema_name() -> Cow<'static, str> {
                    "Anything".into()
                }

                fn inline_schema() -> bool {
                    true
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    true.into()
                }
            }
        )*
    };
}

anything!([T] Open<T>, [] OwnedPayload);
