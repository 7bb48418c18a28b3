//! [`Lines`]: newline-delimited values, and values with nothing between them.

use super::{Cut, Framing, Marking, Unframed};
use crate::{
    frame::{Body, Frame},
    input::Input,
    outbox::Outbox,
};

/// One value a line, ended by LF; CR before it is white space. Blanks before a
/// value go by without counting for anything.
///
/// By default also serves peers that send JSON objects and arrays with nothing
/// between them: such a value is whole at the bracket that closes it. LF still
/// ends whatever is pending, so an unfinished line cannot swallow the next.
///
/// LF is looked for first, and a line is handed on in one piece. Brackets are
/// counted only in a tail that has no LF yet, and in a line that its dialect
/// could not read as one value ([`Framing::recut`]).
#[derive(Clone, Debug)]
pub struct Lines {
    limit: usize,
    values: bool,
    newline: bool,
    /// Bytes of the waiting input that are known to hold no LF.
    searched: usize,
    /// What is known of the brackets in the waiting input.
    brackets: Brackets,
    /// Inside a line over the limit, of which nothing is kept.
    dropping: bool,
    /// Cutting a line value by value.
    exact: bool,
    /// Whether an LF has ever arrived.
    delimited: bool,
    /// How many bytes the last frame took off the input.
    taken: usize,
}

/// What stands at the front of the input.
#[derive(Debug)]
pub(super) enum Found {
    /// A value of `len` bytes and a delimiter of `delimiter`.
    Value {
        len: usize,
        delimiter: usize,
        several: bool,
    },
    Oversize,
    Partial,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            limit: 10 << 20,
            values: true,
            newline: true,
            searched: 0,
            brackets: Brackets::default(),
            dropping: false,
            exact: false,
            delimited: false,
            taken: 0,
        }
    }
}

impl Lines {
    /// Refuses values longer than `limit` bytes, up to their LF or the bracket
    /// that closes them. Default 10 MiB.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Only LF ends a value; JSON values without one wait for it.
    #[must_use]
    pub fn only_newlines(mut self) -> Self {
        self.values = false;
        self
    }

    /// Sends values without LF, for the one client that breaks on it.
    #[must_use]
    pub fn without_newline(mut self) -> Self {
        self.newline = false;
        self
    }

    /// Finds the next value, dropping what is to be dropped before it.
    pub(super) fn find(&mut self, input: &mut Input) -> Found {
        loop {
            // they stand before a value of which nothing is known yet, or it would have begun with them
            let blanks = input.waiting().iter().take_while(|byte| is_blank(&[**byte])).count();
            input.consume(blanks);
            let waiting = input.waiting();
            let Some(at) = memchr::memchr(b'\n', &waiting[self.searched..]) else {
                return self.find_in_tail(input);
            };
            self.delimited = true;
            let end = self.searched + at;
            if self.dropping || end == 0 {
                self.dropping = false;
                self.forget(input, end + 1);
                continue;
            }
            if end > self.limit {
                return self.find_in_long(input, end);
            }
            if self.exact {
                let close =
                    self.brackets.close(&waiting[..end]).filter(|&close| !is_blank(&waiting[close..end]));
                return match close {
                    Some(close) => Found::Value { len: close, delimiter: 0, several: false },
                    None => Found::Value { len: end, delimiter: 1, several: false },
                };
            }
            return Found::Value { len: end, delimiter: 1, several: self.values };
        }
    }

    /// A line over the limit: what would have been handed on before its LF came is
    /// handed on all the same.
    #[cold]
    fn find_in_long(&mut self, input: &mut Input, end: usize) -> Found {
        if self.values
            && let Some(close) = self.brackets.close(&input.waiting()[..self.limit])
        {
            return Found::Value { len: close, delimiter: 0, several: false };
        }
        self.forget(input, end + 1);
        Found::Oversize
    }

    fn find_in_tail(&mut self, input: &mut Input) -> Found {
        let len = input.len();
        if self.dropping {
            self.forget(input, len);
            return Found::Partial;
        }
        if self.values
            && let Some(close) = self.brackets.close(input.waiting())
            && close <= self.limit
        {
            return Found::Value { len: close, delimiter: 0, several: false };
        }
        self.searched = len;
        if len > self.limit {
            self.forget(input, len);
            self.dropping = true;
            return Found::Oversize;
        }
        Found::Partial
    }

