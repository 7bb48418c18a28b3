//! [`Repeatable`]: the procedures that are known to be idempotent.

use std::{
    collections::HashSet,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

/// How many are known at most; calls of others are not repeated.
const MOST: usize = 4096;

/// The procedures that are known to be idempotent, because those who have them say so, in
/// their answers or when they [announce](super::presence) what they serve. Nobody else's word counts: to repeat a call is to run it twice where
/// nobody looks whether it was made before, as with peers that are no trunkline.
#[derive(Default)]
pub(super) struct Repeatable {
    names: RwLock<HashSet<Box<str>>>,
    /// Whether there are any: most programs have none.
    any: AtomicBool,
}

impl Repeatable {
    pub(super) fn contains(&self, procedure: &str) -> bool {
        self.any.load(Ordering::Relaxed)
            && self.names.read().unwrap_or_else(PoisonError::into_inner).contains(procedure)
    }

    /// Who has a procedure has said what it is.
    #[cold]
    pub(super) fn learn(&self, procedure: &str, is_idempotent: bool) {
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        match is_idempotent {
            true if names.len() < MOST => drop(names.insert(procedure.into())),
            true => {}
            false => drop(names.remove(procedure)),
        }
        self.any.store(!names.is_empty(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learned_last_counts_and_there_is_room_for_so_many() {
        let known = Repeatable::default();
        known.learn("a", true);
        assert!(known.contains("a") && !known.contains("b"));
        known.learn("a", false);
        assert!(!known.contains("a"));
        (0..=MOST).for_each(|number| known.learn(&number.to_string(), true));
        assert!(known.contains("0") && !known.contains(&MOST.to_string()));
    }
}
