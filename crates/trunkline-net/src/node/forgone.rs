//! [`Forgone`]: calls that were given up, of which a request may come still.

use crate::clock::{after, now};
use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

/// How many are remembered. A request that comes after so many others were given up runs
/// until its deadline.
const MOST: usize = 4096;

/// The longest id that is remembered: those of nodes have 32 digits.
const LONGEST: usize = 64;

/// How much longer than its call one is remembered: its request may still be on its way.
const UNDER_WAY: Duration = Duration::from_secs(10);

/// Calls that were given up, of which a request may come still: the first, as all that serve
/// a procedure hear it, or another attempt. Each is remembered for as long as that may be.
#[derive(Default)]
pub(super) struct Forgone {
    until: HashMap<Box<str>, Instant>,
    oldest_first: VecDeque<Box<str>>,
}

impl Forgone {
    /// Remembers a call that would have had so much time still.
    pub(super) fn insert(&mut self, id: &str, left: Duration) {
        let Some(until) = after(now(), left.saturating_add(UNDER_WAY)) else { return };
        if id.len() > LONGEST || self.until.insert(id.into(), until).is_some() {
            return;
        }
        self.oldest_first.push_back(id.into());
        while self.oldest_first.len() > MOST || self.oldest_first.front().is_some_and(|id| !self.contains(id))
        {
            let Some(oldest) = self.oldest_first.pop_front() else { return };
            self.until.remove(&oldest);
        }
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.until.get(id).is_some_and(|until| *until > now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_more_are_remembered_than_there_is_room_for() {
        let (mut forgone, time) = (Forgone::default(), Duration::from_secs(60));
        forgone.insert(&"x".repeat(LONGEST + 1), time);
        for number in 0..=MOST {
            forgone.insert(&number.to_string(), time);
            forgone.insert(&number.to_string(), time);
        }
        assert!(!forgone.contains("0") && forgone.contains("1") && forgone.contains(&MOST.to_string()));
        assert_eq!((forgone.until.len(), forgone.oldest_first.len()), (MOST, MOST));
        tokio::time::advance(time + UNDER_WAY).await;
        assert!(!forgone.contains("1"));
        forgone.insert("last", time);
        assert_eq!((forgone.until.len(), forgone.oldest_first.len()), (1, 1), "what has passed is let go");
    }
}
