//! [`Output`]: what waits to be sent to the far side, and how it leaves.

use super::{Shared, scratch, times::Times};
use crate::{
    clock::{after, now},
    link::{ByteStream, Ended},
};
use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    task::{Context as TaskContext, Poll},
    time::Instant,
};
use trunkline_core::{Dialect, Outbox};

/// What waits to be sent to the far side.
pub(super) struct Output {
    pub(super) outbox: Outbox,
    /// How much of the outbox has been written.
    written: usize,
    /// Whether what has been written may still be in a buffer of the stream.
    unflushed: bool,
    /// Bytes said of our own accord since all had been sent.
    own: usize,
    paced: Option<Box<Paced>>,
}

/// Frames that must leave one at a time.
#[derive(Default)]
struct Paced {
    queue: VecDeque<Vec<u8>>,
    /// Bytes in the queue.
    queued: usize,
    /// The frame that is leaving, and how much of it has left.
    leaving: Vec<u8>,
    left: usize,
    /// When the next frame may leave.
    next: Option<Instant>,
    /// Whether a frame waits for that.
    waiting: bool,
}

impl Paced {
    fn unsent(&self) -> usize {
        self.queued + self.leaving.len() - self.left
    }

    fn put(&mut self, outbox: &mut Outbox) {
        for frame in outbox.take_frames() {
            self.queued += frame.len();
            self.queue.push_back(frame);
        }
    }
}

impl Output {
    pub(super) fn new(outbox: Outbox) -> Self {
        Self { outbox, written: 0, unflushed: false, own: 0, paced: None }
    }

    /// Bytes that wait to be sent.
    #[inline]
    pub(super) fn unsent(&self) -> usize {
        self.outbox.len() - self.written + self.paced.as_ref().map_or(0, |paced| paced.unsent())
    }

    /// Bytes of replies that wait to be sent. What was said of our own accord is
    /// taken to leave last.
    #[inline]
    pub(super) fn unsent_replies(&self) -> usize {
        self.unsent().saturating_sub(self.own)
    }

    /// The last `count` bytes of the outbox are none of replies.
    pub(super) fn are_own(&mut self, count: usize) {
        self.own += count;
    }

    /// When the next frame may leave, if one waits for that.
    pub(super) fn waits_until(&self) -> Option<Instant> {
        self.paced.as_ref().filter(|paced| paced.waiting)?.next
    }

    /// Writes as much as can leave now; whether that was all.
    pub(super) fn write(
        &mut self,
        stream: &mut dyn ByteStream,
        dialect: &mut dyn Dialect,
        shared: &Shared,
        times: &mut Times,
        cx: &mut TaskContext<'_>,
    ) -> Result<bool, Ended> {
        if self.paced.is_none() && dialect.pace().is_none() {
            // what was held back for a far side that turned out not to need that
            while dialect.held() > 0 {
                dialect.flush(&mut self.outbox);
            }
            return self.write_all(stream, times, cx);
        }
        let paced = self.paced.get_or_insert_with(|| {
            shared.state().out.keep_frames_apart();
            // what waits already leaves in one piece
            let leaving = self.outbox.bytes().to_vec();
            self.outbox.clear(0);
            self.outbox.keep_frames_apart();
            Box::new(Paced { leaving, left: std::mem::take(&mut self.written), ..Paced::default() })
        });
        let mut stream = Pin::new(stream);
        loop {
            paced.put(&mut self.outbox);
            if !send(&mut stream, &paced.leaving, &mut paced.left, times, cx)? {
                return Ok(false);
            }
            let pace = dialect.pace();
            if paced.left > 0 {
                self.unflushed = true;
                (paced.leaving, paced.left) = (Vec::new(), 0);
                paced.next = pace.and_then(|pace| after(now(), pace));
            }
            if !flush(&mut stream, &mut self.unflushed, times, cx)? {
                return Ok(false);
            }
            paced.waiting = pace.is_some() && paced.next.is_some_and(|next| now() < next);
            if paced.waiting {
                return Ok(false);
            }
            if paced.queue.is_empty() {
                dialect.flush(&mut self.outbox);
                paced.put(&mut self.outbox);
            }
            match paced.queue.pop_front() {
                Some(frame) => {
                    paced.queued -= frame.len();
                    paced.leaving = frame;
                }
                None => {
                    self.own = 0;
                    // a first line feed ends the pacing, once nothing is held back any more
                    if pace.is_none() {
                        self.paced = None;
                    }
                    return Ok(true);
                }
            }
        }
    }

    fn write_all(
        &mut self,
        stream: &mut dyn ByteStream,
        times: &mut Times,
        cx: &mut TaskContext<'_>,
    ) -> Result<bool, Ended> {
        let mut stream = Pin::new(stream);
        if !send(&mut stream, self.outbox.bytes(), &mut self.written, times, cx)? {
            return Ok(false);
        }
        if self.written > 0 {
            (self.written, self.own) = (0, 0);
            self.unflushed = true;
            self.outbox.clear(scratch::SIZE);
        }
        flush(&mut stream, &mut self.unflushed, times, cx)
    }
}

/// Writes `bytes` from `written` on, as far as they are taken; whether all were.
fn send(
    stream: &mut Pin<&mut dyn ByteStream>,
    bytes: &[u8],
    written: &mut usize,
    times: &mut Times,
    cx: &mut TaskContext<'_>,
) -> Result<bool, Ended> {
    while *written < bytes.len() {
        match stream.as_mut().poll_write(cx, &bytes[*written..]) {
            Poll::Ready(Ok(0)) => return Err(Ended::Broken(io::ErrorKind::WriteZero.into())),
            Poll::Ready(Ok(count)) => {
                *written += count;
                times.taken(now());
            }
            Poll::Ready(Err(error)) => return Err(Ended::Broken(error)),
            Poll::Pending => {
                times.blocked(now());
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Has the stream pass on what it may have buffered; whether it did.
fn flush(
    stream: &mut Pin<&mut dyn ByteStream>,
    unflushed: &mut bool,
    times: &mut Times,
    cx: &mut TaskContext<'_>,
) -> Result<bool, Ended> {
    if !*unflushed {
        return Ok(true);
    }
    match stream.as_mut().poll_flush(cx) {
        Poll::Ready(Ok(())) => {
            *unflushed = false;
            times.taken_all();
            Ok(true)
        }
        Poll::Ready(Err(error)) => Err(Ended::Broken(error)),
        Poll::Pending => {
            times.blocked(now());
            Ok(false)
        }
    }
}
