//! [`Asked`]: what a type asks for when it decodes itself.
//!
//! A derived `Deserialize` says of itself what a schema only repeats: the fields of
//! a struct in their order, whether it refuses others, that something is an `enum`.
//! So a type is asked to decode itself from nothing, along a path into it, and what
//! it asks for there is kept as the error that ends the attempt.

use super::filler::Filler;
use serde::{
    Deserializer,
    de::{
        self, DeserializeOwned, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
        value::StrDeserializer,
    },
    forward_to_deserialize_any,
};
use std::fmt;

/// One step into a type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Step<'a> {
    /// To a field of a struct, or to what a map holds under a key.
    Member(&'a str),
    /// To an element of a list or tuple.
    Element(usize),
    /// To what is inside a variant of an enum.
    Variant(&'a str),
}

/// What a type asks for when it decodes itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Asked {
    /// For a struct with these fields, in this order; aliases are among them.
    Struct {
        /// What they are called.
        fields: &'static [&'static str],
        /// Whether it refuses to have others.
        closed: bool,
    },
    /// For one of the variants of an enum.
    Enum,
    /// For as many elements, no more and no less.
    Tuple(usize),
    /// For names of any kind, and their values.
    Map,
    /// For one character.
    Char,
    /// For something else, or it does not say.
    Other,
}

/// What an `A` asks for at the end of this path, and whether it may be `null` there.
pub(crate) fn asked<A: DeserializeOwned>(path: &[Step<'_>]) -> (Asked, bool) {
    let answer = |closing| match A::deserialize(Ask { path, closing, optional: false }) {
        Err(Told::Asked(asked, optional)) => (asked, optional),
        _ => (Asked::Other, false),
    };
    match answer(false) {
        (Asked::Struct { fields, .. }, optional) => {
            let closed = A::deserialize(Ask { path, closing: true, optional: false }).err();
            (Asked::Struct { fields, closed: matches!(closed, Some(Told::Refused)) }, optional)
        }
        other => other,
    }
}

/// Gives no value, but hears for which it is asked.
#[derive(Clone, Copy)]
struct Ask<'a> {
    path: &'a [Step<'a>],
    /// Whether a struct at the end is to be offered a field that it does not have.
    closing: bool,
    /// Whether it may be `null`, as far as is known.
    optional: bool,
}

#[derive(Debug)]
enum Told {
    Asked(Asked, bool),
    /// There is no such field.
    Refused,
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

    fn unknown_field(_field: &str, _expected: &'static [&'static str]) -> Self {
        Self::Refused
    }
}

impl<'a> Ask<'a> {
    /// At the end of the path there is an answer.
    fn told<T>(self, asked: Asked) -> Result<T, Told> {
        Err(if self.path.is_empty() { Told::Asked(asked, self.optional) } else { Told::Nothing })
    }

    /// The next step, and what is to be asked behind it.
    fn step(self) -> Option<(Step<'a>, Self)> {
        let (step, path) = self.path.split_first()?;
        Some((*step, Self { path, optional: false, ..self }))
    }
}

