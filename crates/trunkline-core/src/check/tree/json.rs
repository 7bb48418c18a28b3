//! [`Borrowed`]: a [`Tree`](super::Tree), as jsonschema looks at it.

use super::{Elements, Members, Node, Part};
use jsonschema::{
    JsonType,
    json::{Array, Json, Node as JsonNode, NodeIdentity, Object, cmp},
};
use serde_json::{Number, Value};
use std::{borrow::Cow, collections::HashSet, fmt::Write, iter, ptr};

/// Values that are borrowed from the text of arguments.
#[derive(Debug)]
pub(in crate::check) struct Borrowed;

impl Json for Borrowed {
    type Node<'a> = Node<'a>;
    type PreparedKey = Box<str>;
    type StringBuffer = ();

    // a look for one member goes through all of them too
    const KEYS_PER_LOOKUP: usize = 8;

    fn prepare_key(key: &str) -> Box<str> {
        key.into()
    }

    fn with_string_node<T>((): &mut (), text: &str, f: impl FnOnce(Node<'_>) -> T) -> T {
        f(Node { part: &Part::Text(Cow::Borrowed(text)), inside: &[] })
    }
}

impl<'a> JsonNode<'a, Borrowed> for Node<'a> {
    type Object = Self;
    type Array = Self;
    type Number = &'a Number;

    fn as_object(&self) -> Option<Self> {
        matches!(self.part, Part::Members(_)).then_some(*self)
    }

    fn as_array(&self) -> Option<Self> {
        matches!(self.part, Part::List(_)).then_some(*self)
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        let Part::Text(text) = self.part else { return None };
        Some(Cow::Borrowed(text))
    }

    fn as_number(&self) -> Option<&'a Number> {
        let Part::Number(number) = self.part else { return None };
        Some(number)
    }

    fn as_boolean(&self) -> Option<bool> {
        let Part::Bool(it) = self.part else { return None };
        Some(*it)
    }

    fn is_null(&self) -> bool {
        matches!(self.part, Part::Null)
    }

    fn json_type(&self) -> JsonType {
        match self.part {
            Part::Null => JsonType::Null,
            Part::Bool(_) => JsonType::Boolean,
            Part::Number(_) => JsonType::Number,
            Part::Text(_) => JsonType::String,
            Part::List(_) => JsonType::Array,
            Part::Members(_) => JsonType::Object,
        }
    }

    /// Characters; in most texts there are as many as bytes, which is seen sooner.
    fn string_length(&self) -> Option<u64> {
        let Part::Text(text) = self.part else { return None };
        let len = if is_ascii(text) { text.len() } else { text.chars().count() };
        u64::try_from(len).ok()
    }

    fn equals_value(&self, expected: &Value) -> bool {
        match (self.part, expected) {
            (Part::List(_), Value::Array(list)) => {
                self.size() == list.len()
                    && iter::zip(Node::elements(*self), list).all(|(a, b)| a.equals_value(b))
            }
            (Part::Members(_), Value::Object(members)) => {
                let is_there =
                    |(name, node): (&str, Self)| members.get(name).is_some_and(|it| node.equals_value(it));
                self.size() == members.len() && Node::members(*self).all(is_there)
            }
            (Part::List(_) | Part::Members(_), _) | (_, Value::Array(_) | Value::Object(_)) => false,
            _ => cmp::equal(&self.value(), expected),
        }
    }

    /// It is asked for where something is wrong, and what was given is never told.
    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(Value::Null)
    }

    fn identity(&self) -> Option<NodeIdentity> {
        Some(NodeIdentity::new(ptr::from_ref(self.part).addr()))
    }
}

/// Whether all characters are of one byte.
fn is_ascii(text: &str) -> bool {
    let (words, _) = text.as_bytes().as_chunks::<8>();
    let Some(last) = text.as_bytes().last_chunk::<8>() else { return text.is_ascii() };
    let all = words.iter().fold(u64::from_le_bytes(*last), |all, word| all | u64::from_le_bytes(*word));
    all & u64::from_le_bytes([1 << 7; 8]) == 0
}

impl<'a> Object<'a, Borrowed> for Node<'a> {
    type Node = Self;
    type MemberName = &'a str;
    type MembersIter = Members<'a>;

    fn len(&self) -> usize {
        self.size()
    }

    fn get(&self, key: &Box<str>) -> Option<Self> {
        Node::members(*self).find(|(name, _)| **name == **key).map(|(_, node)| node)
    }

    fn members(&self) -> Members<'a> {
        Node::members(*self)
    }
}

impl<'a> Array<'a, Borrowed> for Node<'a> {
    type Node = Self;
    type ElementsIter = Elements<'a>;

    fn len(&self) -> usize {
        self.size()
    }

    fn elements(&self) -> Elements<'a> {
        Node::elements(*self)
    }

    fn is_unique(&self) -> bool {
        let mut seen = HashSet::with_capacity(self.size());
        Node::elements(*self).all(|node| {
            let mut spelled = String::new();
            spell(node, &mut spelled);
            seen.insert(spelled)
        })
    }
}

/// Writes a value so that those that are equal to JSON Schema, and no others, are
/// spelled alike. What strangers choose is told apart by text, and not by numbers that
/// many of them could share.
fn spell(node: Node<'_>, out: &mut String) {
    // a `String` takes whatever is written to it
    let _ = match node.part {
        Part::Null => write!(out, "n"),
        Part::Bool(it) => write!(out, "{it}"),
        Part::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            // 1.0 is 1, and -0.0 is 0; what is larger than all integers is spelled short
            Some(float) if float.fract() == 0.0 && float.abs() < 1e20 => write!(out, "{:.0}", float + 0.0),
            Some(float) => write!(out, "{float:e}"),
            None => write!(out, "{number}"),
        },
        Part::Text(text) => write!(out, "{}:{text}", text.len()),
        Part::List(_) => {
            out.push('[');
            Node::elements(node).for_each(|element| {
                spell(element, out);
                out.push(',');
            });
            write!(out, "]")
        }
        Part::Members(_) => {
            let mut members: Vec<_> = Node::members(node).collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (name, value) in members {
                let _ = write!(out, "{}:{name}", name.len());
                spell(value, out);
                out.push(',');
            }
            write!(out, "}}")
        }
    };
}
