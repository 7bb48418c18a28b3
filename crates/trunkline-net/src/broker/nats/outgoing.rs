//! [`Outgoing`]: what waits to be sent on one connection, and what is still to be answered.

use super::gathered::Gathered;
use crate::broker::waiting::Waiting;
use std::{collections::VecDeque, mem::replace};

/// How many requests may be delivered that are not settled.
const MOST_HELD: usize = 65_536;

/// How many commands a client must have room for: as many messages as may
/// [wait](Waiting), an answer to all that is held, and what is subscribed to.
pub(super) const ROOM: usize = 4 * MOST_HELD;

/// What waits to be sent on one connection, and what is still to be answered. The client
/// that sends it counts what it has taken, in the order in which it was given.
#[derive(Default)]
pub(super) struct Outgoing {
    /// What has not been given to the client.
    pub(super) gathered: Gathered,
    waiting: Waiting,
    /// How much is in each message that waits, and how many bytes it has, the oldest first.
    sizes: VecDeque<(usize, usize)>,
    /// How many messages were ever taken.
    taken: u64,
    /// How many requests are not settled.
    held: usize,
    /// Whether the last that came was not taken.
    dropping: bool,
}

/// Whether a request is taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Hold {
    Taken,
    /// The first that is not.
    FirstDropped,
    Dropped,
}

impl Outgoing {
    /// The client has taken so many, all in all.
    pub(super) fn taken(&mut self, taken: u64) {
        while self.taken < taken
            && let Some((parts, size)) = self.sizes.pop_front()
        {
            self.taken += 1;
            self.waiting.remove(parts, size);
        }
    }

    /// Whether as much waits as may.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.is_full()
    }

    /// One more message waits with so much in it, whether or not there is room.
    pub(super) fn add(&mut self, parts: usize, size: usize) {
        self.sizes.push_back((parts, size));
        self.waiting.add(parts, size);
    }

    /// Takes a request, if there will be room for its answer.
    pub(super) fn hold(&mut self) -> Hold {
        if self.held < MOST_HELD && !self.is_full() {
            (self.held, self.dropping) = (self.held + 1, false);
            return Hold::Taken;
        }
        match replace(&mut self.dropping, true) {
            false => Hold::FirstDropped,
            true => Hold::Dropped,
        }
    }

    /// One that was held is settled.
    pub(super) fn settle(&mut self) {
        self.held = self.held.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_makes_room() {
        let mut outgoing = Outgoing::default();
        outgoing.add(1, 40 << 20);
        outgoing.add(1, 40 << 20);
        outgoing.add(1, 1);
        assert!(outgoing.is_full());
        assert_eq!([outgoing.hold(), outgoing.hold()], [Hold::FirstDropped, Hold::Dropped]);
        outgoing.taken(1);
        assert!(!outgoing.is_full());
        assert_eq!(outgoing.hold(), Hold::Taken);
        outgoing.taken(9);
        assert_eq!((outgoing.sizes.len(), outgoing.taken), (0, 3));
    }

    #[test]
    fn no_more_is_held_than_there_is_room_to_answer() {
        let mut outgoing = Outgoing::default();
        let held = (0..=MOST_HELD).filter(|_| outgoing.hold() == Hold::Taken).count();
        assert_eq!(held, MOST_HELD);
        outgoing.settle();
        assert_eq!([outgoing.hold(), outgoing.hold()], [Hold::Taken, Hold::FirstDropped]);
    }
}
