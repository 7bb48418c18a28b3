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
    /// Up to where the outbox is filled.
    pub(super) bytes: usize,
}

/// What is in the outbox, whatever becomes of the item that is next.
#[derive(Default)]
struct Sent {
    items: usize,
    /// The frame that is open, and where the last of its items ends that are whole.
    open: Option<(OpenFrame, Option<usize>)>,
}

/// What came in place of one more item; nothing, if there is no room for one.
type Stopped = Option<Poll<Option<Result<(), Fault>>>>;

impl OpenStream {
    /// Sends items, of which there is room for one at least: how many, and what came
    /// of it, if it is not to go on.
    pub(super) fn send(
        &mut self,
        cx: &mut TaskContext<'_>,
        dialect: &mut dyn Dialect,
        writing: Writing,
        out: &mut Outbox,
        most: Most,
    ) -> (usize, Option<Went>) {
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
        (sent.items, went)
    }

    /// Sends items that were kept; how many.
    fn send_kept(&mut self, dialect: &mut dyn Dialect, out: &mut Outbox, most: Most) -> usize {
        let mut sent = 0;
        while sent < most.items
            && out.len() < most.bytes
            && let Some(item) = self.kept.pop()
        {
            let frame = dialect.open_item(&self.head, out);
            let full = self.full(frame, out);
            out.body().extend_from_slice(&item);
            sent += 1;
            while sent < most.items
                && let Some(room) = full.checked_sub(out.len() + 1)
                && let Some(item) = self.kept.pop_within(room)
            {
                out.body().push(self.head.separator);
                out.body().extend_from_slice(&item);
                sent += 1;
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
            let item = &mut Reply::new(out.body(), writing.format, writing.max_reply);
            match self.running.as_mut().poll_next(cx, item) {
                Poll::Ready(Some(Ok(()))) => {}
                stopped => return Some(stopped),
            }
            dialect.close_item(&self.head, frame, out);
            sent.open = None;
            sent.items += 1;
            if sent.items >= most.items || out.len() >= most.bytes {
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
        let enough = full.min(most.bytes);
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
            sent.items += 1;
            sent.open = Some((frame, Some(end)));
            // the next one is likely to be as long
            if sent.items >= most.items || end + (end - start) >= enough {
                return None;
            }
            body.push(self.head.separator);
        }
    }
}
