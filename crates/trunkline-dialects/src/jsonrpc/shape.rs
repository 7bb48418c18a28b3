//! [`Shape`]: what the last request looked like around its id and params.
//!
//! A caller spells its messages alike, so most requests are the one before with
//! another id and other params. Where the rest is the same to the byte it needs
//! no second look: only the two values are scanned. `docs/performance.md` says
//! what that saves.

use super::{Request, Rules, scan};
use std::{borrow::Cow, ops::Range};

/// The longest text around the two values that is worth remembering.
const LONGEST: usize = 256;

/// The text of a request with its id and its params cut out.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// All that is not id or params, in one piece; empty as long as nothing is known.
    text: Vec<u8>,
    /// Where in `text` the first of the two values was cut out, and the second.
    cuts: [usize; 2],
    id_first: bool,
    method: Range<usize>,
}

/// A request that looked like the last one.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Alike<'a> {
    pub(super) id: &'a str,
    pub(super) method: &'a str,
    pub(super) params: &'a str,
}

impl Shape {
    /// Reads a request that has this shape; `None` says nothing about the text.
    #[inline]
    pub(super) fn read<'a>(&self, text: &'a str, rules: &Rules) -> Option<Alike<'a>> {
        if self.text.is_empty() {
            return None;
        }
        let (head, rest) = self.text.split_at(self.cuts[0]);
        let (middle, tail) = rest.split_at(self.cuts[1] - self.cuts[0]);
        let (first, rest) = split(after(text, head)?, self.id_first, rules)?;
        let (second, rest) = split(after(rest, middle)?, !self.id_first, rules)?;
        if rest.as_bytes() != tail {
            return None;
        }
        let shift = match self.method.start {
            at if at < self.cuts[0] => 0,
            at if at < self.cuts[1] => first.len(),
            _ => first.len() + second.len(),
        };
        let method = text.get(self.method.start + shift..self.method.end + shift)?;
        let (id, params) = if self.id_first { (first, second) } else { (second, first) };
        Some(Alike { id, method, params })
    }

    /// Remembers what `request`, which was read from `text`, looks like.
    #[inline]
    pub(super) fn learn(&mut self, text: &str, request: &Request<'_>) {
        let Some(id) = request.id.borrowed().and_then(|id| place(text, id)) else { return };
        let Some(params) = request.params.as_ref().and_then(|params| place(text, params.as_raw())) else {
            return;
        };
        let Cow::Borrowed(method) = request.method else { return };
        let Some(method) = place(text, method) else { return };
        if text.len() - id.len() - params.len() > LONGEST {
            return;
        }
        self.id_first = id.start < params.start;
        let (first, second) = if self.id_first { (id, params) } else { (params, id) };
        let bytes = text.as_bytes();
        self.text.clear();
        self.text.extend_from_slice(&bytes[..first.start]);
        self.text.extend_from_slice(&bytes[first.end..second.start]);
        self.text.extend_from_slice(&bytes[second.end..]);
        self.cuts = [first.start, second.start - first.len()];
        let shift = match method.start {
            at if at < first.start => 0,
            at if at < second.start => first.len(),
            _ => first.len() + second.len(),
        };
        self.method = method.start - shift..method.end - shift;
    }
}

/// The rest of `text`, if it begins like this.
#[inline(always)]
fn after<'a>(text: &'a str, head: &[u8]) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(head.len())?;
    (start.as_bytes() == head).then_some(rest)
}

/// Parts `text` behind the id, or else the params, that it must begin with.
#[inline(always)]
fn split<'a>(text: &'a str, is_id: bool, rules: &Rules) -> Option<(&'a str, &'a str)> {
    let bytes = text.as_bytes();
    let end = match bytes.first()? {
        b'"' | b'-' | b'0'..=b'9' if is_id => scan::scalar(bytes, 0),
        b'[' | b'{' if !is_id => scan::nested(bytes, 0, rules.max_depth, 1),
        _ => return None,
    };
    text.split_at_checked(end.ok()?)
}

