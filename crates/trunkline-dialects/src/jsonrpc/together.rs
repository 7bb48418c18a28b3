//! [`Together`]: items of a stream that come in one notification, one after the other.

use super::{scan, shape::place};
use std::ops::Range;
use trunkline_core::{Payload, Signal};

/// Items of a stream that came in one notification, as far as they have not been
/// heard yet.
///
/// Like a batch it holds positions in the text and nothing else.
#[derive(Debug)]
pub(super) struct Together {
    /// How the stream is spelled.
    stream: Range<usize>,
    /// The bracket or comma before the next item.
    at: usize,
}

impl Together {
    /// The elements of `results`, if that is an array. Both it and how the `stream` is
    /// spelled are slices of `text`, which has been read.
    pub(super) fn of(text: &str, stream: &str, results: &str) -> Option<Self> {
        if !results.starts_with('[') {
            return None;
        }
        Some(Self { stream: place(text, stream)?, at: place(text, results)?.start })
    }

    /// The next item; `text` is the same.
    pub(super) fn next<'f>(&mut self, text: &'f str) -> Option<Signal<'f>> {
        let bytes = text.as_bytes();
        if bytes.get(self.at) == Some(&b']') {
            return None;
        }
        let start = scan::blank(bytes, self.at + 1);
        // fails where there is none: all that is there was checked when it was read
        let end = scan::value(bytes, start, scan::MAX_DEPTH, 0).ok()?;
        self.at = scan::blank(bytes, end);
        let item = Payload::Json(text.get(start..end)?);
        Some(Signal::Item { stream: text.get(self.stream.clone())?, outcome: Ok(Some(item)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items<'a>(text: &'a str, results: &str) -> Option<Vec<&'a str>> {
        let (stream, at) = (&text[..3], text.find(results).unwrap());
        let mut together = Together::of(text, stream, &text[at..at + results.len()])?;
        let mut items = Vec::new();
        while let Some(signal) = together.next(text) {
            let Signal::Item { stream: "\"a\"", outcome: Ok(Some(Payload::Json(item))) } = signal else {
                panic!("{signal:?}");
            };
            items.push(item);
        }
        assert!(together.next(text).is_none(), "{text}: the end is the end");
        Some(items)
    }

    #[test]
    fn each_element_is_an_item() {
        let deep = "[".repeat(100) + &"]".repeat(100);
        for elements in [
            &[][..],
            &["1"],
            &["1", "2", "3"],
            &["null", "\"],[\"", "-1.5e3", "{\"a\":[1,2]}", "[]", "[[],{}]", "true"],
            &[&deep, "0"],
        ] {
            for (comma, blank) in [(",", ""), (" ,\n", "\t")] {
                let results = format!("[{blank}{}{blank}]", elements.join(comma));
                let text = format!("\"a\" {results}],[1,2]");
                assert_eq!(items(&text, &results).unwrap(), elements, "{text}");
            }
        }
        for results in ["1", "{}", "\"[1]\"", "null"] {
            assert_eq!(items(&format!("\"a\" {results}"), results), None);
        }
    }
}
