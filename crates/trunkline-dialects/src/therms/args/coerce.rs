//! [`Types`]: what values are, and what others are changed into to be that.

use super::number;
use serde_json::Value;

/// What `type` says, and `nullable`.
#[derive(Debug)]
pub(super) struct Types {
    kinds: Vec<Kind>,
    /// The names in `type`, as they are told.
    names: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    String,
    Number,
    Integer,
    Boolean,
    Null,
    Array,
    Object,
}

impl Types {
    /// Those of these names; `None` for a name that is none.
    pub(super) fn new(names: &[&str], is_nullable: bool) -> Option<Self> {
        let mut kinds = names.iter().map(|name| Kind::named(name)).collect::<Option<Vec<_>>>()?;
        if is_nullable {
            kinds.push(Kind::Null);
        }
        Some(Self { kinds, names: names.join(",") })
    }

    /// Whether it is objects alone.
    pub(super) fn are_objects(&self) -> bool {
        self.kinds == [Kind::Object]
    }

    /// Whether there are some, and neither objects nor arrays.
    pub(super) fn are_scalars(&self) -> bool {
        !self.kinds.is_empty() && !self.kinds.iter().any(|kind| matches!(kind, Kind::Array | Kind::Object))
    }

    pub(super) fn names(&self) -> &str {
        &self.names
    }

    fn fit(&self, value: &Value) -> bool {
        self.kinds.iter().any(|kind| kind.fits(value))
    }

    /// Changes `value` into one of the types, the first that it can be changed into. If
    /// there is none it stays as it is, and that is false.
    pub(super) fn coerce(&self, value: &mut Value) -> bool {
        if self.fit(value) {
            self.tidy(value);
            return true;
        }
        let scalar = match &*value {
            Value::Array(items) => match &items[..] {
                [scalar] if !scalar.is_array() && !scalar.is_object() => scalar,
                _ => return false,
            },
            Value::Object(_) => return false,
            scalar => scalar,
        };
        let coerced = match self.fit(scalar) {
            true => Some(scalar.clone()),
            false => self.kinds.iter().find_map(|kind| kind.made_of(scalar)),
        };
        let Some(coerced) = coerced else { return false };
        *value = coerced;
        self.tidy(value);
        true
    }

    /// Writes `1.0` as `1` where integers are meant: to JavaScript they are one, to the
    /// types of Rust they are not.
    fn tidy(&self, value: &mut Value) {
        if let Value::Number(number) = value
            && number.is_f64()
            && self.kinds.contains(&Kind::Integer)
            && let Some(tidied) = number::tidied(number::of(number))
        {
            *number = tidied;
        }
    }
}

impl Kind {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::String,
            "number" => Self::Number,
            "integer" => Self::Integer,
            "boolean" => Self::Boolean,
            "null" => Self::Null,
            "array" => Self::Array,
            "object" => Self::Object,
            _ => return None,
        })
    }

    fn fits(self, value: &Value) -> bool {
        match value {
            Value::String(_) => self == Self::String,
            Value::Number(number) => {
                self == Self::Number || self == Self::Integer && number::is_whole(number)
            }
            Value::Bool(_) => self == Self::Boolean,
            Value::Null => self == Self::Null,
            Value::Array(_) => self == Self::Array,
            Value::Object(_) => self == Self::Object,
        }
    }

    /// What a scalar of another kind is changed into.
    fn made_of(self, scalar: &Value) -> Option<Value> {
        match (self, scalar) {
            (Self::String, Value::Number(number)) => Some(number::text(number).into()),
            (Self::String, Value::Bool(it)) => Some(it.to_string().into()),
            (Self::String, Value::Null) => Some("".into()),
            (Self::Number | Self::Integer, Value::Bool(it)) => Some(u8::from(*it).into()),
            (Self::Number | Self::Integer, Value::Null) => Some(0.into()),
            (Self::Number | Self::Integer, Value::String(text)) => {
                number::read(text).map(Value::Number).filter(|number| self.fits(number))
            }
            (Self::Boolean, Value::String(text)) => text.parse::<bool>().ok().map(Value::Bool),
            (Self::Boolean, Value::Null) => Some(false.into()),
            (Self::Boolean, Value::Number(number)) => match number::of(number) {
                0.0 => Some(false.into()),
                1.0 => Some(true.into()),
                _ => None,
            },
            (Self::Null, scalar) => super::is_falsy(scalar).then_some(Value::Null),
            (Self::Array, scalar) => Some(vec![scalar.clone()].into()),
            _ => None,
        }
    }
}
