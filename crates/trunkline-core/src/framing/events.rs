//! [`Events`]: server-sent events, each of which is a message (WHATWG HTML, section 9.2).

use super::{Cut, Framing, Goodbye, HEAD, Marking, Unframed};
use crate::{
    frame::{Body, Frame},
    input::Input,
    outbox::Outbox,
};

/// The field that a message is in.
const DATA: &[u8] = b"data: ";
/// Bytes for events that are kept from one to the next.
const ROOM: usize = 64 << 10;
/// What may stand before the first line.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One event a message: the lines of its `data`, with LF between them.
///
/// Comments go by, and so do events that are named otherwise than `message`, which are
/// for others. `id` and `retry` are about getting back to a stream that was lost, and a
/// stream of ours has no place to get back to.
///
/// ```
/// # use trunkline_core::{Input, Outbox, framing::{Cut, Events, Framing}};
/// let mut input = Input::default();
/// input.extend(b": a comment\n\ndata: {\"a\":1}\n\ndata: ");
/// let (mut events, mut out) = (Events::default(), Outbox::new(Events::default().marking()));
/// let Ok(Cut::Frame(frame)) = events.cut(&mut input, &mut out) else { panic!("it is whole") };
/// assert_eq!(frame.body.as_bytes(), b"{\"a\":1}");
/// assert!(events.finish(&mut input).is_err(), "half an event is none");
/// ```
#[derive(Clone, Debug)]
pub struct Events {
    limit: usize,
    /// The event at hand, as far as its lines are whole.
    data: Vec<u8>,
    progress: Progress,
    /// Whether it is named, and not `message`.
    is_for_others: bool,
    /// Bytes at the front of the input that end no line.
    searched: usize,
    /// Whether the first line has begun.
    has_begun: bool,
    /// Whether the last line ended with CR, so that LF belongs to it.
    after_cr: bool,
    /// Inside a line over the limit, of which nothing is kept.
    in_long_line: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Progress {
    /// It has no data so far.
    Empty,
    Data,
    /// It is over the limit, and nothing of it is kept.
    Dropping,
    /// It has been handed on.
    Taken,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            limit: 10 << 20,
            data: Vec::new(),
            progress: Progress::Empty,
            is_for_others: false,
            searched: 0,
            has_begun: false,
            after_cr: false,
            in_long_line: false,
        }
    }
}

impl Events {
    /// Refuses events with more than `limit` bytes of data, and longer lines of any
    /// kind. Default 10 MiB.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Where the first line ends; `None` if its end has not come.
    fn line_end(&mut self, waiting: &[u8]) -> Option<usize> {
        let unknown = &waiting[self.searched..];
        let at = memchr::memchr2(b'\r', b'\n', unknown);
        let end = at.map(|at| self.searched + at);
        self.searched = end.unwrap_or(waiting.len());
        end
    }

    /// Passes over what is no part of a line; whether it is known what that is.
    fn pass_over(&mut self, input: &mut Input) -> bool {
        if !self.has_begun {
            let waiting = input.waiting();
            if waiting.len() < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(waiting) {
                return false;
            }
            if waiting.starts_with(BYTE_ORDER_MARK) {
                input.consume(BYTE_ORDER_MARK.len());
            }
            self.has_begun = true;
        }
        if self.after_cr {
            match input.waiting().first() {
                None => return false,
                Some(b'\n') => {
                    input.consume(1);
                }
                Some(_) => {}
            }
            self.after_cr = false;
        }
        true
    }

