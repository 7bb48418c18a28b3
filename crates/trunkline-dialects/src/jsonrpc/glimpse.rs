//! [`glimpse`]: what the beginning of a message shows of it.

use super::scan::{MAX_DEPTH, blank, colon, value};
use super::string;
use super::{Id, NotJson};

/// As much of a message is looked at: names and ids stand near its front.
const MOST: usize = 1 << 10;

/// An answer of which only the beginning is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Glimpse {
    /// The number of the call that it answers, if it shows.
    pub(super) id: Option<u64>,
    /// Whether it is the first in a batch.
    pub(super) in_batch: bool,
}

/// Looks at the beginning of a message, or of the first in a batch; `None` if
/// that does not show it to be an answer.
pub(super) fn glimpse(head: &[u8]) -> Option<Glimpse> {
    let head = &head[..head.len().min(MOST)];
    let mut at = blank(head, 0);
    let in_batch = head.get(at) == Some(&b'[');
    if in_batch {
        at = blank(head, at + 1);
    }
    if head.get(at) != Some(&b'{') {
        return None;
    }
    let mut seen = Seen::default();
    // that it is cut off somewhere is why it is looked at
    let _cut_off = seen.members(head, blank(head, at + 1));
    (seen.is_answer && !seen.is_call).then_some(Glimpse { id: seen.id, in_batch })
}

/// What the first member of a message shows whose name shows anything; of a batch the first
/// message is looked at. What is no object shows nothing.
pub(crate) fn first_of<T>(message: &[u8], shown: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
    let mut at = blank(message, 0);
    if message.get(at) == Some(&b'[') {
        at = blank(message, at + 1);
    }
    if message.get(at) != Some(&b'{') {
        return None;
    }
    at = blank(message, at + 1);
    while message.get(at) == Some(&b'"') {
        let (quote, _) = string::end(message, at + 1).ok()?;
        if let Some(shown) = shown(&message[at + 1..quote]) {
            return Some(shown);
        }
        let end = value(message, colon(message, quote + 1).ok()?, MAX_DEPTH, 1).ok()?;
        let comma = blank(message, end);
        if message.get(comma) != Some(&b',') {
            return None;
        }
        at = blank(message, comma + 1);
    }
    None
}

#[derive(Debug, Default)]
struct Seen {
    is_answer: bool,
    is_call: bool,
    id: Option<u64>,
}

impl Seen {
    /// Looks at the members of an object from the one whose name is at `at`.
    fn members(&mut self, head: &[u8], mut at: usize) -> Result<(), Box<NotJson>> {
        while head.get(at) == Some(&b'"') {
            let (quote, _) = string::end(head, at + 1)?;
            let name = &head[at + 1..quote];
            at = colon(head, quote + 1)?;
            match name {
                b"result" | b"error" => self.is_answer = true,
                b"method" | b"params" => self.is_call = true,
                _ => {}
            }
            let end = value(head, at, MAX_DEPTH, 1)?;
            let comma = blank(head, end);
            // a number may go on behind the end of what is known
            if name == b"id" && comma < head.len() {
                self.id =
                    std::str::from_utf8(&head[at..end]).ok().and_then(Id::scanned).and_then(|id| id.as_u64());
            }
            match head.get(comma) {
                Some(b',') => at = blank(head, comma + 1),
                _ => break,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALONE: Option<Glimpse> = Some(Glimpse { id: Some(17), in_batch: false });
    const BATCH: Option<Glimpse> = Some(Glimpse { id: Some(17), in_batch: true });
    const WHOSE: Option<Glimpse> = Some(Glimpse { id: None, in_batch: false });

    #[test]
    fn an_answer_shows_by_its_members() {
        for (head, expected) in [
            (r#"{"jsonrpc":"2.0","id":17,"result":"#, ALONE),
            (r#"{"jsonrpc":"2.0","id":17,"result":{"id":18,"method":["#, ALONE),
            (" {\t\"id\" : 17 ,\r\n\"error\" :", ALONE),
            (r#"{"error":{"code":1,"message":"x"},"id":17}"#, ALONE),
            (r#"{"result":[{"method":1}],"id":17.0,"#, ALONE),
            (r#"[{"id":17,"result":"x"},{"id":18"#, BATCH),
            (r#" [ {"id":17,"result":"x"#, BATCH),
            (r#"{"result":"and so on"#, WHOSE),
            (r#"{"result":1,"id":17"#, WHOSE),
            (r#"{"result":1,"id":17  "#, WHOSE),
            (r#"{"id":null,"error":"#, WHOSE),
            (r#"{"id":"17","result":"#, WHOSE),
            (r#"{"id":-17,"result":"#, WHOSE),
        ] {
            assert_eq!(glimpse(head.as_bytes()), expected, "{head}");
            let cut_off = [head.as_bytes(), b"\xff"].concat();
            if expected == ALONE && head.ends_with(':') {
                assert_eq!(glimpse(&cut_off), expected, "{head}");
            }
        }
        let long = format!(r#"{{"result":"{}","id":17,"#, "x".repeat(MOST));
        assert_eq!(glimpse(long.as_bytes()), WHOSE);
    }

    #[test]
    fn anything_else_may_be_anything() {
        for head in [
            "",
            "[",
            "{",
            "[[",
            "[[{\"result\":",
            "text",
            "\"result\":1",
            r#"{"id":17,"#,
            r#"{"id":17,"result""#,
            r#"{"id":17,"method":"x","result":"#,
            r#"{"id":17,"params":[],"result":"#,
            r#"{"result":1,"method":"x""#,
            r#"{"resul\u0074":1,"id":17,"#,
            "{\"id\":17,\"result\"\0:",
            "\u{feff}{\"id\":17,\"result\":",
        ] {
            assert_eq!(glimpse(head.as_bytes()), None, "{head}");
        }
    }

    #[test]
    fn every_beginning_of_an_answer_names_its_call_or_none() {
        let answer = r#"[{"jsonrpc":"2.0","id":17,"result":{"a":[1,2,"ü\n"]},"more":null},{"id":18}]"#;
        let shows = answer.find("\"result\":").unwrap() + "\"result\":".len();
        for end in 0..=answer.len() {
            let seen = glimpse(&answer.as_bytes()[..end]);
            assert_eq!(seen, if end < shows { None } else { BATCH }, "{end}");
        }
    }
}
