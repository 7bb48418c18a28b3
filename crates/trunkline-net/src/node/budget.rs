//! [`Budget`]: how often calls may be repeated, all of a node together.

use crate::clock::now;
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

/// How many repeats there is room for at most, as there is at the beginning: as many
/// calls may be under way when a node or a broker is lost.
const MOST: f64 = 1000.0;

/// How much room a call makes for repeats of itself and others.
const PER_CALL: f64 = 0.1;

/// How much room each second makes, so that those can repeat, too, who seldom call.
const PER_SECOND: f64 = 10.0;

/// How often calls may be repeated, all of a node together: an outage that makes all
/// of them fail must not multiply what is asked of those who are left.
pub(super) struct Budget {
    /// Calls that have been made since the room was last counted.
    calls: AtomicU64,
    room: Mutex<Room>,
}

struct Room {
    repeats: f64,
    counted: Instant,
}

impl Default for Budget {
    fn default() -> Self {
        let room = Room { repeats: MOST, counted: now() };
        Self { calls: AtomicU64::new(0), room: Mutex::new(room) }
    }
}

impl Budget {
    /// A call is made.
    pub(super) fn call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether a call may be repeated; if so, that is one repeat less.
    pub(super) fn spend(&self) -> bool {
        let mut room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, calls) = (now(), self.calls.swap(0, Ordering::Relaxed));
        let seconds = now.saturating_duration_since(room.counted).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "so many calls make more room than there is")]
        let more = PER_CALL.mul_add(calls as f64, PER_SECOND * seconds);
        room.repeats = (room.repeats + more).min(MOST);
        room.counted = now;
        let may = room.repeats >= 1.0;
        if may {
            room.repeats -= 1.0;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{iter::repeat_with, time::Duration};

    /// How many repeats there is room for; and then for none any more.
    fn left(budget: &Budget) -> usize {
        repeat_with(|| budget.spend()).take_while(|may| *may).count()
    }

    #[tokio::test(start_paused = true)]
    async fn calls_and_time_make_room_and_there_is_no_more_than_so_much() {
        let budget = Budget::default();
        assert_eq!(left(&budget), 1000);
        (0..55).for_each(|_| budget.call());
        assert_eq!(left(&budget), 5);
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(left(&budget), 30);
        tokio::time::advance(Duration::from_secs(1000)).await;
        (0..100_000).for_each(|_| budget.call());
        assert_eq!(left(&budget), 1000);
    }
}