    /// Takes in a line that is not empty; whether the event is over the limit by it.
    fn take_in(&mut self, line: &[u8]) -> bool {
        let (field, value) = match memchr::memchr(b':', line) {
            Some(at) => (&line[..at], line[at + 1..].strip_prefix(b" ").unwrap_or(&line[at + 1..])),
            None => (line, &[][..]),
        };
        match (field, self.progress) {
            (b"event", _) => self.is_for_others = !matches!(value, b"" | b"message"),
            (b"data", Progress::Empty | Progress::Data) => {
                let before = self.data.len() + usize::from(self.progress == Progress::Data);
                if before + value.len() > self.limit {
                    return true;
                }
                if self.progress == Progress::Data {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
                self.progress = Progress::Data;
            }
            _ => {}
        }
        false
    }

    /// The event is over the limit; whether that is news.
    fn drop_event(&mut self) -> bool {
        let is_new = self.progress != Progress::Dropping;
        self.progress = Progress::Dropping;
        is_new
    }

    fn oversize(&self) -> Cut<'_> {
        let head = &self.data[..self.data.len().min(HEAD)];
        Cut::Oversize { channel: 0, limit: self.limit, head }
    }
}

impl Framing for Events {
    fn cut<'b>(&'b mut self, input: &'b mut Input, _out: &mut Outbox) -> Result<Cut<'b>, Unframed> {
        if let Progress::Taken | Progress::Dropping = self.progress {
            self.data.clear();
            self.data.shrink_to(ROOM);
        }
        if self.progress == Progress::Taken {
            self.progress = Progress::Empty;
        }
        loop {
            if !self.pass_over(input) {
                return Ok(Cut::Partial { missing: 0 });
            }
            let Some(end) = self.line_end(input.waiting()) else {
                let waiting = input.len();
                if self.in_long_line || waiting > self.limit.saturating_add(DATA.len()) {
                    input.consume(waiting);
                    (self.searched, self.in_long_line) = (0, true);
                    if self.drop_event() {
                        return Ok(self.oversize());
                    }
                }
                return Ok(Cut::Partial { missing: 0 });
            };
            self.searched = 0;
            let line = input.consume(end + 1);
            self.after_cr = line[end] == b'\r';
            let line = &line[..end];
            if std::mem::take(&mut self.in_long_line) {
                continue;
            }
            if !line.is_empty() {
                let is_long = line.len() > self.limit.saturating_add(DATA.len());
                if (is_long || self.take_in(line)) && self.drop_event() {
                    return Ok(self.oversize());
                }
                continue;
            }
            let is_for_others = std::mem::take(&mut self.is_for_others);
            if self.progress == Progress::Data && !is_for_others {
                self.progress = Progress::Taken;
                let body = Body::Binary(&self.data);
                return Ok(Cut::Frame(Frame { body, channel: 0, delimited: true, several: false }));
            }
            self.data.clear();
            self.progress = Progress::Empty;
        }
    }

    fn finish<'b>(&'b mut self, input: &'b mut Input) -> Result<Cut<'b>, Unframed> {
        if self.is_inside() || !input.is_empty() {
            return Err(Unframed {
                reason: "the stream ended inside an event",
                goodbye: Goodbye::ProtocolError,
            });
        }
        Ok(Cut::End)
    }

    fn is_inside(&self) -> bool {
        matches!(self.progress, Progress::Data | Progress::Dropping)
    }

    fn marking(&self) -> Box<dyn Marking> {
        Box::new(EventMarking)
    }
}

#[derive(Debug)]
struct EventMarking;

impl Marking for EventMarking {
    fn open(&mut self, stream: &mut Vec<u8>, _channel: u8) {
        stream.extend_from_slice(DATA);
    }

    /// A line ends with CR too, and both can only be white space in a message.
    fn close(&mut self, stream: &mut Vec<u8>, _start: usize, body: usize) {
        let mut value = &mut stream[body..];
        while let Some(at) = memchr::memchr2(b'\r', b'\n', value) {
            value[at] = b' ';
            value = &mut value[at + 1..];
        }
        stream.extend_from_slice(b"\n\n");
    }

