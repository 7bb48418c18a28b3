//! [`Allowances`]: how often each of many may still do something.

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed, StateStore, keyed::ShrinkableKeyedStateStore},
};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// How often those who have been quiet are forgotten, at most, to make room for others.
const SWEEP: Duration = Duration::from_secs(1);

/// The time as the runtime has it, which tests can stop.
#[derive(Clone, Copy, Debug)]
struct RuntimeClock;

impl Clock for RuntimeClock {
    type Instant = Instant;

    fn now(&self) -> Instant {
        trunkline_net::clock::now()
    }
}

/// How often each of many may still do something, of whom only so many are counted
/// apart: the others share one allowance.
pub(super) struct Allowances {
    limiter: RateLimiter<Key, Buckets, RuntimeClock, NoOpMiddleware<Instant>>,
    swept: Mutex<Instant>,
    crowded: Arc<AtomicBool>,
}

/// Whose allowance it is, and whether it is only looked at.
#[derive(Clone, Eq, Hash, PartialEq)]
struct Key {
    whose: u64,
    only_looks: bool,
}

impl Allowances {
    pub(super) fn new(quota: Quota, most: usize) -> Self {
        let buckets = Buckets::new(most);
        Self {
            crowded: buckets.crowded.clone(),
            limiter: RateLimiter::new(quota, buckets, RuntimeClock),
            swept: Mutex::new(RuntimeClock.now()),
        }
    }

    /// Uses one up; if there is none, for how long.
    pub(super) fn take(&self, whose: u64) -> Result<(), Duration> {
        self.sweep();
        self.check(Key { whose, only_looks: false })
    }

    /// Whether there is one; if not, for how long.
    pub(super) fn look(&self, whose: u64) -> Result<(), Duration> {
        self.check(Key { whose, only_looks: true })
    }

    fn check(&self, key: Key) -> Result<(), Duration> {
        self.limiter.check_key(&key).map_err(|until| until.wait_time_from(RuntimeClock.now()))
    }

    /// Forgets those who may do it as often as if they never had, if there is no room
    /// for others.
    fn sweep(&self) {
        if !self.crowded.swap(false, Ordering::Relaxed) {
            return;
        }
        let now = RuntimeClock.now();
        let due = {
            let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
            let due = now.saturating_duration_since(*swept) >= SWEEP;
            if due {
                *swept = now;
            }
            due
        };
        if due {
            self.limiter.retain_recent();
        }
    }

    /// How many are counted apart.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.limiter.len()
    }
}

/// As many allowances as there may be, and one for all others.
struct Buckets {
    own: Mutex<HashMap<u64, InMemoryState>>,
    shared: InMemoryState,
    most: usize,
    /// Whether somebody had to share, since this was last asked.
    crowded: Arc<AtomicBool>,
}

impl Buckets {
    fn new(most: usize) -> Self {
        Self { own: Mutex::default(), shared: InMemoryState::default(), most, crowded: Arc::default() }
    }

    fn own(&self) -> MutexGuard<'_, HashMap<u64, InMemoryState>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How full a bucket is.
fn level(bucket: &InMemoryState) -> Option<Nanos> {
    // only looks
    let level: Result<(), Option<Nanos>> = bucket.measure_and_replace(&NotKeyed::NonKey, Err);
    level.err().flatten()
}

impl StateStore for Buckets {
    type Key = Key;

    fn measure_and_replace<T, F, E>(&self, key: &Key, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut own = self.own();
        let is_full = own.len() >= self.most;
        if key.only_looks {
            let bucket = own.get(&key.whose).or_else(|| is_full.then_some(&self.shared));
            return measure(bucket.and_then(level)).map(|(outcome, _)| outcome);
        }
        if is_full && !own.contains_key(&key.whose) {
            drop(own);
            self.crowded.store(true, Ordering::Relaxed);
            return self.shared.measure_and_replace(&NotKeyed::NonKey, measure);
        }
        own.entry(key.whose).or_default().measure_and_replace(&NotKeyed::NonKey, measure)
    }
}

impl ShrinkableKeyedStateStore<Key> for Buckets {
    fn retain_recent(&self, drop_below: Nanos) {
        self.own().retain(|_, bucket| level(bucket).is_some_and(|level| level > drop_below));
    }

    fn shrink_to_fit(&self) {
        self.own().shrink_to_fit();
    }

    fn len(&self) -> usize {
        self.own().len()
    }

    fn is_empty(&self) -> bool {
        self.own().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn looking_uses_nothing_up() {
        let quota = Quota::per_second(NonZeroU32::new(2).unwrap());
        let allowances = Allowances::new(quota, 1);
        for whose in [7, 8] {
            for _ in 0..2 {
                assert!((0..9).all(|_| allowances.look(whose).is_ok()));
                assert!(allowances.take(whose).is_ok());
            }
            assert_eq!(allowances.look(whose), Err(Duration::from_millis(500)), "8 shares with all others");
            assert!(allowances.take(whose).is_err());
        }
        assert!(allowances.look(9).is_err());
        advance(Duration::from_millis(500)).await;
        assert!(allowances.look(7).is_ok() && allowances.look(9).is_ok());
    }
}
