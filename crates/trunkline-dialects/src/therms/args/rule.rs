//! [`Schema`] and [`Rule`]: a schema as it is applied, its rules in their order.

use super::{coerce::Types, text::Text};
use serde_json::{Number, Value};
use std::{cmp::Ordering, collections::HashSet};

/// Which of all schemas in a schema.
pub(super) type Part = usize;

/// One of the schemas in a schema.
#[derive(Debug)]
pub(super) enum Schema {
    /// Takes everything, or nothing.
    Any(bool),
    /// Rules, of which the first that is broken is told.
    Rules(Vec<Rule>),
}

/// What one or two keywords say.
#[derive(Debug)]
pub(super) enum Rule {
    Type(Types),
    /// One that refers on is a beginning of its own: nothing of the alternatives around
    /// it is known in there.
    Ref {
        part: Part,
        is_apart: bool,
    },
    Const(Value),
    Enum(Vec<Value>),
    Not(Part),
    AnyOf(Vec<Part>),
    OneOf(Vec<Part>),
    AllOf(Vec<Part>),
    If {
        condition: Part,
        then: Option<Part>,
        otherwise: Option<Part>,
    },

    Range(Bound, Number),
    MultipleOf(Number),

    MaxLength(usize),
    MinLength(usize),
    /// A pattern or a format, and what is told of text that is not so.
    Text(Text, String),

    ItemDefaults(Vec<Option<Value>>),
    MaxItems(usize),
    MinItems(usize),
    /// Of those from this one on.
    Rest(usize, Part),
    Items(Part),
    Tuple(Vec<Part>),
    Contains(Part),
    Unique {
        /// What is in it is of types that are neither objects nor arrays. Then another
        /// two of those that are equal are told.
        scalars: bool,
    },

    Defaults(Vec<(String, Value)>),
    MaxProperties(usize),
    MinProperties(usize),
    Required(Vec<String>),
    PropertyNames(Part),
    Additional {
        listed: HashSet<String>,
        patterns: Vec<Text>,
        /// `None`: they are removed.
        part: Option<Part>,
    },
    NeedsNames(String, Vec<String>),
    NeedsSchema(String, Part),
    Properties(Vec<(String, Part)>),
    PatternProperties(Vec<(Text, Part)>),
}

impl Rule {
    /// Whether it is about values of all types, but is not their type.
    pub(super) fn is_of_any_type(&self) -> bool {
        matches!(
            self,
            Self::Ref { .. }
                | Self::Const(_)
                | Self::Enum(_)
                | Self::Not(_)
                | Self::AnyOf(_)
                | Self::OneOf(_)
                | Self::AllOf(_)
                | Self::If { .. }
        )
    }
}

/// What a number must be, compared to another.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bound {
    AtMost,
    AtLeast,
    Below,
    Above,
}

impl Bound {
    pub(super) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::AtMost => ordering.is_le(),
            Self::AtLeast => ordering.is_ge(),
            Self::Below => ordering.is_lt(),
            Self::Above => ordering.is_gt(),
        }
    }

    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::AtMost => "<=",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::Above => ">",
        }
    }
}
