//! [`Tree`]: arguments as they are compared with their schema.
//!
//! All parts of them in one list, in the order of the text, and what is text borrowed
//! from there: a tree of values of their own, made and dropped for each call, would
//! cost more than the comparison.

mod json;
mod read;

pub(super) use self::{
    json::Borrowed,
    read::{DEEPEST, Reader},
};

use serde_json::{Number, Value};
use std::borrow::Cow;

/// All parts of a value: itself, then what is inside of it.
#[derive(Debug)]
pub(super) struct Tree<'a>(Vec<Part<'a>>);

/// One part of it. A member is two: its name, a text, and its value.
#[derive(Debug)]
enum Part<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Inside),
    Members(Inside),
}

/// What follows, and is inside.
#[derive(Clone, Copy, Debug, Default)]
struct Inside {
    /// Elements, or members.
    len: usize,
    /// Parts, with those that are further inside.
    parts: usize,
}

/// A value in a [`Tree`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a> {
    part: &'a Part<'a>,
    inside: &'a [Part<'a>],
}

/// Why there is no tree of a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unread {
    /// Two members have the same name.
    Twice,
    /// It is nested too deep, has more elements than there are names, or a text or a
    /// number in it cannot be held.
    Unfit,
}

impl<'a> Tree<'a> {
    /// Reads a value that is known to be well-formed; a list as members of these names,
    /// if there are any.
    pub(super) fn read(text: &'a str, names: &[&'static str]) -> Result<Self, Unread> {
        read::parts(text, names).map(Self)
    }

    /// The value that it is of.
    pub(super) fn root(&self) -> Node<'_> {
        first(&self.0).map_or(Node { part: &Part::Null, inside: &[] }, |(root, _)| root)
    }
}

/// The first value of some, and the others.
fn first<'a>(parts: &'a [Part<'a>]) -> Option<(Node<'a>, &'a [Part<'a>])> {
    let (part, rest) = parts.split_first()?;
    let inside = match part {
        Part::List(inside) | Part::Members(inside) => inside.parts,
        _ => 0,
    };
    let (inside, rest) = rest.split_at_checked(inside)?;
    Some((Node { part, inside }, rest))
}

/// Elements, or members with their names.
#[derive(Clone, Debug)]
pub(super) struct Elements<'a>(&'a [Part<'a>]);

impl<'a> Iterator for Elements<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        let (node, rest) = first(self.0)?;
        self.0 = rest;
        Some(node)
    }
}

/// The members of an object.
#[derive(Clone, Debug)]
pub(super) struct Members<'a>(Elements<'a>);

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, Node<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (Part::Text(name), value) = self.0.0.split_first()? else { return None };
        let (node, rest) = first(value)?;
        self.0 = Elements(rest);
        Some((name, node))
    }
}

impl<'a> Node<'a> {
    fn elements(self) -> Elements<'a> {
        Elements(self.inside)
    }

    fn members(self) -> Members<'a> {
        Members(self.elements())
    }

    /// How much is in it at this level.
    pub(super) fn size(self) -> usize {
        match self.part {
            Part::List(inside) | Part::Members(inside) => inside.len,
            Part::Text(text) => text.len() / 16,
            _ => 0,
        }
    }

    fn value(self) -> Value {
        match self.part {
            Part::Null => Value::Null,
            Part::Bool(it) => Value::Bool(*it),
            Part::Number(number) => Value::Number(number.clone()),
            Part::Text(text) => Value::String(text.to_string()),
            Part::List(_) => self.elements().map(Self::value).collect(),
            Part::Members(_) => self.members().map(|(name, node)| (name, node.value())).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
