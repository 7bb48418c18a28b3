//! [`positions`]: the names of arguments, in the order in which a list of them is read.

use serde::{
    de::{self, DeserializeOwned, Deserializer, Visitor},
    forward_to_deserialize_any,
};
use std::fmt;

/// The names of the fields of a struct, in their order, with their aliases among
/// them; none of any other type. A type tells them when it is asked to decode itself.
pub(crate) fn positions<A: DeserializeOwned>() -> &'static [&'static str] {
    match A::deserialize(Ask) {
        Err(Told::Fields(names)) => names,
        _ => &[],
    }
}

/// Gives no value, but hears for which fields it is wanted.
struct Ask;

#[derive(Debug)]
enum Told {
    Fields(&'static [&'static str]),
    Nothing,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is nothing to decode")
    }
}

impl std::error::Error for Told {}

impl de::Error for Told {
    fn custom<T: fmt::Display>(_told: T) -> Self {
        Self::Nothing
    }
}

impl<'de> Deserializer<'de> for Ask {
    type Error = Told;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Told> {
        Err(Told::Fields(fields))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Told> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Told> {
        visitor.visit_some(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Told> {
        Err(Told::Nothing)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its names matter")]
    struct Join {
        room: String,
        #[serde(rename = "who", alias = "guest")]
        name: String,
        #[serde(skip)]
        asked: u8,
        age: Option<u8>,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its names matter")]
    struct Within(Box<Option<Join>>);

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its names matter")]
    struct Flat {
        id: u8,
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    }

    #[test]
    fn a_struct_tells_its_fields_in_their_order() {
        assert_eq!(positions::<Join>(), ["room", "guest", "who", "age"]);
        assert_eq!(positions::<Within>(), positions::<Join>());
    }

    #[test]
    fn what_has_no_order_of_names_tells_none() {
        for names in [
            positions::<()>(),
            positions::<(u8, u8)>(),
            positions::<Vec<Join>>(),
            positions::<BTreeMap<String, u8>>(),
            positions::<serde_json::Value>(),
            positions::<Flat>(),
        ] {
            assert_eq!(names, [""; 0]);
        }
    }
}
