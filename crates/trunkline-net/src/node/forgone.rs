//! [`Forgone`]: calls that were given up before their requests came.

use std::collections::{HashSet, VecDeque};

/// How many are remembered. A request that comes after so many others were given up runs
/// until its deadline.
const MOST: usize = 1024;

/// The longest id that is remembered: those of nodes have 32 digits.
const LONGEST: usize = 64;

/// Calls that were given up before their requests came, or long after they were done:
/// every node hears of all, and only one of them knows.
#[derive(Default)]
pub(super) struct Forgone {
    ids: HashSet<Box<str>>,
    oldest_first: VecDeque<Box<str>>,
}

impl Forgone {
    pub(super) fn insert(&mut self, id: &str) {
        if id.len() > LONGEST || !self.ids.insert(id.into()) {
            return;
        }
        self.oldest_first.push_back(id.into());
        if self.oldest_first.len() > MOST
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.ids.contains(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_remembered_than_there_is_room_for() {
        let mut forgone = Forgone::default();
        forgone.insert(&"x".repeat(LONGEST + 1));
        for number in 0..=MOST {
            forgone.insert(&number.to_string());
            forgone.insert(&number.to_string());
        }
        assert!(!forgone.contains("0") && forgone.contains("1") && forgone.contains(&MOST.to_string()));
        assert_eq!((forgone.ids.len(), forgone.oldest_first.len()), (MOST, MOST));
    }
}
