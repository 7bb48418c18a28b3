//! [`Unsent`]: what the callers of an HTTP/2 connection have yet to take.
//!
//! On HTTP/2 a caller takes of each reply as much as it pleases, and hyper keeps
//! the rest for as long as that takes. So it is counted here, until the last byte
//! is on its way: how much there is, and whether any of it moves. Of a connection
//! that carries one reply at a time, its socket knows both.

use hyper::body::Bytes;
use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
};
use tokio::sync::Notify;

/// What the callers of a connection have yet to take.
#[derive(Debug)]
pub(super) struct Unsent {
    limit: usize,
    bytes: AtomicUsize,
    /// Shares that have been taken, or given up, so far.
    moves: AtomicUsize,
    /// Rung when there is room again.
    room: Notify,
}

impl Unsent {
    /// Nothing so far, and room for `limit` bytes.
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, bytes: AtomicUsize::new(0), moves: AtomicUsize::new(0), room: Notify::new() })
    }

    /// How much has moved so far, if there is anything left to move.
    pub(super) fn stands_at(&self) -> Option<usize> {
        (self.bytes.load(SeqCst) > 0).then(|| self.moves.load(SeqCst))
    }

    /// Drives what is to end in a reply, while there is room for one.
    pub(super) async fn pace<F: Future>(&self, work: F) -> F::Output {
        let (mut work, mut room) = (pin!(work), pin!(self.room.notified()));
        poll_fn(|cx| {
            loop {
                if self.has_room() {
                    return work.as_mut().poll(cx);
                }
                match room.as_mut().poll(cx) {
                    Poll::Ready(()) => room.set(self.room.notified()),
                    // it may have come about just before this began to wait for it
                    Poll::Pending if self.has_room() => {}
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }

    fn has_room(&self) -> bool {
        self.bytes.load(SeqCst) <= self.limit
    }

    fn less(&self, bytes: usize) {
        let before = self.bytes.fetch_sub(bytes, SeqCst);
        self.moves.fetch_add(1, SeqCst);
        if before > self.limit && before - bytes <= self.limit {
            self.room.notify_waiters();
        }
    }
}

/// Bytes that count as unsent for as long as it is kept.
#[derive(Debug)]
pub(super) struct Share {
    of: Arc<Unsent>,
    bytes: usize,
}

impl Share {
    pub(super) fn new(of: Arc<Unsent>, bytes: usize) -> Self {
        let mut share = Self { of, bytes: 0 };
        share.add(bytes);
        share
    }

    /// Counts so many bytes more.
    pub(super) fn add(&mut self, bytes: usize) {
        self.of.bytes.fetch_add(bytes, SeqCst);
        self.bytes += bytes;
    }

    /// Leaves so many of its bytes to a share of their own.
    pub(super) fn split(&mut self, bytes: usize) -> Self {
        self.bytes -= bytes;
        Self { of: self.of.clone(), bytes }
    }

    /// Is kept for as long as these bytes are.
    pub(super) fn with(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Piece { bytes, _share: self })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.of.less(self.bytes);
        }
    }
}

struct Piece {
    bytes: Bytes,
    _share: Share,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::future::ready;

    #[test]
    fn bytes_are_counted_until_the_last_part_of_them_is_gone() {
        let unsent = Unsent::new(10);
        assert_eq!(unsent.stands_at(), None);
        let mut whole = Share::new(unsent.clone(), 30);
        let mut piece = whole.split(20).with(Bytes::from_static(&[b'x'; 20]));
        assert_eq!(unsent.stands_at(), Some(0));
        drop(piece.split_to(19));
        assert_eq!(unsent.stands_at(), Some(0), "a byte of it is left");
        drop(piece);
        assert_eq!(unsent.stands_at(), Some(1));
        assert!(unsent.has_room());
        drop(whole);
        assert_eq!(unsent.stands_at(), None);
    }

    #[tokio::test]
    async fn what_makes_replies_goes_on_when_there_is_room() {
        let unsent = Unsent::new(10);
        assert_eq!(unsent.pace(ready(1)).await, 1);
        let (first, second) = (Share::new(unsent.clone(), 11), Share::new(unsent.clone(), 5));
        let begun = || {
            let unsent = unsent.clone();
            tokio::spawn(async move { unsent.pace(ready(2)).await })
        };
        let waiting = [begun(), begun()];
        tokio::task::yield_now().await;
        drop(second);
        tokio::task::yield_now().await;
        assert!(waiting.iter().all(|task| !task.is_finished()), "there are more than ten bytes still");
        drop(first);
        for task in waiting {
            assert_eq!(task.await.unwrap(), 2);
        }
        assert!(unsent.room.notified().now_or_never().is_none(), "nobody is waited for");
    }
}
