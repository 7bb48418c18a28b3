//! [`Items`]: reads the items of one stream as JSON-RPC has them, and no more of a message than its number.

use anyhow::{Result, bail, ensure};
use memchr::{memchr, memmem};

use crate::replies::frame_head;
use crate::requests::Wire;
use crate::sequence::Sequence;

/// The items of the one stream of a connection.
#[derive(Debug)]
pub struct Items {
    wire: Wire,
    sequence: Sequence,
    /// What has come and is not a whole message yet.
    pending: Vec<u8>,
    answered: bool,
}

impl Items {
    /// For a fresh connection that speaks `wire`, on which a stream of `length` items is opened.
    #[must_use]
    pub const fn new(wire: Wire, length: u64) -> Self {
        Self { wire, sequence: Sequence::new(length), pending: Vec::new(), answered: false }
    }

    /// Takes `read`, the next bytes of the connection.
    ///
    /// # Errors
    ///
    /// Fails when an item is not the next one, and when the call was refused or the stream broke off.
    pub fn take(&mut self, read: &[u8]) -> Result<()> {
        let mut pending = std::mem::take(&mut self.pending);
        pending.extend_from_slice(read);
        let mut used = 0;
        while let Some(cut) = self.cut(&pending[used..])? {
            if let Some(message) = cut.message {
                self.hear(message)?;
            }
            used += cut.length;
        }
        pending.drain(..used);
        self.pending = pending;
        Ok(())
    }

    /// The items so far.
    #[must_use]
    pub const fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// The line or the frame that `read` starts with, once it is whole.
    fn cut<'a>(&self, read: &'a [u8]) -> Result<Option<Cut<'a>>> {
        match self.wire {
            Wire::Http => bail!("streams are not read over HTTP"),
            Wire::Lines => {
                Ok(memchr(b'\n', read).map(|at| Cut { message: Some(&read[..at]), length: at + 1 }))
            }
            Wire::WebSocket => {
                let Some((head, body, counts)) = frame_head(read)? else { return Ok(None) };
                let (whole, length) = (read.get(head..head + body), head + body);
                Ok(whole.map(|message| Cut { message: counts.then_some(message), length }))
            }
        }
    }

    /// Before the items comes the answer to the call, and after them perhaps a word that there are no more.
    fn hear(&mut self, message: &[u8]) -> Result<()> {
        let refused = || memmem::find(message, br#""error":"#).is_some();
        match number(message) {
            Some(number) => return self.sequence.take(number),
            None if !self.answered && !refused() => self.answered = true,
            None => ensure!(
                self.sequence.is_whole() && !refused(),
                "after {} items came {}",
                self.sequence.taken(),
                String::from_utf8_lossy(message)
            ),
        }
        Ok(())
    }
}

/// A line, or a frame.
struct Cut<'a> {
    /// What it holds; `None` for a ping.
    message: Option<&'a [u8]>,
    /// The bytes it takes.
    length: usize,
}

/// `N` of `{…,"params":{"subscription":…,"result":N}}`, if `message` is one.
fn number(message: &[u8]) -> Option<u64> {
    let rest = message.strip_suffix(b"}}")?;
    let digits = rest.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (rest, digits) = rest.split_at(rest.len() - digits);
    let found = rest.ends_with(br#""result":"#) && !digits.is_empty();
    found.then(|| digits.iter().fold(0_u64, |sum, digit| sum.wrapping_mul(10) + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"{"jsonrpc":"2.0","id":10000,"result":7}"#;
    const END: &str = r#"{"jsonrpc":"2.0","method":"rpc.end","params":{"subscription":7}}"#;

    fn item(number: u64) -> String {
        let params = format!(r#"{{"subscription":7,"result":{number}}}"#);
        format!(r#"{{"jsonrpc":"2.0","method":"count","params":{params}}}"#)
    }

    fn lines(messages: &[&str]) -> Vec<u8> {
        messages.iter().flat_map(|message| format!("{message}\n").into_bytes()).collect()
    }

    fn frames(messages: &[&str]) -> Vec<u8> {
        let frame = |message: &str| {
            let head = [0x81, u8::try_from(message.len()).unwrap()];
            [&head, message.as_bytes()].concat()
        };
        messages.iter().flat_map(|message| frame(message)).collect()
    }

    /// Whatever the cuts between reads, all items are found.
    #[track_caller]
    fn check(wire: Wire, stream: &[u8], items: u64) {
        for piece in 1..=stream.len() {
            let mut heard = Items::new(wire, items);
            stream.chunks(piece).for_each(|read| heard.take(read).unwrap());
            assert!(heard.sequence().is_whole(), "in reads of {piece}");
        }
    }

    #[test]
    fn items_are_read_from_lines() {
        check(Wire::Lines, &lines(&[ANSWER, &item(0), &item(1), END]), 2);
    }

    #[test]
    fn items_are_read_from_frames() {
        let items: Vec<_> = (0..12).map(item).collect();
        let messages: Vec<_> = [ANSWER].into_iter().chain(items.iter().map(String::as_str)).collect();
        let mut stream = frames(&messages);
        stream.splice(0..0, *b"\x89\x01!");
        check(Wire::WebSocket, &stream, 12);
    }

    #[track_caller]
    fn refused(messages: &[&str]) {
        assert!(Items::new(Wire::Lines, 2).take(&lines(messages)).is_err());
    }

    #[test]
    fn what_is_missing_or_not_asked_for_is_refused() {
        refused(&[ANSWER, &item(1)]);
        refused(&[ANSWER, &item(0), END]);
        refused(&[r#"{"jsonrpc":"2.0","id":10000,"error":{"code":-32601,"message":"no"}}"#]);
        refused(&[ANSWER, &item(0), r#"{"method":"count","params":{"subscription":7,"error":{}}}"#]);
    }
}
