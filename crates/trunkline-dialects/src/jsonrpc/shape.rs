//! [`Shape`]: what the last message of a kind looked like around its id and its value.
//!
//! A peer spells its messages alike, so most requests are the one before with
//! another id and other params, and most answers the one before with another id
//! and another result. Where the rest is the same to the byte it needs no second
//! look: only the two values are scanned. `docs/performance.md` says what that saves.

use super::{Id, Rules, scan};
use std::ops::Range;

/// The longest text around the two values that is worth remembering.
const LONGEST: usize = 256;

/// The text of a message with its id and its params, or its result, cut out.
#[derive(Debug)]
pub(super) struct Shape {
    /// What the value is: the params of a request, or the result of an answer.
    value: Value,
    /// All that is not id or value, in one piece; empty as long as nothing is known.
    text: Vec<u8>,
    /// Where in `text` the first of the two was cut out, and the second.
    cuts: [usize; 2],
    id_first: bool,
    method: Range<usize>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Value {
    Params,
    Result,
}

/// A message that looked like the last one of its kind.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Alike<'a> {
    pub(super) id: &'a str,
    /// Empty in an answer, which has none.
    pub(super) method: &'a str,
    pub(super) value: &'a str,
}

impl Shape {
    /// Of requests, of which nothing is known yet.
    pub(super) fn of_requests() -> Self {
        Self { value: Value::Params, text: Vec::new(), cuts: [0; 2], id_first: false, method: 0..0 }
    }

    /// Of answers, of which nothing is known yet.
    pub(super) fn of_answers() -> Self {
        Self { value: Value::Result, ..Self::of_requests() }
    }

    /// Reads a message that has this shape; `None` says nothing about the text.
    #[inline]
    pub(super) fn read<'a>(&self, text: &'a str, rules: &Rules) -> Option<Alike<'a>> {
        if self.text.is_empty() {
            return None;
        }
        let (head, rest) = self.text.split_at(self.cuts[0]);
        let (middle, tail) = rest.split_at(self.cuts[1] - self.cuts[0]);
        let (first, rest) = self.part(after(text, head)?, self.id_first, rules)?;
        let (second, rest) = self.part(after(rest, middle)?, !self.id_first, rules)?;
        if rest.as_bytes() != tail {
            return None;
        }
        let shift = match self.method.start {
            at if at < self.cuts[0] => 0,
            at if at < self.cuts[1] => first.len(),
            _ => first.len() + second.len(),
        };
        let method = text.get(self.method.start + shift..self.method.end + shift)?;
        let (id, value) = if self.id_first { (first, second) } else { (second, first) };
        Some(Alike { id, method, value })
    }

    /// Parts `text` behind the id, or else the value, that it must begin with.
    #[inline(always)]
    fn part<'a>(&self, text: &'a str, is_id: bool, rules: &Rules) -> Option<(&'a str, &'a str)> {
        let bytes = text.as_bytes();
        let end = match bytes.first()? {
            b'"' | b'-' | b'0'..=b'9' if is_id => scan::scalar(bytes, 0),
            _ if is_id => return None,
            b'[' | b'{' => scan::nested(bytes, 0, rules.max_depth, 1),
            _ if self.value == Value::Params => return None,
            _ => scan::scalar(bytes, 0),
        };
        let end = end.ok().filter(|end| !is_id || *end <= Id::LONGEST)?;
        text.split_at_checked(end)
    }

    /// Remembers what the message looks like that was read from `text`; all that
    /// is not a slice of `text` had to be spelled anew, and is not worth it.
    pub(super) fn learn(&mut self, text: &str, id: &str, value: &str, method: Option<&str>) {
        let (Some(id), Some(value)) = (place(text, id), place(text, value)) else { return };
        let Some(method) = method.map_or(Some(0..0), |method| place(text, method)) else { return };
        if text.len() - id.len() - value.len() > LONGEST {
            return;
        }
        self.id_first = id.start < value.start;
        let (first, second) = if self.id_first { (id, value) } else { (value, id) };
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

/// Where in `text` a slice of it stands; `None` if it is not a slice of it.
pub(super) fn place(text: &str, slice: &str) -> Option<Range<usize>> {
    let start = slice.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    let end = start.checked_add(slice.len())?;
    (end <= text.len()).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::{Document, Message, Params, read};
    use proptest::prelude::*;

    fn learned(text: &str) -> Shape {
        match read(text, &Rules::default()) {
            Ok(Document::One(Ok(Message::Request(request)))) => {
                let mut shape = Shape::of_requests();
                let params = request.params.as_ref().map_or("", Params::as_raw);
                shape.learn(text, request.id.as_raw(), params, Some(&request.method));
                shape
            }
            Ok(Document::One(Ok(Message::Success(success)))) => {
                let mut shape = Shape::of_answers();
                shape.learn(text, success.id.as_raw(), success.result.as_raw(), None);
                shape
            }
            _ => Shape::of_requests(),
        }
    }

    #[track_caller]
    fn check(first: &str, then: &str, expected: Option<(&str, &str, &str)>) {
        let expected = expected.map(|(id, method, value)| Alike { id, method, value });
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
    fn answers_are_alike_whatever_their_results() {
        let first = r#"{"jsonrpc":"2.0","id":1,"result":3}"#;
        for result in ["4", "null", r#""a}""#, "[1,{}]", "-0.5e1"] {
            let then = format!(r#"{{"jsonrpc":"2.0","id":22,"result":{result}}}"#);
            check(first, &then, Some(("22", "", result)));
        }
        check(
            r#"{"result":3,"error":null,"id":1}"#.replacen('{', r#"{"jsonrpc":"2.0","#, 1).as_str(),
            r#"{"jsonrpc":"2.0","result":{},"error":null,"id":"x"}"#,
            Some(("\"x\"", "", "{}")),
        );
        for then in [
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":3,"error":null}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":}"#,
            r#"{"jsonrpc":"2.0","id":null,"result":3}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":03}"#,
        ] {
            check(first, then, None);
        }
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
        let long = |len: usize| {
            format!(r#"{{"jsonrpc":"2.0","id":{},"method":"add","params":[1]}}"#, "7".repeat(len))
        };
        check(first, &long(Id::LONGEST), Some((&"7".repeat(Id::LONGEST), "add", "[1]")));
        check(first, &long(Id::LONGEST + 1), None);
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
                prop_assert_eq!(alike.value, request.params.as_ref().unwrap().as_raw());
            }
        }
    }
}
