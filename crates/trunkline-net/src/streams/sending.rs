//! How the items of an [`OpenStream`] come into frames: one by one, or together.

use super::{OpenStream, Writing, open::Went};
use crate::conversation::panicked;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context as TaskContext, Poll},
};
use trunkline_core::{Dialect, Fault, OpenFrame, Outbox, Reply};

/// The longest frame of several items: what is around them is next to nothing then.
const TOGETHER: usize = 16 << 10;

/// How much may be sent before others have their turn.
#[derive(Clone, Copy)]
pub(super) struct Most {
    pub(super) items: usize,
    /// Of items: the last one may go beyond.
    pub(super) bytes: usize,
    /// Up to where the outbox is filled.
    pub(super) filled: usize,
}

/// What is in the outbox, whatever becomes of the item that is next.
#[derive(Default)]
pub(super) struct Sent {
    pub(super) items: usize,
    /// What they came to, without what is around them.
    pub(super) bytes: usize,
    /// The frame that is open, and where the last of its items ends that are whole.
    open: Option<(OpenFrame, Option<usize>)>,
}

impl Sent {
    fn count(&mut self, bytes: usize) {
        self.items += 1;
        self.bytes += bytes;
    }

    fn has_room(&self, most: Most) -> bool {
        self.items < most.items && self.bytes < most.bytes
    }
}

/// What came in place of one more item; nothing, if there is no room for one.
type Stopped = Option<Poll<Option<Result<(), Fault>>>>;

impl OpenStream {
    /// Sends items, of which there is room for one at least: which, and what came of it,
    /// if it is not to go on.
    pub(super) fn send(
        &mut self,
        cx: &mut TaskContext<'_>,
        dialect: &mut dyn Dialect,
        writing: Writing,
        out: &mut Outbox,
        most: Most,
    ) -> (Sent, Option<Went>) {
        self.tell_missed(dialect, out);
        if !self.kept.is_empty() {
            return (self.send_kept(dialect, out, most), None);
        }
        let mut sent = Sent::default();
        let stopped = catch_unwind(AssertUnwindSafe(|| match self.head.together {
            0 => self.one_by_one(cx, dialect, writing, out, most, &mut sent),
            _ => self.together(cx, dialect, writing, out, most, &mut sent),
        }));
        let stopped = stopped.unwrap_or_else(|panic| Some(Poll::Ready(Some(Err(panicked(panic))))));
        match sent.open {
            None => {}
            Some((frame, None)) => out.discard(frame),
            Some((frame, Some(end))) => {
                out.body().truncate(end);
                dialect.close_item(&self.head, frame, out);
            }
        }
        let went = stopped.map(|stopped| match stopped {
            Poll::Pending => Went::Waits,
            Poll::Ready(ended) => Went::Ended(ended.unwrap_or(Ok(()))),
        });
        (sent, went)
    }

    /// Sends items that were kept.
    fn send_kept(&mut self, dialect: &mut dyn Dialect, out: &mut Outbox, most: Most) -> Sent {
        let mut sent = Sent::default();
        while sent.has_room(most)
            && out.len() < most.filled
            && let Some(item) = self.kept.pop()
        {
            let frame = dialect.open_item(&self.head, out);
            let full = self.full(frame, out);
            out.body().extend_from_slice(&item);
            sent.count(item.len());
            while sent.has_room(most)
                && let Some(room) = full.checked_sub(out.len() + 1)
                && let Some(item) = self.kept.pop_within(room)
            {
                out.body().push(self.head.separator);
                out.body().extend_from_slice(&item);
                sent.count(item.len());
            }
            dialect.close_item(&self.head, frame, out);
        }
        sent
    }

    /// Where the outbox ends when a frame of several items is as long as it may be.
    fn full(&self, frame: OpenFrame, out: &Outbox) -> usize {
        out.len() - out.written(frame).len() + self.head.together.min(TOGETHER)
    }

    /// Sends each item that is there in a frame of its own.
    fn one_by_one(
        &mut self,
        cx: &mut TaskContext<'_>,
        dialect: &mut dyn Dialect,
        writing: Writing,
        out: &mut Outbox,
        most: Most,
        sent: &mut Sent,
    ) -> Stopped {
        loop {
            let frame = dialect.open_item(&self.head, out);
            sent.open = Some((frame, None));
            let start = out.len();
            let item = &mut Reply::new(out.body(), writing.format, writing.max_reply);
            match self.running.as_mut().poll_next(cx, item) {
                Poll::Ready(Some(Ok(()))) => {}
                stopped => return Some(stopped),
            }
            sent.count(out.len() - start);
            dialect.close_item(&self.head, frame, out);
            sent.open = None;
            if !sent.has_room(most) || out.len() >= most.filled {
                return None;
            }
        }
    }

    /// Sends a frame of the items that are there.
    fn together(
        &mut self,
        cx: &mut TaskContext<'_>,
        dialect: &mut dyn Dialect,
        writing: Writing,
        out: &mut Outbox,
        most: Most,
        sent: &mut Sent,
    ) -> Stopped {
        let frame = dialect.open_item(&self.head, out);
        sent.open = Some((frame, None));
        let full = self.full(frame, out);
        // what is between items is less than what they were cut short by
        let enough = full.min(most.filled).min(out.len().saturating_add(most.bytes));
        let body = out.body();
        loop {
            let start = body.len();
            let item = &mut Reply::new(body, writing.format, writing.max_reply);
            match self.running.as_mut().poll_next(cx, item) {
                Poll::Ready(Some(Ok(()))) => {}
                stopped => return Some(stopped),
            }
            let end = body.len();
            if end > full && sent.items > 0 {
                self.kept.put_back(body.split_off(start));
                return None;
            }
            sent.count(end - start);
            sent.open = Some((frame, Some(end)));
            // the next one is likely to be as long
            if sent.items >= most.items || end + (end - start) >= enough {
                return None;
            }
            body.push(self.head.separator);
        }
    }
}
