//! [`decode_short`]: a list of arguments of which the last ones were left out.
//!
//! The list is decoded into a struct as if its elements had been named, so what
//! may be left out by name may be left out by position too, and what may not is
//! known by its name. In a tuple an `Option` may be left out.
//!
//! serde tells the names of fields with their aliases among them. Behind a field
//! that has any, arguments are refused; none is taken for that of another field.

use crate::payload::Payload;
use serde::{
    Deserialize,
    de::{
        self, DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
        value::StrDeserializer,
    },
    forward_to_deserialize_any,
};
use serde_json::value::RawValue;
use std::{fmt, slice, vec};

/// As many arguments may be given where others are left out.
const MOST: usize = 32;

/// Why arguments do not fit, even if some were left out.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    /// One is missing that may not be left out.
    #[error("missing {0}")]
    Missing(String),
    /// Something else is wrong, which the strict reading has told already.
    #[error("not a list of which the end was left out")]
    Otherwise,
}

impl de::Error for Unfit {
    fn custom<T: fmt::Display>(_told: T) -> Self {
        Self::Otherwise
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(format!("argument `{field}`"))
    }
}

/// Decodes a list of arguments of which the last ones were left out.
pub(super) fn decode_short<A: DeserializeOwned>(args: Payload<'_>) -> Result<A, Unfit> {
    args.decode().map_err(|_| Unfit::Otherwise).and_then(A::deserialize::<Short<'_>>)
}

/// The elements of a list, each of them still encoded.
struct Short<'a>(Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for Short<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements;

        impl<'de> Visitor<'de> for Elements {
            type Value = Short<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of no more than {MOST} arguments")
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Short<'de>, S::Error> {
                let mut given = Vec::new();
                while given.len() < MOST {
                    match list.next_element()? {
                        Some(element) => given.push(element),
                        None => return Ok(Short(given)),
                    }
                }
                match list.next_element::<IgnoredAny>()? {
                    Some(_) => Err(de::Error::invalid_length(MOST + 1, &self)),
                    None => Ok(Short(given)),
                }
            }
        }

        deserializer.deserialize_seq(Elements)
    }
}

impl<'de> Deserializer<'de> for Short<'de> {
    type Error = Unfit;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        match self.0.len() < fields.len() {
            true => visitor.visit_map(Named { given: self.0.into_iter(), fields: fields.iter() }),
            false => Err(Unfit::Otherwise),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Unfit> {
        match self.0.len() < len {
            true => visitor.visit_seq(Counted { given: self.0.into_iter(), at: 0, len }),
            false => Err(Unfit::Otherwise),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Unfit> {
        Err(Unfit::Otherwise)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq map enum identifier ignored_any
    }
}

/// Arguments under the names of the fields in whose order they came.
struct Named<'a> {
    given: vec::IntoIter<&'a RawValue>,
    fields: slice::Iter<'static, &'static str>,
}

impl<'de> MapAccess<'de> for Named<'de> {
    type Error = Unfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unfit> {
        let field = self.fields.next().filter(|_| self.given.len() > 0);
        field.map(|field| seed.deserialize(StrDeserializer::new(field))).transpose()
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Unfit> {
        seed.deserialize(self.given.next().ok_or(Unfit::Otherwise)?).map_err(|_| Unfit::Otherwise)
    }
}

/// Arguments without names, and behind them places for those that were left out.
struct Counted<'a> {
    given: vec::IntoIter<&'a RawValue>,
    at: usize,
    len: usize,
}

impl<'de> SeqAccess<'de> for Counted<'de> {
    type Error = Unfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unfit> {
        if self.at == self.len {
            return Ok(None);
        }
        self.at += 1;
        match self.given.next() {
            Some(given) => seed.deserialize(given).map_err(|_| Unfit::Otherwise),
            None => seed.deserialize(Absent { at: self.at, len: self.len }),
        }
        .map(Some)
    }
}