    /// Takes a value that was found.
    pub(super) fn take<'b>(&mut self, input: &'b mut Input, len: usize, delimiter: usize) -> &'b [u8] {
        self.taken = len + delimiter;
        self.exact &= delimiter == 0;
        (self.searched, self.brackets) = (0, Brackets::default());
        &input.consume(len + delimiter)[..len]
    }

    /// Apart, so that a frame is not put together from what all kinds of cuts have in common.
    #[cold]
    fn no_frame(&self, found: &Found) -> Cut<'static> {
        match found {
            Found::Oversize => Cut::Oversize { channel: 0, limit: self.limit },
            Found::Partial | Found::Value { .. } => Cut::Partial { missing: 0 },
        }
    }

    pub(super) fn delimited(&self) -> bool {
        self.delimited
    }

    fn forget(&mut self, input: &mut Input, count: usize) {
        input.consume(count);
        (self.searched, self.brackets, self.exact) = (0, Brackets::default(), false);
    }
}

impl Framing for Lines {
    fn cut<'b>(&'b mut self, input: &'b mut Input, _out: &mut Outbox) -> Result<Cut<'b>, Unframed> {
        let found = self.find(input);
        let Found::Value { len, delimiter, several } = found else { return Ok(self.no_frame(&found)) };
        let body = Body::Binary(self.take(input, len, delimiter));
        Ok(Cut::Frame(Frame { body, channel: 0, delimited: self.delimited, several }))
    }

    fn finish<'b>(&'b mut self, input: &'b mut Input) -> Result<Cut<'b>, Unframed> {
        if self.dropping || is_blank(input.waiting()) {
            return Ok(Cut::End);
        }
        let len = input.len();
        let body = Body::Binary(self.take(input, len, 0));
        Ok(Cut::Frame(Frame { body, channel: 0, delimited: self.delimited, several: false }))
    }

    fn recut(&mut self, input: &mut Input) {
        input.restore(self.taken);
        self.exact = true;
    }

    fn is_inside(&self) -> bool {
        self.dropping
    }

    fn marking(&self) -> Box<dyn Marking> {
        Box::new(LineMarking { newline: self.newline })
    }
}

/// Nothing but blanks, as `protocols` of lines know them: no form feed.
fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

/// Follows the brackets of a JSON text; kinds are not compared, strings are skipped.
#[derive(Clone, Debug, Default)]
struct Brackets {
    at: usize,
    depth: usize,
    /// The value begins with something else than a bracket, so only LF can end it.
    plain: bool,
    string: bool,
    escape: bool,
}

impl Brackets {
    /// The end of the first bracketed value in `text`, which since the last time
    /// may only have grown.
    fn close(&mut self, text: &[u8]) -> Option<usize> {
        while !self.plain && self.at < text.len() {
            if self.string && !self.escape {
                match memchr::memchr2(b'"', b'\\', &text[self.at..]) {
                    Some(run) => self.at += run,
                    None => {
                        self.at = text.len();
                        return None;
                    }
                }
            }
            let byte = text[self.at];
            self.at += 1;
            match byte {
                _ if self.escape => self.escape = false,
                b'\\' if self.string => self.escape = true,
                b'"' if self.depth > 0 => self.string = !self.string,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(self.at);
                    }
                }
                b' ' | b'\t' | b'\r' => {}
                _ => self.plain = self.depth == 0,
            }
        }
        None
    }
}

#[derive(Debug)]
struct LineMarking {
    newline: bool,
}

impl Marking for LineMarking {
    fn open(&mut self, _stream: &mut Vec<u8>, _channel: u8) {}

    fn close(&mut self, stream: &mut Vec<u8>, _start: usize, body: usize) {
        put_on_one_line(&mut stream[body..]);
        if self.newline {
            stream.push(b'\n');
        }
    }

    fn another(&self) -> Box<dyn Marking> {
        Box::new(Self { newline: self.newline })
    }
}

/// A value that was encoded elsewhere may have line feeds between its tokens.
#[inline]
pub(super) fn put_on_one_line(value: &mut [u8]) {
    if has_line_feed(value) {
        value.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
    }
}

