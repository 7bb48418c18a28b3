//! [`Lines`]: newline-delimited values, and values with nothing between them.

mod brackets;
mod line_feed;

use self::{brackets::Brackets, line_feed::LineFeed};
use super::{
    Cut, Framing, Marking, Unframed,
    stranger::{STRANGER, is_stranger},
};
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
///
/// A stream that begins as a request of HTTP does, or as TLS, ends there, before any line
/// of what follows: a page of anybody may have a browser send it.
#[derive(Clone, Debug)]
pub struct Lines {
    limit: usize,
    values: bool,
    newline: bool,
    line_feed: LineFeed,
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
    /// Whether nothing has been taken off the input yet.
    fresh: bool,
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
    /// A value over the limit, of which `len` bytes are here.
    Oversize {
        len: usize,
    },
    Partial,
    /// The stream begins as one of a browser does.
    Stranger,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            limit: 10 << 20,
            values: true,
            newline: true,
            line_feed: LineFeed::default(),
            brackets: Brackets::default(),
            dropping: false,
            exact: false,
            delimited: false,
            taken: 0,
            fresh: true,
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
            self.line_feed.moved(blanks);
            let waiting = input.waiting();
            let Some(end) = self.line_feed.find(waiting) else {
                return self.find_in_tail(input);
            };
            self.delimited = true;
            if self.dropping || end == 0 {
                self.dropping = false;
                self.forget(input, end + 1);
                continue;
            }
            if self.fresh && self.is_stranger(&waiting[..end]) {
                return Found::Stranger;
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
        Found::Oversize { len: end + 1 }
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
        if len > self.limit {
            if self.fresh && self.is_stranger(input.waiting()) {
                return Found::Stranger;
            }
            self.dropping = true;
            return Found::Oversize { len };
        }
        Found::Partial
    }

    /// Looked for in what is there of a line at least when it is taken, however it came.
    #[cold]
    fn is_stranger(&self, line: &[u8]) -> bool {
        is_stranger(&line[..line.len().min(self.limit.saturating_add(1))])
    }

    /// Takes a value that was found.
    pub(super) fn take<'b>(&mut self, input: &'b mut Input, len: usize, delimiter: usize) -> &'b [u8] {
        (self.taken, self.fresh) = (len + delimiter, false);
        self.exact &= delimiter == 0;
        self.line_feed.moved(len + delimiter);
        self.brackets = Brackets::default();
        &input.consume(len + delimiter)[..len]
    }

    /// Apart, so that a frame is not put together from what all kinds of cuts have in common.
    #[cold]
    fn no_frame<'b>(&mut self, found: &Found, input: &'b mut Input) -> Result<Cut<'b>, Unframed> {
        match *found {
            Found::Oversize { len } => {
                Ok(Cut::Oversize { channel: 0, limit: self.limit, head: self.forget(input, len) })
            }
            Found::Stranger => Err(STRANGER),
            Found::Partial | Found::Value { .. } => Ok(Cut::Partial { missing: 0 }),
        }
    }

    /// Bytes at which an LF was looked for, since the beginning.
    #[cfg(test)]
    pub(super) fn work(&self) -> usize {
        self.line_feed.work
    }

    pub(super) fn delimited(&self) -> bool {
        self.delimited
    }

    /// Drops what stands at the front, and lends it for a last look.
    pub(super) fn forget<'b>(&mut self, input: &'b mut Input, count: usize) -> &'b [u8] {
        self.line_feed.moved(count);
        (self.brackets, self.exact, self.fresh) = (Brackets::default(), false, false);
        input.consume(count)
    }
}

impl Framing for Lines {
    fn cut<'b>(&'b mut self, input: &'b mut Input, _out: &mut Outbox) -> Result<Cut<'b>, Unframed> {
        let found = self.find(input);
        let Found::Value { len, delimiter, several } = found else { return self.no_frame(&found, input) };
        let body = Body::Binary(self.take(input, len, delimiter));
        Ok(Cut::Frame(Frame { body, channel: 0, delimited: self.delimited, several }))
    }

    fn finish<'b>(&'b mut self, input: &'b mut Input) -> Result<Cut<'b>, Unframed> {
        if self.dropping || is_blank(input.waiting()) {
            return Ok(Cut::End);
        }
        if self.fresh && self.is_stranger(input.waiting()) {
            return Err(STRANGER);
        }
        let len = input.len();
        let body = Body::Binary(self.take(input, len, 0));
        Ok(Cut::Frame(Frame { body, channel: 0, delimited: self.delimited, several: false }))
    }

    fn recut(&mut self, input: &mut Input) {
        input.restore(self.taken);
        // once a line, so it may be looked for again
        self.line_feed = LineFeed::default();
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
mod tests;
