//! [`Sequence`]: holds the items of a stream to their order, so that none is left out, doubled or made up.

use std::time::Duration;

use anyhow::{Result, ensure};

/// How long a whole stream may take: one that takes longer has stopped.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The numbers from 0 up to a length, as they come.
#[derive(Clone, Copy, Debug)]
pub struct Sequence {
    next: u64,
    length: u64,
}

impl Sequence {
    /// None has come of `length`.
    #[must_use]
    pub const fn new(length: u64) -> Self {
        Self { next: 0, length }
    }

    /// Takes `number`, which must be the next.
    ///
    /// # Errors
    ///
    /// Fails when it is another, and when all have come already.
    pub fn take(&mut self, number: u64) -> Result<()> {
        ensure!(self.next < self.length, "item {number} came after all {} had", self.length);
        ensure!(number == self.next, "item {number} came in the place of item {}", self.next);
        self.next += 1;
        Ok(())
    }

    /// How many have come.
    #[must_use]
    pub const fn taken(&self) -> u64 {
        self.next
    }

    /// Whether all have come.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.next == self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_their_order() {
        let mut sequence = Sequence::new(2);
        sequence.take(0).unwrap();
        assert!(!sequence.is_whole());
        sequence.take(1).unwrap();
        assert!(sequence.is_whole());
        assert_eq!(sequence.taken(), 2);
    }

    #[test]
    fn a_gap_a_double_and_one_too_many_are_refused() {
        let mut sequence = Sequence::new(2);
        assert!(sequence.take(1).is_err());
        sequence.take(0).unwrap();
        assert!(sequence.take(0).is_err());
        sequence.take(1).unwrap();
        assert!(sequence.take(2).is_err());
    }
}
