//! [`Kept`]: items for which there was no room when they came.

use super::open::lagged;
use std::collections::VecDeque;
use trunkline_core::{Fault, Lag};

/// Items for which there was no room when they came, encoded.
#[derive(Default)]
pub(super) struct Kept {
    items: VecDeque<Vec<u8>>,
    /// How many were left out since that was last told.
    missed: u64,
}

impl Kept {
    /// Keeps an item, or another in its place, or none.
    ///
    /// # Errors
    ///
    /// Fails if one too many is the end of it.
    pub(super) fn keep(&mut self, item: Vec<u8>, lag: Lag) -> Result<(), Fault> {
        if self.items.len() < lag.kept() {
            self.items.push_back(item);
            return Ok(());
        }
        match lag {
            Lag::DropNewest(_) => {}
            Lag::Close(kept) => return Err(lagged(kept)),
            _ => {
                self.items.pop_front();
                self.items.push_back(item);
            }
        }
        self.missed += 1;
        Ok(())
    }

    /// Keeps an item that is older than all others, and had its room.
    pub(super) fn put_back(&mut self, item: Vec<u8>) {
        self.items.push_front(item);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The oldest.
    pub(super) fn pop(&mut self) -> Option<Vec<u8>> {
        self.items.pop_front()
    }

    /// The oldest, if it has no more than so many bytes.
    pub(super) fn pop_within(&mut self, bytes: usize) -> Option<Vec<u8>> {
        self.items.pop_front_if(|item| item.len() <= bytes)
    }

    /// Whether any were left out that have not been told.
    #[inline]
    pub(super) fn has_missed(&self) -> bool {
        self.missed > 0
    }

    /// How many were left out since this was last asked.
    pub(super) fn take_missed(&mut self) -> u64 {
        std::mem::take(&mut self.missed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(lag: Lag) -> (Vec<u8>, u64, bool) {
        let mut kept = Kept::default();
        let closed = (1..=5).any(|n| kept.keep(vec![n], lag).is_err());
        let missed = kept.take_missed();
        (std::iter::from_fn(|| kept.pop()).flatten().collect(), missed, closed)
    }

    #[test]
    fn what_is_put_back_comes_first_and_what_is_too_long_waits() {
        let mut kept = Kept::default();
        for item in [vec![2, 2], vec![3]] {
            kept.keep(item, Lag::DropOldest(9)).unwrap();
        }
        kept.put_back(vec![1]);
        assert_eq!(kept.pop_within(1), Some(vec![1]));
        assert_eq!(kept.pop_within(1), None);
        assert_eq!((kept.pop_within(2), kept.pop()), (Some(vec![2, 2]), Some(vec![3])));
        assert_eq!(kept.pop_within(9), None);
    }

    #[test]
    fn what_is_kept_is_what_the_policy_says() {
        assert_eq!(kept(Lag::DropOldest(2)), (vec![4, 5], 3, false));
        assert_eq!(kept(Lag::DropNewest(2)), (vec![1, 2], 3, false));
        assert_eq!(kept(Lag::Coalesce), (vec![5], 4, false));
        assert_eq!(kept(Lag::Close(2)), (vec![1, 2], 0, true));
        assert_eq!(kept(Lag::Close(5)), (vec![1, 2, 3, 4, 5], 0, false));
        assert_eq!(kept(Lag::DropOldest(0)), (vec![5], 4, false), "one is always kept");
    }
}
