//! [`Outbox`]: frames on their way out, as the bytes the transport will carry.
//!
//! Replies are written in place: a dialect opens a frame, the procedure appends
//! its value, the dialect closes the frame, and nothing is copied on the way.

use crate::framing::Marking;
use std::fmt;

/// Frames on their way to the far side.
///
/// ```
/// # use trunkline_core::{Outbox, framing::{Framing, Lines}};
/// let mut outbox = Outbox::new(Lines::default().marking());
/// outbox.frame(0, |body| body.extend_from_slice(b"{}"));
/// assert_eq!(outbox.bytes(), b"{}\n");
/// ```
pub struct Outbox {
    bytes: Vec<u8>,
    marking: Box<dyn Marking>,
    /// Where each frame ends, for those who must send them one by one.
    ends: Option<Vec<usize>>,
}

/// A frame that has been opened in an [`Outbox`] and not closed yet.
#[derive(Clone, Copy, Debug)]
#[must_use = "an open frame is neither sent nor discarded"]
pub struct OpenFrame {
    start: usize,
    body: usize,
}

impl Outbox {
    /// An empty outbox whose frames are marked off by `marking`.
    #[must_use]
    pub fn new(marking: Box<dyn Marking>) -> Self {
        Self { bytes: Vec::new(), marking, ends: None }
    }

    /// Opens a frame: what is appended to [`body`](Self::body) until it is
    /// [closed](Self::close) belongs to it.
    pub fn open(&mut self, channel: u8) -> OpenFrame {
        let start = self.bytes.len();
        self.marking.open(&mut self.bytes, channel);
        OpenFrame { start, body: self.bytes.len() }
    }

    /// Where the content of the open frame goes.
    pub fn body(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// What the open frame holds so far.
    #[must_use]
    pub fn written(&self, frame: OpenFrame) -> &[u8] {
        self.bytes.get(frame.body..).unwrap_or_default()
    }

    /// Empties the open frame, which stays open.
    pub fn rewind(&mut self, frame: OpenFrame) {
        self.bytes.truncate(frame.body);
    }

    /// Closes the frame: it will be sent.
    pub fn close(&mut self, frame: OpenFrame) {
        self.marking.close(&mut self.bytes, frame.start, frame.body);
        if let Some(ends) = &mut self.ends {
            ends.push(self.bytes.len());
        }
    }

    /// Takes the frame back: nothing of it will be sent.
    pub fn discard(&mut self, frame: OpenFrame) {
        self.bytes.truncate(frame.start);
    }

    /// Writes a whole frame.
    pub fn frame(&mut self, channel: u8, write: impl FnOnce(&mut Vec<u8>)) {
        let frame = self.open(channel);
        write(&mut self.bytes);
        self.close(frame);
    }

    /// The bytes to send.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes to send, without copying them.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// How many bytes wait to be sent.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing waits to be sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes back what was added after the first `len` bytes; only whole frames
    /// may remain.
    pub fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
        if let Some(ends) = &mut self.ends {
            ends.retain(|end| *end <= len);
        }
    }

    /// Forgets what has been sent. A buffer that a large message has swollen
    /// beyond `keep` bytes is given back.
    pub fn clear(&mut self, keep: usize) {
        self.bytes.clear();
        self.bytes.shrink_to(keep);
        if let Some(ends) = &mut self.ends {
            ends.clear();
        }
    }

    /// Moves what waits in `other` behind what waits here.
    pub fn append(&mut self, other: &mut Self) {
        if let (Some(ends), Some(more)) = (&mut self.ends, &mut other.ends) {
            ends.extend(more.drain(..).map(|end| self.bytes.len() + end));
        }
        if self.bytes.is_empty() {
            std::mem::swap(&mut self.bytes, &mut other.bytes);
        } else {
            self.bytes.append(&mut other.bytes);
        }
    }

    /// Puts what waits in `other` before a frame that is open here, and stays so.
    pub fn put_ahead(&mut self, frame: OpenFrame, other: &mut Self) -> OpenFrame {
        let open = self.bytes.split_off(frame.start);
        self.append(other);
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&open);
        OpenFrame { start, body: start + (frame.body - frame.start) }
    }

    /// From now on remembers where frames end, so that
    /// [`take_frames`](Self::take_frames) can tell them apart. What waits already
    /// counts as one frame.
    pub fn keep_frames_apart(&mut self) {
        let waiting = self.bytes.len();
        self.ends.get_or_insert_with(|| if waiting > 0 { vec![waiting] } else { vec![] });
    }

    /// Takes all that waits, frame by frame.
    pub fn take_frames(&mut self) -> Vec<Vec<u8>> {
        let mut start = 0;
        let mut frames: Vec<Vec<u8>> = Vec::new();
        for end in self.ends.iter_mut().flat_map(|ends| ends.drain(..)) {
            frames.push(self.bytes[start..end].to_vec());
            start = end;
        }
        if start < self.bytes.len() {
            frames.push(self.bytes[start..].to_vec());
        }
        self.bytes.clear();
        frames
    }

    /// An empty outbox to the same stream.
    #[must_use]
    pub fn another(&self) -> Self {
        Self::new(self.marking.another())
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("len", &self.bytes.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::{Framing, Lines};

    #[test]
    fn frames_that_were_cleared_have_no_ends() {
        let mut outbox = Outbox::new(Lines::default().marking());
        outbox.keep_frames_apart();
        outbox.frame(0, |body| body.extend_from_slice(b"long ago"));
        outbox.clear(0);
        outbox.frame(0, |body| body.extend_from_slice(b"now"));
        assert_eq!(outbox.take_frames(), [b"now\n"]);
    }
}
