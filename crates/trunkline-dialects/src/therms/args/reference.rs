//! `$ref`, which leads to a part of the same schema and nowhere else.

use super::{BadSchema, compile::Compiler, ordered::Ordered, place::Place, rule::Rule};

impl Compiler<'_> {
    /// A reference into the document.
    pub(super) fn reference(&mut self, at: &Place<'_, '_>, value: &Ordered) -> Result<Rule, BadSchema> {
        let reference = at.text(value)?;
        let bad =
            || at.bad(&format!("`{reference}` is not a part of this schema, such as `#/definitions/…`"));
        let id = self.document.get("$id").and_then(Ordered::as_str).unwrap_or_default();
        let id = id.strip_suffix('#').unwrap_or(id);
        let fragment = reference.strip_prefix(id).unwrap_or(reference);
        let pointer = match fragment.strip_prefix('#') {
            Some(pointer) => unquoted(pointer).ok_or_else(bad)?,
            None if fragment.is_empty() => String::new(),
            None => return Err(bad()),
        };
        let document = self.document;
        let target = document.pointer(&pointer).ok_or_else(bad)?;
        let place = format!("#{pointer}");
        let part = match self.known.get(&place) {
            Some(part) => *part,
            None => {
                let part = self.reserved(&place);
                self.waiting.push_back((part, target, place));
                part
            }
        };
        Ok(Rule::Ref { part, is_apart: refers(target) })
    }
}

/// Whether there is a reference anywhere in it.
fn refers(schema: &Ordered) -> bool {
    let refers_itself = schema.get("$ref").is_some_and(|it| it.as_str().is_some());
    refers_itself || schema.members().iter().any(|(_, it)| refers(it)) || schema.items().iter().any(refers)
}

/// A fragment without its percent signs.
fn unquoted(fragment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let (byte, after) = match (byte, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |digit: &u8| char::from(*digit).to_digit(16).and_then(|it| u8::try_from(it).ok());
                (16 * digit(high)? + digit(low)?, after)
            }
            (b'%', _) => return None,
            plain => plain,
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}