impl<'de> Deserializer<'de> for Ask<'_> {
    type Error = Told;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Told> {
        match self.step() {
            None if self.closing => visitor.visit_map(Only { key: Some("\0"), before: 0, behind: None }),
            None => self.told(Asked::Struct { fields, closed: false }),
            Some(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Told> {
        match self.step() {
            Some((Step::Member(key), behind)) => {
                visitor.visit_map(Only { key: Some(key), before: 0, behind: Some(behind) })
            }
            _ => self.told(Asked::Map),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Told> {
        match self.step() {
            Some((Step::Element(before), behind)) => {
                visitor.visit_seq(Only { key: None, before, behind: Some(behind) })
            }
            _ => self.told(Asked::Other),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Told> {
        if self.path.is_empty() { self.told(Asked::Tuple(len)) } else { self.deserialize_seq(visitor) }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Told> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Told> {
        match self.step() {
            Some((Step::Variant(name), behind)) => visitor.visit_enum(Variant { name, behind }),
            _ => self.told(Asked::Enum),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Told> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Told> {
        visitor.visit_some(Self { optional: true, ..self })
    }

    fn deserialize_char<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Told> {
        self.told(Asked::Char)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Told> {
        self.told(Asked::Other)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 str string bytes byte_buf unit unit_struct
        identifier ignored_any
    }
}

/// One thing in a list or a map.
struct Only<'a> {
    key: Option<&'a str>,
    /// How many others come before it, of any value.
    before: usize,
    behind: Option<Ask<'a>>,
}

impl<'de> MapAccess<'de> for Only<'_> {
    type Error = Told;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Told> {
        self.key.take().map(|key| seed.deserialize(StrDeserializer::new(key))).transpose()
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Told> {
        seed.deserialize(self.behind.take().ok_or(Told::Nothing)?)
    }
}

impl<'de> SeqAccess<'de> for Only<'_> {
    type Error = Told;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Told> {
        if let Some(before) = self.before.checked_sub(1) {
            self.before = before;
            return seed.deserialize(Filler { depth: 8 }).map(Some).map_err(|_| Told::Nothing);
        }
        self.behind.take().map(|behind| seed.deserialize(behind)).transpose()
    }
}

/// One of the variants of an enum.
struct Variant<'a> {
    name: &'a str,
    behind: Ask<'a>,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = Told;
    type Variant = Ask<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Ask<'a>), Told> {
        Ok((seed.deserialize(StrDeserializer::new(self.name))?, self.behind))
    }
}

impl<'de> VariantAccess<'de> for Ask<'_> {
    type Error = Told;

    fn unit_variant(self) -> Result<(), Told> {
        self.told(Asked::Other)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Told> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Told> {
        self.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Told> {
        self.deserialize_struct("", fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only what it asks for matters")]
    struct Join {
        room: String,
        #[serde(rename = "who", alias = "guest")]
        name: Option<Name>,
        #[serde(skip)]
        asked: u8,
        ages: Vec<[u8; 3]>,
        initial: char,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only what it asks for matters")]
    struct Name {
        first: BTreeMap<String, Colour>,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only what it asks for matters")]
    enum Colour {
        Red,
        Mixed { of: Vec<Self> },
        Named(Name),
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only what it asks for matters")]
    struct Within(Box<Option<Join>>);

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only what it asks for matters")]
    struct Flat {
        id: u8,
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    }

    const FIELDS: [&str; 5] = ["room", "guest", "who", "ages", "initial"];

    fn fields<A: DeserializeOwned>(path: &[Step<'_>]) -> Option<(&'static [&'static str], bool)> {
        match asked::<A>(path).0 {
            Asked::Struct { fields, closed } => Some((fields, closed)),
            _ => None,
        }
    }

    #[test]
    fn a_struct_tells_its_fields_in_their_order() {
        assert_eq!(fields::<Join>(&[]), Some((&FIELDS[..], false)));
        assert_eq!(fields::<Within>(&[]), Some((&FIELDS[..], false)));
        assert_eq!(fields::<Vec<Join>>(&[Step::Element(0)]), Some((&FIELDS[..], false)));
    }

    #[test]
    fn what_has_no_order_of_names_tells_none() {
        assert_eq!(asked::<(u8, u8)>(&[]), (Asked::Tuple(2), false));
        assert_eq!(asked::<Option<Flat>>(&[]), (Asked::Map, true));
        for none in [asked::<()>(&[]), asked::<Vec<Join>>(&[]), asked::<serde_json::Value>(&[])] {
            assert_eq!(none, (Asked::Other, false));
        }
    }

    #[test]
    fn a_type_is_asked_along_a_path() {
        let who = Step::Member("who");
        assert_eq!(asked::<Join>(&[who]), (Asked::Struct { fields: &["first"], closed: true }, true));
        assert_eq!(asked::<Join>(&[Step::Member("ages"), Step::Element(0)]), (Asked::Tuple(3), false));
        assert_eq!(asked::<Within>(&[Step::Member("initial")]), (Asked::Char, false));
        let colour = [who, Step::Member("first"), Step::Member("any")];
        assert_eq!(asked::<Join>(&colour), (Asked::Enum, false));
        assert_eq!(asked::<Join>(&[Step::Member("no such")]), (Asked::Other, false));
        assert_eq!(fields::<Colour>(&[Step::Variant("Mixed")]), Some((&["of"][..], false)));
        assert_eq!(fields::<Colour>(&[Step::Variant("Named")]), Some((&["first"][..], true)));
        let within = [Step::Variant("Mixed"), Step::Member("of"), Step::Element(0)];
        assert_eq!(asked::<Colour>(&within), (Asked::Enum, false));
        type Long = (Name, Vec<Colour>, Box<Option<Join>>, (bool, f32), Colour, char);
        assert_eq!(asked::<Long>(&[Step::Element(4)]), (Asked::Enum, false));
        assert_eq!(asked::<Long>(&[Step::Element(5)]), (Asked::Char, false));
    }
}
