//! [`Sending`]: for how much of a stream that is sent its callee has room.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};
use trunkline_core::{
    Fault,
    feed::{WINDOW, WINDOW_BYTES},
};

/// What the task of the connection shares with that of a stream that is sent.
pub(crate) struct Sending(Mutex<Room>);

struct Room {
    /// For how many more items the callee has room.
    items: u64,
    /// The bytes of each item that is not known to be taken, and of all of them.
    untaken: VecDeque<usize>,
    untaken_bytes: usize,
    /// How much time each item gives the call.
    timeout: Option<Duration>,
    /// How the stream is to end before it does by itself, if it is.
    cut: Option<Result<(), Fault>>,
    waker: Option<Waker>,
}

impl Sending {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Room {
            items: WINDOW,
            untaken: VecDeque::new(),
            untaken_bytes: 0,
            timeout: None,
            cut: None,
            waker: None,
        })))
    }

    /// Nothing that runs under this lock can panic half-way through a change.
    fn room(&self) -> MutexGuard<'_, Room> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The callee has room for so many more items, or wants none any more; how much
    /// more time that gives the call.
    pub(in crate::peer) fn want(&self, items: Option<u64>) -> Option<Duration> {
        let Some(items) = items else {
            self.cut(Ok(()));
            return None;
        };
        self.change(|room| room.grant(items).then_some(room.timeout).flatten())
    }

    /// Says how much time each item gives the call, sent or taken.
    pub(super) fn within(&self, timeout: Option<Duration>) {
        self.room().timeout = timeout;
    }

    /// An item of so many bytes is sent.
    pub(super) fn sent(&self, bytes: usize) {
        self.room().sent(bytes);
    }

    /// Ends the stream before it does by itself.
    pub(in crate::peer) fn cut(&self, outcome: Result<(), Fault>) {
        self.change(|room| {
            room.cut.get_or_insert(outcome);
        });
    }

    fn change<R>(&self, change: impl FnOnce(&mut Room) -> R) -> R {
        let (changed, waker) = {
            let mut room = self.room();
            (change(&mut room), room.waker.take())
        };
        waker.into_iter().for_each(Waker::wake);
        changed
    }

    /// Whether there is room for an item, or how the stream is to end. Wakes whoever
    /// asks when that changes.
    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<Result<(), Result<(), Fault>>> {
        let mut room = self.room();
        if let Some(cut) = &room.cut {
            return Poll::Ready(Err(cut.clone()));
        }
        match &mut room.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        match room.items == 0 || room.untaken_bytes >= WINDOW_BYTES {
            true => Poll::Pending,
            false => Poll::Ready(Ok(())),
        }
    }
}

impl Room {
    fn sent(&mut self, bytes: usize) {
        self.items -= 1;
        // a callee that has given room beforehand does not say again what it takes
        if self.items < WINDOW {
            self.untaken.push_back(bytes);
            self.untaken_bytes += bytes;
        }
    }

    /// There is room for more items; whether that says that some were taken.
    fn grant(&mut self, items: u64) -> bool {
        self.items = self.items.saturating_add(items);
        let before = self.untaken.len();
        while self.untaken.len() as u64 > WINDOW.saturating_sub(self.items) {
            self.untaken_bytes -= self.untaken.pop_front().unwrap_or_default();
        }
        self.untaken.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether an item may be sent.
    fn has_room(sending: &Sending) -> bool {
        sending.poll(&Context::from_waker(Waker::noop())).is_ready()
    }

    fn send_all(sending: &Sending, bytes: usize) -> usize {
        let sent = (0..1000).take_while(|_| {
            let may = has_room(sending);
            if may {
                sending.sent(bytes);
            }
            may
        });
        sent.count()
    }

    #[test]
    fn there_is_room_for_so_many_items_and_so_many_bytes() {
        for (bytes, expected) in
            [(1, 64), (WINDOW_BYTES / 8, 8), (WINDOW_BYTES - 1, 2), (WINDOW_BYTES * 9, 1)]
        {
            let sending = Sending::new();
            assert_eq!(send_all(&sending, bytes), expected, "{bytes}");
            sending.want(Some(1));
            assert_eq!(send_all(&sending, bytes), 1, "{bytes}");
            sending.want(Some(expected as u64));
            assert_eq!(send_all(&sending, bytes), expected, "{bytes}");
        }
    }

    /// It is not said again of what there was room for before that it is taken.
    #[test]
    fn room_that_is_given_beforehand_is_for_items_of_any_size() {
        let sending = Sending::new();
        sending.want(Some(100));
        assert_eq!(send_all(&sending, WINDOW_BYTES), 101);
        sending.want(Some(u64::MAX));
        assert_eq!(send_all(&sending, WINDOW_BYTES), 1000);
    }

    #[test]
    fn only_what_was_sent_and_is_taken_gives_more_time() {
        let sending = Sending::new();
        let second = Some(Duration::from_secs(1));
        sending.within(second);
        assert_eq!(sending.want(Some(1)), None);
        sending.sent(1);
        assert_eq!(sending.want(Some(1)), None, "there was room for it before");
        assert_eq!(send_all(&sending, 1), 65);
        assert_eq!((sending.want(Some(0)), sending.want(Some(1))), (None, second));
        assert_eq!((sending.want(Some(u64::MAX)), sending.want(Some(1))), (second, None));
        assert_eq!(sending.want(None), None);
    }
}