/// Asked of each reply, so it is for short texts: pieces without branches, which
/// compilers turn into a vector comparison each, and the last piece overlaps.
#[inline]
fn has_line_feed(text: &[u8]) -> bool {
    let in_piece = |piece: &[u8; 16]| piece.iter().fold(false, |found, byte| found | (*byte == b'\n'));
    match text.last_chunk() {
        Some(last) => text.as_chunks().0.iter().any(in_piece) || in_piece(last),
        None => text.contains(&b'\n'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::tests::{check, cut_all};

    fn lines() -> Box<dyn Framing> {
        Box::new(Lines::default())
    }

    fn newlines() -> Box<dyn Framing> {
        Box::new(Lines::default().only_newlines())
    }

    #[test]
    fn a_line_is_a_frame_and_blank_lines_are_none() {
        check(&lines, b"{}\n[1]\r\n\n \t\r\n5\n", true, &["{}", "[1]", "5"]);
        check(&newlines, b"{}\n[1]\r\n\n \t\r\n5\n", true, &["{}", "[1]", "5"]);
    }

    #[test]
    fn the_end_of_the_stream_ends_a_line() {
        check(&newlines, b"{\n[1", true, &["{", "[1"]);
        check(&newlines, b"{\n[1", false, &["{"]);
    }

    #[test]
    fn a_tail_is_whole_at_its_closing_bracket() {
        check(&lines, br#"{"a":"}\"{"}[2]  {"b""#, false, &[r#"{"a":"}\"{"}"#, "[2]"]);
        check(&newlines, b"{}[2]", false, &[]);
    }

    #[test]
    fn a_line_feed_ends_an_unfinished_value() {
        check(&lines, b"{\"a\":[1,\n{}\n", false, &["{\"a\":[1,", "{}"]);
    }

    #[test]
    fn a_line_that_was_no_single_value_is_cut_again_by_brackets() {
        let (mut lines, mut input) = (Lines::default(), Input::default());
        let mut out = Outbox::new(lines.marking());
        input.extend(b"{}[] rubbish {\n{}\n");
        let mut seen = vec![];
        while let Cut::Frame(frame) = lines.cut(&mut input, &mut out).unwrap() {
            seen.push((String::from_utf8_lossy(frame.body.as_bytes()).into_owned(), frame.several));
            if frame.several && frame.body.as_bytes() != b"{}" {
                lines.recut(&mut input);
            }
        }
        let seen: Vec<_> = seen.iter().map(|(text, several)| (text.as_str(), *several)).collect();
        let expected =
            [("{}[] rubbish {", true), ("{}", false), ("[]", false), ("rubbish {", false), ("{}", true)];
        assert_eq!(seen, expected);
    }

    #[test]
    fn the_limit_is_that_of_values_however_they_arrive() {
        let make = || -> Box<dyn Framing> { Box::new(Lines::default().limit(8)) };
        check(&make, b"[1][2][3456]\n", false, &["[1]", "[2]", "[3456]"]);
        check(&make, b"[1]  [2] 5 123456789\n{}\n", false, &["[1]", "[2]", "<oversize>", "{}"]);
        check(&make, b"[1234567][1]\n{}\n", false, &["<oversize>", "{}"]);
        let blanks = b"          \n{}          \n          5\n";
        check(&make, blanks, false, &["{}", "5"]);
        check(&|| Box::new(Lines::default().limit(8).only_newlines()), b"          5\n", false, &["5"]);
    }

    #[test]
    fn a_line_over_the_limit_costs_only_itself() {
        let make = || Lines::default().limit(8).only_newlines();
        for chunks in [vec![&b"0123456789\n{}\n"[..]], vec![b"012345678", b"9", b"9999999999\n{}", b"\n"]] {
            assert_eq!(cut_all(&mut make(), &chunks, true), ["<oversize>", "{}"]);
        }
        let mut framing = make();
        let mut input = Input::default();
        let mut out = Outbox::new(framing.marking());
        for _ in 0..1000 {
            input.extend(&[b'x'; 100]);
            let _ = framing.cut(&mut input, &mut out).unwrap();
        }
        assert!(input.capacity() < 1000, "nothing of the line is kept");
    }
}
