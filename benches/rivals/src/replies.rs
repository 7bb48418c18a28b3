//! [`Replies`]: counts answers in a byte stream without reading them.
//!
//! The first and the last answer of every read are kept whole enough to be looked at: a server that answers with
//! errors must not win.

use anyhow::{Context, Result, bail, ensure};
use memchr::{memchr_iter, memmem};

use crate::requests::Wire;

/// Counts the answers on one connection.
#[derive(Debug)]
pub struct Replies {
    wire: Wire,
    /// What of the last read was an unfinished header.
    partial: Vec<u8>,
    /// How much of the current answer is still to come, and whether it counts once it has.
    rest: usize,
    counts: bool,
    length: memmem::Finder<'static>,
    head_end: memmem::Finder<'static>,
}

impl Replies {
    /// For a fresh connection that speaks `wire`.
    #[must_use]
    pub fn new(wire: Wire) -> Self {
        Self {
            wire,
            partial: Vec::new(),
            rest: 0,
            counts: false,
            length: memmem::Finder::new("content-length: "),
            head_end: memmem::Finder::new("\r\n\r\n"),
        }
    }

    /// How many answers end in `read`, the next bytes of the stream.
    ///
    /// # Errors
    ///
    /// Fails when the bytes cannot be an answer.
    pub fn count(&mut self, read: &[u8]) -> Result<usize> {
        if self.wire == Wire::Lines {
            return Ok(memchr_iter(b'\n', read).count());
        }
        if self.partial.is_empty() {
            return self.walk(read);
        }
        let mut joined = std::mem::take(&mut self.partial);
        joined.extend_from_slice(read);
        self.walk(&joined)
    }

    fn walk(&mut self, mut read: &[u8]) -> Result<usize> {
        let mut ended = 0;
        loop {
            if read.len() < self.rest {
                self.rest -= read.len();
                return Ok(ended);
            }
            read = &read[self.rest..];
            self.rest = 0;
            ended += usize::from(std::mem::take(&mut self.counts));
            let head = match self.wire {
                Wire::Http => self.http_head(read)?,
                Wire::Lines | Wire::WebSocket => frame_head(read)?,
            };
            let Some((head, body, counts)) = head else {
                self.partial = read.to_vec();
                return Ok(ended);
            };
            read = &read[head..];
            (self.rest, self.counts) = (body, counts);
        }
    }

    /// Length of head and body of the response that `read` starts with, once its head is whole.
    fn http_head(&self, read: &[u8]) -> Result<Option<(usize, usize, bool)>> {
        let Some(end) = self.head_end.find(read) else { return Ok(None) };
        let head = &read[..end];
        ensure!(head.starts_with(b"HTTP/1.1 200"), "the server answered {}", String::from_utf8_lossy(head));
        let at = self.length.find(head).context("a response without content-length cannot be counted")?;
        let digits = head[at + 16..].iter().take_while(|byte| byte.is_ascii_digit());
        let body = digits.fold(0_usize, |sum, digit| sum * 10 + usize::from(digit - b'0'));
        Ok(Some((end + 4, body, true)))
    }
}

/// The text of the message that `read` is, once all of it is there.
///
/// # Errors
///
/// Fails when it is none, or when more has come.
pub fn text_message(read: &[u8]) -> Result<Option<&[u8]>> {
    let Some((head, body, counts)) = frame_head(read)? else { return Ok(None) };
    ensure!(counts && read.len() <= head + body, "one message was asked for");
    Ok(read.get(head..head + body))
}

/// Length of head and payload of the frame that `read` starts with, and whether it is a message.
pub(crate) fn frame_head(read: &[u8]) -> Result<Option<(usize, usize, bool)>> {
    let [first, second, ..] = *read else { return Ok(None) };
    let counts = match first {
        0x81 | 0x82 => true,
        0x89 | 0x8a => false,
        0x88 => bail!("the server closed: {}", String::from_utf8_lossy(&read[2..])),
        other => bail!("a frame begins with {other:#x}, which is no whole unmasked message"),
    };
    Ok(match second {
        0..126 => Some((2, second.into(), counts)),
        126 if read.len() >= 4 => Some((4, u16::from_be_bytes([read[2], read[3]]).into(), counts)),
        126 => None,
        _ => bail!("a frame of 64 KiB or masked is no answer here"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the cuts between reads, the count is the same.
    #[track_caller]
    fn check(wire: Wire, stream: &[u8], answers: usize) {
        for piece in 1..=stream.len() {
            let mut replies = Replies::new(wire);
            let counted: usize = stream.chunks(piece).map(|read| replies.count(read).unwrap()).sum();
            assert_eq!(counted, answers, "in reads of {piece}");
        }
    }

    #[test]
    fn lines_are_counted() {
        check(Wire::Lines, b"{}\n{}\n{", 2);
    }

    #[test]
    fn messages_are_counted_and_pings_are_not() {
        check(Wire::WebSocket, b"\x81\x02{}\x89\x01!\x81\x7e\x00\x03{ }\x81\x02{", 2);
    }

    #[test]
    fn responses_are_counted() {
        let one = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        check(Wire::Http, one.repeat(3).as_bytes(), 3);
    }

    #[test]
    fn one_message_is_read_once_it_is_whole() {
        assert_eq!(text_message(b"\x81\x02{").unwrap(), None);
        assert_eq!(text_message(b"\x81\x02{}").unwrap(), Some(&b"{}"[..]));
        assert!(text_message(b"\x81\x02{}\x81").is_err());
    }

    #[test]
    fn a_refusal_is_not_an_answer() {
        assert!(Replies::new(Wire::Http).count(b"HTTP/1.1 404 Not Found\r\n\r\n").is_err());
        assert!(Replies::new(Wire::WebSocket).count(b"\x88\x02\x03\xe8").is_err());
    }
}
