//! [`Signature`]: what a procedure takes and gives.

use schemars::Schema;
use std::borrow::Cow;

/// What a procedure takes and gives, as far as it knows.
///
/// ```
/// # use trunkline_core::{Router, schema::Schemas};
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Subtract { minuend: i64, subtrahend: i64 }
///
/// async fn subtract(of: Subtract) -> i64 { of.minuend - of.subtrahend }
///
/// let router = Router::new().procedure("subtract", subtract);
/// let signature = router.find("subtract").unwrap().signature(&mut Schemas::default());
/// assert_eq!(signature.args.pointer("/properties/minuend/type").unwrap(), "integer");
/// assert_eq!(signature.positions, ["minuend", "subtrahend"]);
/// assert_eq!(signature.result.get("type").unwrap(), "integer");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Signature {
    /// What it takes: an object by name, or an array by position; `false` if nothing.
    pub args: Schema,
    /// The names of its arguments, in the order in which an array of them is read.
    /// Aliases may be among them; arguments without names have none.
    pub positions: Vec<Cow<'static, str>>,
    /// What it gives.
    pub result: Schema,
    /// Each item of the stream that it takes of its caller, if it takes one.
    pub stream: Option<Schema>,
}

/// Takes and gives anything.
impl Default for Signature {
    fn default() -> Self {
        Self::new(true.into(), true.into())
    }
}

impl Signature {
    /// Takes and gives this, its arguments only by name.
    #[must_use]
    pub fn new(args: Schema, result: Schema) -> Self {
        Self { args, positions: Vec::new(), result, stream: None }
    }

    /// Takes arguments by position too, in this order.
    #[must_use]
    pub fn positions(mut self, names: &'static [&'static str]) -> Self {
        self.positions = names.iter().copied().map(Cow::Borrowed).collect();
        self
    }
}
