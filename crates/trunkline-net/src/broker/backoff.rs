//! [`Backoff`]: the pauses between attempts to reach a broker.

use rand::random;
use std::time::Duration;

/// How long a broker has to have been there for the pauses to be short again.
const STABLE: Duration = Duration::from_secs(10);

/// The pauses between attempts to reach a broker: each twice as long as the one before, up
/// to a bound, and cut short by up to half at random, so that the nodes of a broker do not
/// all come back at once.
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first }
    }

    /// The pause to come, after a broker that was there for so long, or not at all.
    pub(super) fn pause(&mut self, was_there: Duration) -> Duration {
        if was_there >= STABLE {
            self.next = self.first;
        }
        let pause = self.next;
        self.next = (pause * 2).min(self.longest);
        pause.mul_f64(1.0 - random::<f64>() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_each_connection_and_cuts_it_is_tried_more_and_more_seldom() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(3));
        let mut is_about = |was_there, millis: u64| {
            let (pause, whole) = (backoff.pause(was_there), Duration::from_millis(millis));
            assert!(whole / 2 <= pause && pause <= whole, "{pause:?} for {whole:?}");
        };
        let short = STABLE - Duration::from_millis(1);
        for millis in [100, 200, 400, 800, 1600, 3000, 3000] {
            is_about(short, millis);
        }
        is_about(STABLE, 100);
        is_about(Duration::ZERO, 200);
    }
}
