//! [`Output`]: what waits to be sent to the far side, and how it leaves.

use super::{Shared, scratch, times::Times};
use crate::{
    conversation::{after, now},
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
    paced: Option<Paced>,
}

/// Frames that must leave one at a time.
#[derive(Default)]
struct Paced {
    queue: VecDeque<Vec<u8>>,
    /// When the next frame may leave.
    next: Option<Instant>,
    /// Whether a frame waits for that.
    waiting: bool,
}

impl Output {
    pub(super) fn new(outbox: Outbox) -> Self {
        Self { outbox, written: 0, unflushed: false, paced: None }
    }

    /// Bytes that wait to be sent.
    #[inline]
    pub(super) fn unsent(&self) -> usize {
        let queued = |paced: &Paced| paced.queue.iter().map(Vec::len).sum::<usize>();
        self.outbox.len() - self.written + self.paced.as_ref().map_or(0, queued)
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
            return self.write_all(stream, times, cx);
        }
        if self.paced.is_none() {
            self.outbox.keep_frames_apart();
            shared.state().out.keep_frames_apart();
            self.paced = Some(Paced::default());
        }
        self.write_paced(stream, dialect, times, cx)
    }

    fn write_all(
        &mut self,
        stream: &mut dyn ByteStream,
        times: &mut Times,
        cx: &mut TaskContext<'_>,
    ) -> Result<bool, Ended> {
        let mut stream = Pin::new(stream);
        while self.written < self.outbox.len() {
            match stream.as_mut().poll_write(cx, &self.outbox.bytes()[self.written..]) {
                Poll::Ready(Ok(0)) => return Err(Ended::Broken(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => {
                    self.written += count;
                    times.taken(now());
                }
                Poll::Ready(Err(error)) => return Err(Ended::Broken(error)),
                Poll::Pending => {
                    times.blocked(now());
                    return Ok(false);
                }
            }
        }
        if self.written > 0 {
            self.written = 0;
            self.unflushed = true;
            self.outbox.clear(scratch::SIZE);
        }
        if self.unflushed {
            match stream.poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => return Err(Ended::Broken(error)),
                Poll::Pending => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Writes frame by frame, with pauses between them.
    fn write_paced(
        &mut self,
        stream: &mut dyn ByteStream,
        dialect: &mut dyn Dialect,
        times: &mut Times,
        cx: &mut TaskContext<'_>,
    ) -> Result<bool, Ended> {
        loop {
            let pace = dialect.pace();
            let Some(paced) = &mut self.paced else { return Ok(true) };
            if self.written == 0 && !self.unflushed {
                paced.queue.extend(self.outbox.take_frames());
                paced.waiting = pace.is_some() && paced.next.is_some_and(|next| now() < next);
                if paced.waiting {
                    return Ok(false);
                }
                if paced.queue.is_empty() {
                    dialect.flush(&mut self.outbox);
                    paced.queue.extend(self.outbox.take_frames());
                }
                let Some(frame) = paced.queue.pop_front() else {
                    // a first line feed ends the pacing, once nothing is held back any more
                    if pace.is_none() {
                        self.paced = None;
                    }
                    return Ok(true);
                };
                self.outbox.body().extend_from_slice(&frame);
            }
            if !self.write_all(stream, times, cx)? {
                return Ok(false);
            }
            if let Some(paced) = &mut self.paced {
                paced.next = pace.and_then(|pace| after(now(), pace));
            }
        }
    }
}