    fn another(&self) -> Box<dyn Marking> {
        Box::new(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, cut_all};
    use super::*;
    use proptest::prelude::*;

    fn make(limit: usize) -> impl Fn() -> Box<dyn Framing> {
        move || Box::new(Events::default().limit(limit))
    }

    #[track_caller]
    fn cuts(stream: &str, expected: &[&str]) {
        check(&make(1000), stream.as_bytes(), true, expected);
    }

    #[test]
    fn each_event_is_a_message_whatever_ends_its_lines() {
        cuts("data: 1\n\ndata:2\r\n\r\ndata: 3\r\rdata\n\n", &["1", "2", "3", ""]);
        cuts("data: 1\r\n\ndata: 2\r\r\n", &["1", "2"]);
        cuts("\u{feff}data: 1\n\n", &["1"]);
        cuts("", &[]);
        cuts("\n\r\r\n", &[]);
    }

    #[test]
    fn data_of_several_lines_is_put_together() {
        cuts("data: {\ndata:\"a\":\ndata:  1}\n\n", &["{\n\"a\":\n 1}"]);
    }

    #[test]
    fn what_is_no_message_goes_by() {
        cuts(": hello\n\n:\n\nid: 7\nretry: 1\ndata: 1\nother: x\n\nid\n\n", &["1"]);
        cuts("event: message\ndata: 1\n\ndata: 2\nevent: ping\n\nevent\ndata: 3\n\n", &["1", "3"]);
    }

    #[test]
    fn half_an_event_is_none() {
        cuts("data: 1\n\ndata: 2\n", &["1", "<the stream ended inside an event>"]);
        cuts("data: 1\n\ndat", &["1", "<the stream ended inside an event>"]);
        cuts("data: 1\n\nid: 1\n", &["1"]);
    }

    #[test]
    fn what_is_over_the_limit_is_dropped_and_the_next_is_heard() {
        let long = "x".repeat(20);
        for event in [
            format!("data: {long}\n\n"),
            "data: 12345678\ndata: 1\n\n".to_owned(),
            format!("data: 1\ndata: {long}\ndata: 2\n\n"),
            format!(": {long}\ndata: 1\n\n"),
        ] {
            let stream = format!("{event}data: 12345678\n\n");
            check(&make(8), stream.as_bytes(), true, &["<oversize>", "12345678"]);
        }
        let mut input = Input::default();
        let (mut events, mut out) = (Events::default().limit(8), Outbox::new(Box::new(EventMarking)));
        for _ in 0..100 {
            input.extend(long.as_bytes());
            events.cut(&mut input, &mut out).unwrap();
            assert!(input.is_empty(), "nothing of it is kept");
        }
        input.extend(b"\n\ndata: 12345678\ndata: 1\ndata: 2\n");
        assert!(matches!(events.cut(&mut input, &mut out), Ok(Cut::Oversize { .. })));
        assert!(matches!(events.cut(&mut input, &mut out), Ok(Cut::Partial { .. })));
        assert!(events.data.is_empty(), "nor of what had come before");
    }

    #[test]
    fn a_message_is_one_event_whatever_is_in_it() {
        let mut out = Outbox::new(Box::new(EventMarking));
        out.frame(0, |body| body.extend_from_slice(b"{\r\n\"a\":\"\\n\"}"));
        assert_eq!(out.bytes(), b"data: {  \"a\":\"\\n\"}\n\n");
    }

    proptest! {
        /// Whatever comes, and in whatever pieces: the same is heard.
        #[test]
        fn pieces_mean_nothing(stream in "(data: ?|event: ?|:|[a{}\u{e9}]|\r|\n){0,40}", piece in 1..9_usize, limit in 0..9_usize) {
            let whole = cut_all(&mut *make(limit)(), &[stream.as_bytes()], true);
            let pieces: Vec<&[u8]> = stream.as_bytes().chunks(piece).collect();
            prop_assert_eq!(cut_all(&mut *make(limit)(), &pieces, true), whole);
        }

        /// What is sent is heard, but for what ends lines.
        #[test]
        fn what_is_sent_is_heard(messages in proptest::collection::vec("[^\r\n]{0,20}", 0..5)) {
            let mut out = Outbox::new(Box::new(EventMarking));
            for message in &messages {
                out.frame(0, |body| body.extend_from_slice(message.as_bytes()));
            }
            let heard = cut_all(&mut *make(1000)(), &[out.bytes()], true);
            let sent: Vec<&str> = messages.iter().map(|it| it.trim_matches(|c: char| c.is_ascii_whitespace())).collect();
            prop_assert_eq!(heard, sent);
        }
    }
}
