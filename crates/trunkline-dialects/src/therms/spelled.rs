//! [`again`]: arguments that were changed, as they were spelled.

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Value, value::RawValue};
use std::{collections::HashSet, fmt};

/// The text of `changed`, which `given` has become: members in the order in which they
/// were given, those that are new behind them; and what is as it was in the digits and the
/// escapes that it was given in.
pub(super) fn again(given: &str, changed: &Value) -> String {
    let mut out = String::with_capacity(given.len());
    let read = Spell { changed, out: &mut out }.deserialize(&mut serde_json::Deserializer::from_str(given));
    if read.is_err() {
        // it was read before
        out = changed.to_string();
    }
    out
}

/// Appends a value, at the place of what it was.
struct Spell<'a> {
    changed: &'a Value,
    out: &'a mut String,
}

impl Spell<'_> {
    fn write(&mut self, value: &Value) {
        self.out.push_str(&value.to_string());
    }
}

impl<'de> DeserializeSeed<'de> for Spell<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, from: D) -> Result<(), D::Error> {
        if matches!(self.changed, Value::Array(_) | Value::Object(_)) {
            return from.deserialize_any(self);
        }
        let was = <&RawValue>::deserialize(from)?;
        match serde_json::from_str::<Value>(was.get()) {
            Ok(value) if value == *self.changed => self.out.push_str(was.get()),
            _ => self.write(self.changed),
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Spell<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut from: A) -> Result<(), A::Error> {
        let Some(members) = self.changed.as_object() else {
            while from.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return self.other();
        };
        let mut written = HashSet::new();
        let mut separator = '{';
        while let Some(name) = from.next_key::<String>()? {
            let Some((name, changed)) =
                members.get_key_value(&name).filter(|(name, _)| !written.contains(name))
            else {
                from.next_value::<IgnoredAny>()?;
                continue;
            };
            written.insert(name);
            self.name(separator, name);
            separator = ',';
            from.next_value_seed(Spell { changed, out: self.out })?;
        }
        for (name, value) in members.iter().filter(|(name, _)| !written.contains(name)) {
            self.name(separator, name);
            separator = ',';
            self.write(value);
        }
        self.out.push_str(if separator == '{' { "{}" } else { "}" });
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut from: A) -> Result<(), A::Error> {
        let Some(items) = self.changed.as_array() else {
            while from.next_element::<IgnoredAny>()?.is_some() {}
            return self.other();
        };
        self.out.push('[');
        for (at, changed) in items.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            if from.next_element_seed(Spell { changed, out: self.out })?.is_none() {
                self.write(changed);
            }
        }
        while from.next_element::<IgnoredAny>()?.is_some() {}
        self.out.push(']');
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.other()
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.other()
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.other()
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.other()
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.other()
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.other()
    }
}

impl Spell<'_> {
    fn name(&mut self, separator: char, name: &str) {
        self.out.push(separator);
        self.write(&name.into());
        self.out.push(':');
    }

    /// It was something else before.
    fn other<E>(mut self) -> Result<(), E> {
        self.write(self.changed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::therms::args::ArgsSchema;
    use serde_json::json;

    #[test]
    fn what_is_not_changed_is_spelled_as_it_was() {
        let schema = json!({
            "type": "object",
            "properties": {
                "a": {"type": "string"}, "list": {"type": "array", "items": {"type": "number"}},
                "d": {"default": 7}, "o": {"type": "object", "additionalProperties": false},
                "s": {"type": "integer"},
            },
        });
        let schema = ArgsSchema::compile(&schema).unwrap();
        for (given, expected) in [
            ("{}", r#"{"d":7}"#),
            (
                r#"{ "z": 1.50, "a": 1.50, "b": [1.0, {"y":2,"x":"\u0041"}] }"#,
                r#"{"z":1.50,"a":"1.5","b":[1.0,{"y":2,"x":"\u0041"}],"d":7}"#,
            ),
            (
                r#"{"n":123456789012345678901234567890,"list":2.50,"d":null}"#,
                r#"{"n":123456789012345678901234567890,"list":[2.5],"d":null}"#,
            ),
            (
                r#"{"list":[1e1,"2",3.0],"o":{"x":1},"s":["5"],"d":0}"#,
                r#"{"list":[1e1,2,3.0],"o":{},"s":5,"d":0}"#,
            ),
            (r#"{"d":1,"d":2.0,"a":"é"}"#, r#"{"d":2.0,"a":"é"}"#),
        ] {
            let mut args = Some(serde_json::from_str(given).unwrap());
            assert_eq!(schema.check(&mut args), Ok(()), "{given}");
            assert_eq!(again(given, &args.unwrap()), expected);
        }
    }
}
