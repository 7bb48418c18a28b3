//! [`Reconnect`]: whether, and when, a lost connection is made anew.

use std::time::Duration;
use trunkline_net::backoff::Backoff;

/// Whether, and when, a lost connection is made anew.
///
/// By default for ever, with pauses that begin at 100 ms and double up to 10 s.
/// Each is cut short by up to half at random, so that the clients of a server
/// that was restarted do not all return at once.
#[derive(Clone, Copy, Debug)]
pub struct Reconnect {
    first: Duration,
    longest: Duration,
    attempts: Option<u32>,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self::backoff(Duration::from_millis(100), Duration::from_secs(10))
    }
}

impl Reconnect {
    /// Never: what is lost is lost.
    #[must_use]
    pub fn never() -> Self {
        Self::default().attempts(0)
    }

    /// For ever, with pauses that begin at `first` and double up to `longest`.
    #[must_use]
    pub fn backoff(first: Duration, longest: Duration) -> Self {
        Self { first, longest, attempts: None }
    }

    /// Gives up after this many attempts in a row. A connection that lasts for
    /// as long as the longest pause ends the row.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }
}

/// The pauses of one client.
#[derive(Debug)]
pub(super) struct Pauses {
    backoff: Backoff,
    policy: Reconnect,
    made: u32,
}

impl Pauses {
    pub(super) fn new(policy: Reconnect) -> Self {
        Self { backoff: Backoff::new(policy.first, policy.longest), policy, made: 0 }
    }

    /// How long to wait before the next attempt; `None`: there is to be none.
    pub(super) fn next(&mut self) -> Option<Duration> {
        if self.policy.attempts.is_some_and(|attempts| self.made >= attempts) {
            return None;
        }
        self.made = self.made.saturating_add(1);
        Some(self.backoff.pause())
    }

    /// A connection has lasted this long.
    pub(super) fn lasted(&mut self, time: Duration) {
        if time >= self.policy.longest {
            self.made = 0;
            self.backoff.restart();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn between(pause: Option<Duration>, least: u64, most: u64) {
        let pause = pause.expect("a pause");
        assert!((least..=most).contains(&u64::try_from(pause.as_millis()).unwrap()), "{pause:?}");
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let mut pauses = Pauses::new(Reconnect::default());
        for whole in [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000] {
            between(pauses.next(), whole / 2, whole);
        }
    }

    #[test]
    fn only_a_connection_that_lasts_starts_them_anew() {
        let mut pauses = Pauses::new(Reconnect::default());
        between(pauses.next(), 50, 100);
        pauses.lasted(Duration::from_secs(9));
        between(pauses.next(), 100, 200);
        pauses.lasted(Duration::from_secs(10));
        between(pauses.next(), 50, 100);
    }

    #[test]
    fn attempts_are_counted() {
        let mut pauses = Pauses::new(Reconnect::default().attempts(2));
        assert!(pauses.next().is_some() && pauses.next().is_some());
        assert_eq!(pauses.next(), None);
        assert_eq!(Pauses::new(Reconnect::never()).next(), None);
    }
}
