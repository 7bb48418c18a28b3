//! [`Backoff`]: the pauses between attempts at what has failed.

use rand::random;
use std::time::Duration;

/// The pauses between attempts at what has failed: each twice as long as the one before, up
/// to a bound, and cut short by up to half at random, so that all who failed at the same
/// moment do not come back at once.
#[derive(Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// Pauses that begin at `first`, and double up to `longest`.
    #[must_use]
    pub fn new(first: Duration, longest: Duration) -> Self {
        let first = first.min(longest);
        Self { first, longest, next: first }
    }

    /// The pause to come.
    pub fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = pause.saturating_mul(2).min(self.longest);
        pause - pause.mul_f64(random::<f64>() / 2.0)
    }

    /// It has gone well for long enough that the pauses are to be short again.
    pub fn restart(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is_about(pause: Duration, millis: u64) {
        let whole = Duration::from_millis(millis);
        assert!(whole / 2 <= pause && pause <= whole, "{pause:?} for {whole:?}");
    }

    #[test]
    fn pauses_double_up_to_the_longest_until_they_begin_anew() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(3));
        for millis in [100, 200, 400, 800, 1600, 3000, 3000] {
            is_about(backoff.pause(), millis);
        }
        for _ in 0..100 {
            is_about(backoff.pause(), 3000);
        }
        backoff.restart();
        is_about(backoff.pause(), 100);
        is_about(backoff.pause(), 200);
    }

    #[test]
    fn bounds_of_any_length_will_do() {
        let mut longest = Backoff::new(Duration::from_secs(1), Duration::MAX);
        for _ in 0..100 {
            longest.pause();
        }
        assert!(longest.pause() >= Duration::MAX / 2);
        is_about(Backoff::new(Duration::from_secs(2), Duration::from_secs(1)).pause(), 1000);
    }
}