/// The place of an argument that was left out, as an `Option` may be.
struct Absent {
    at: usize,
    len: usize,
}

impl<'de> Deserializer<'de> for Absent {
    type Error = Unfit;

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_none()
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Unfit> {
        Err(Unfit::Missing(format!("argument {} of {}", self.at, self.len)))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::Cell, collections::BTreeMap};

    #[derive(Deserialize, Debug, PartialEq)]
    struct Page {
        of: String,
        from: Option<u64>,
        #[serde(default)]
        most: u64,
        #[serde(rename = "by")]
        sorted: Option<serde_json::Value>,
    }

    #[derive(Deserialize, Debug, PartialEq)]
    struct Within(Page);

    fn page(of: &str, from: Option<u64>, most: u64) -> Page {
        Page { of: of.into(), from, most, sorted: None }
    }

    #[track_caller]
    fn fits<A: DeserializeOwned + PartialEq + fmt::Debug>(args: &str, expected: A) {
        assert_eq!(decode_short::<A>(Payload::Json(args)).unwrap(), expected);
    }

    #[track_caller]
    fn refused<A: DeserializeOwned + fmt::Debug>(args: &str, expected: Option<&str>) {
        let missing = match decode_short::<A>(Payload::Json(args)).unwrap_err() {
            missing @ Unfit::Missing(_) => Some(missing.to_string()),
            Unfit::Otherwise => None,
        };
        assert_eq!(missing.as_deref(), expected);
    }

    #[test]
    fn what_may_be_left_out_by_name_may_be_left_out_by_position() {
        fits(r#"["a"]"#, page("a", None, 0));
        fits(r#"["a",7]"#, page("a", Some(7), 0));
        fits(r#"["a",null,9]"#, page("a", None, 9));
        refused::<Page>(r#"["a",null,9,[]]"#, None);
        refused::<Page>("[]", Some("missing argument `of`"));
        refused::<Page>("[1]", None);
        refused::<Page>("{}", None);
        fits(r#"["a"]"#, Some(page("a", None, 0)));
        fits(r#"["a",7]"#, Within(page("a", Some(7), 0)));
        fits("[1]", (1u8, None::<u8>, None::<u8>));
        fits("[]", (None::<u8>,));
        refused::<(u8, Option<u8>, u8)>("[1]", Some("missing argument 3 of 3"));
        refused::<(u8, serde_json::Value)>("[1]", Some("missing argument 2 of 2"));
    }

    #[test]
    fn only_what_has_a_length_can_be_short() {
        refused::<Vec<u8>>("[]", None);
        refused::<String>("[]", None);
        refused::<BTreeMap<String, u8>>("[]", None);
        refused::<serde_json::Value>("[]", None);
        refused::<Option<u8>>("[]", None);
    }

    #[test]
    fn an_alias_shifts_no_argument_to_another_field() {
        #[derive(Deserialize, Debug, PartialEq)]
        struct Renamed {
            #[serde(alias = "new")]
            old: u8,
            next: Option<u8>,
            last: Option<u8>,
        }
        fits("[1]", Renamed { old: 1, next: None, last: None });
        refused::<Renamed>("[1,2]", None);
    }

    #[test]
    fn a_long_list_is_not_taken_apart() {
        thread_local!(static SEEN: Cell<usize> = const { Cell::new(0) });
        #[derive(Debug)]
        struct Counts;
        impl<'de> Deserialize<'de> for Counts {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                SEEN.set(SEEN.get() + 1);
                IgnoredAny::deserialize(deserializer).map(|_| Self)
            }
        }
        let list = |len: usize| format!("[{}]", vec!["1"; len].join(","));
        refused::<[Counts; 32]>(&list(MOST), None);
        refused::<(Counts, Counts)>(&list(MOST + 1), None);
        refused::<(Counts, Counts)>(&list(100_000), None);
        assert_eq!(SEEN.get(), 0);
    }
}