/// Where in `text` a slice of it stands; `None` if it is not a slice of it.
fn place(text: &str, slice: &str) -> Option<Range<usize>> {
    let start = slice.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    let end = start.checked_add(slice.len())?;
    (end <= text.len()).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::{Document, Message, read};
    use proptest::prelude::*;

    fn learned(text: &str) -> Shape {
        let mut shape = Shape::default();
        if let Ok(Document::One(Ok(Message::Request(request)))) = read(text, &Rules::default()) {
            shape.learn(text, &request);
        }
        shape
    }

    #[track_caller]
    fn check(first: &str, then: &str, expected: Option<(&str, &str, &str)>) {
        let expected = expected.map(|(id, method, params)| Alike { id, method, params });
        assert_eq!(learned(first).read(then, &Rules::default()), expected);
    }

    #[test]
    fn another_id_and_other_params_are_alike_in_any_order() {
        check(
            r#"{"jsonrpc":"2.0","id":1,"method":"add","params":[1]}"#,
            r#"{"jsonrpc":"2.0","id":"longer","method":"add","params":{"a":[]}}"#,
            Some(("\"longer\"", "add", r#"{"a":[]}"#)),
        );
        check(
            r#" {"params":[1], "method":"add", "id": 1, "jsonrpc":"2.0"} "#,
            r#" {"params":[2,3], "method":"add", "id": -5e7, "jsonrpc":"2.0"} "#,
            Some(("-5e7", "add", "[2,3]")),
        );
        check(
            r#"{"id":1,"jsonrpc":"2.0","params":[1],"method":"add"}"#,
            r#"{"id":22,"jsonrpc":"2.0","params":[1,2],"method":"add"}"#,
            Some(("22", "add", "[1,2]")),
        );
    }

    #[test]
    fn anything_else_is_not() {
        let first = r#"{"jsonrpc":"2.0","id":1,"method":"add","params":[1]}"#;
        for then in [
            r#"{"jsonrpc":"2.0","id":1,"method":"sub","params":[1]}"#,
            r#"{"jsonrpc":"2.0","id":true,"method":"add","params":[1]}"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"add","params":[1]}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"add","params":1}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"add","params":[1}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"add","params":[1]},"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"add","params":[1],"id":2}"#,
            r#"{"jsonrpc":"2.0","id":01,"method":"add","params":[1]}"#,
            "",
        ] {
            check(first, then, None);
        }
        check(r#"{"jsonrpc":"2.0","method":"add","params":[1]}"#, first, None);
        check(
            &format!(r#"{{"jsonrpc":"2.0","id":1,"method":"add","params":[1],"x":"{}"}}"#, "x".repeat(300)),
            first,
            None,
        );
    }

    proptest! {
        /// What is read by its shape is read alike by the reader, whatever the texts.
        #[test]
        fn the_shape_agrees_with_the_reader(
            order in Just(vec![0, 1, 2, 3]).prop_shuffle(),
            ids in prop::array::uniform2(prop_oneof!["[0-9]{1,4}", "\"[a-z}{,:]{0,5}\"", "null", "true", "\\PC{1,3}"]),
            params in prop::array::uniform2(prop_oneof!["\\[[0-9]?\\]", "\\{\"a\":[0-9]\\}", "\\PC{1,5}"]),
            cut in any::<prop::sample::Index>(),
            junk in prop_oneof![Just(String::new()), "[\\[\\]{},:\"0 ]{1,2}"],
        ) {
            let spell = |id: &str, params: &str| {
                let members = [r#""jsonrpc":"2.0""#.to_owned(), format!(r#""id":{id}"#), r#""method":"m""#.to_owned(), format!(r#""params":{params}"#)];
                let members: Vec<&str> = order.iter().map(|at: &usize| &*members[*at]).collect();
                format!("{{{}}}", members.join(","))
            };
            let mut then = spell(&ids[1], &params[1]);
            let at = then.floor_char_boundary(cut.index(then.len()));
            then.insert_str(at, &junk);
            let shape = learned(&spell(&ids[0], &params[0]));
            if let Some(alike) = shape.read(&then, &Rules::default()) {
                let Ok(Document::One(Ok(Message::Request(request)))) = read(&then, &Rules::default()) else {
                    return Err(TestCaseError::fail(format!("the reader refuses {then}")));
                };
                prop_assert_eq!(alike.id, request.id.as_raw());
                prop_assert_eq!(alike.method, &*request.method);
                prop_assert_eq!(alike.params, request.params.as_ref().unwrap().as_raw());
            }
        }
    }
}
