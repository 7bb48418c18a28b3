//! [`RateLimit`]: how often callers may call.

use crate::{Call, Connection, Fault, FaultKind, Identity};
use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed, StateStore, keyed::ShrinkableKeyedStateStore},
};
use serde_json::json;
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// The longest period.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);
/// How often those who have been quiet are forgotten, at most, to make room for others.
const SWEEP: Duration = Duration::from_secs(1);

/// How often callers may call: so many calls at once, and so many more in each
/// period, evenly. An item of a batch is a call, and so is the opening of a stream.
///
/// One value is one allowance, however many procedures it guards: of all callers
/// together, or of [each caller](Self::each_caller), or for
/// [each procedure](Self::each_procedure). Calls over it are refused as
/// [`RateLimited`](FaultKind::RateLimited), and their data says when to try again.
///
/// ```
/// use std::time::Duration;
/// use trunkline::{Router, access::RateLimit, handler};
///
/// let search = handler(async |_: String| 7).guard(RateLimit::new(100, Duration::from_secs(1)).guard());
/// let router = Router::new()
///     .procedure("search", search)                                      // 100 a second, of all callers
///     .guard(RateLimit::new(10, Duration::from_secs(1)).each_caller().guard()); // 10 a second each, of anything
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "it limits what it guards"]
pub struct RateLimit {
    calls: NonZeroU32,
    per: Duration,
    each_caller: bool,
    each_procedure: bool,
    max_keys: usize,
}

impl RateLimit {
    /// So many calls at once, and as many more in each period, of all callers
    /// together. At least one, in no less than a nanosecond each, and no more than a year.
    pub fn new(calls: u32, per: Duration) -> Self {
        let calls = NonZeroU32::new(calls).unwrap_or(NonZeroU32::MIN);
        let per = per.clamp(Duration::from_nanos(calls.get().into()), LONGEST);
        Self { calls, per, each_caller: false, each_procedure: false, max_keys: 65_536 }
    }

    /// Counts for each caller by itself: by the subject of its identity, or, while
    /// it is anonymous, by its address. Addresses of IPv6 count by networks of 64
    /// bits, since one caller has so many; where there are no addresses, those who
    /// are anonymous count as one. Behind a proxy all have its address.
    pub fn each_caller(mut self) -> Self {
        self.each_caller = true;
        self
    }

    /// Counts for each procedure by itself.
    pub fn each_procedure(mut self) -> Self {
        self.each_procedure = true;
        self
    }

    /// For how many callers, times procedures, is counted at a time; more share one
    /// allowance, until others have been quiet for long enough to be forgotten. Each
    /// takes some 50 bytes. Default 65,536.
    pub fn max_keys(mut self, keys: usize) -> Self {
        self.max_keys = keys;
        self
    }

    /// The limit as a guard, for [`Router::guard`](crate::Router::guard) or
    /// [`Registration::guard`](crate::Registration::guard). Each guard that is made
    /// counts for itself.
    pub fn guard(self) -> impl Fn(&Call<'_>) -> Result<(), Fault> + Send + Sync + 'static {
        let limiter = Limiter::new(self);
        move |call| limiter.check(call)
    }
}

/// The time as the runtime has it, which tests can stop.
#[derive(Clone, Copy, Debug)]
struct RuntimeClock;

impl Clock for RuntimeClock {
    type Instant = Instant;

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

struct Limiter {
    plan: RateLimit,
    buckets: RateLimiter<u64, Buckets, RuntimeClock, NoOpMiddleware<Instant>>,
    /// Makes keys that nobody can foresee.
    hasher: RandomState,
    swept: Mutex<Instant>,
    crowded: Arc<AtomicBool>,
}

impl Limiter {
    fn new(plan: RateLimit) -> Self {
        let each = (plan.per / plan.calls.get()).max(Duration::from_nanos(1));
        // a period of nothing is none, and this one is not
        let quota = Quota::with_period(each).unwrap_or(Quota::per_second(plan.calls)).allow_burst(plan.calls);
        let buckets = Buckets::new(plan.max_keys);
        Self {
            plan,
            crowded: buckets.crowded.clone(),
            buckets: RateLimiter::new(quota, buckets, RuntimeClock),
            hasher: RandomState::new(),
            swept: Mutex::new(RuntimeClock.now()),
        }
    }

    fn check(&self, call: &Call<'_>) -> Result<(), Fault> {
        let caller = self.plan.each_caller.then(|| who(call.context.identity(), call.context.connection()));
        let procedure = self.plan.each_procedure.then_some(call.procedure);
        self.sweep();
        self.buckets.check_key(&self.hasher.hash_one((caller, procedure))).map_err(|until| {
            let wait = until.wait_time_from(RuntimeClock.now());
            let millis = u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
            let RateLimit { calls, per, .. } = self.plan;
            Fault::new(FaultKind::RateLimited, "Too many calls")
                .with_data(json!({"limit": format!("{calls} in {per:?}"), "retry_after_ms": millis}))
        })
    }

    /// Forgets those who may call as often as if they never had, if there is no room
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
            self.buckets.retain_recent();
        }
    }
}

/// Whose calls count together.
#[derive(Hash)]
enum Caller<'a> {
    Subject(&'a str),
    Address(IpAddr),
    Transport(&'a str),
}

fn who<'a>(identity: &'a Identity, connection: &'a Connection) -> Caller<'a> {
    match (identity.subject(), connection.remote().map(|remote| remote.ip().to_canonical())) {
        (Some(subject), _) => Caller::Subject(subject),
        (None, Some(IpAddr::V6(address))) => {
            Caller::Address(IpAddr::V6((address.to_bits() >> 64 << 64).into()))
        }
        (None, Some(address)) => Caller::Address(address),
        (None, None) => Caller::Transport(connection.transport()),
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

impl StateStore for Buckets {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut own = self.own();
        if !own.contains_key(key) && own.len() >= self.most {
            drop(own);
            self.crowded.store(true, Ordering::Relaxed);
            return self.shared.measure_and_replace(&NotKeyed::NonKey, measure);
        }
        own.entry(*key).or_default().measure_and_replace(&NotKeyed::NonKey, measure)
    }
}

impl ShrinkableKeyedStateStore<u64> for Buckets {
    fn retain_recent(&self, drop_below: Nanos) {
        self.own().retain(|_, bucket| {
            // only looks
            let level: Result<(), Option<Nanos>> = bucket.measure_and_replace(&NotKeyed::NonKey, Err);
            level.is_err_and(|level| level.is_some_and(|level| level > drop_below))
        });
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
    use crate::{Context, States};
    use std::net::SocketAddr;
    use tokio::time::advance;

    /// A call from an address, or of a subject.
    fn may_call(limiter: &Limiter, who: &str, procedure: &str) -> bool {
        let connection = match who.parse::<IpAddr>() {
            Ok(address) => Connection::new("tcp", "none").with_remote(Some(SocketAddr::new(address, 1))),
            Err(_) => Connection::new("tcp", "none").with_identity(Identity::new(who.to_owned())),
        };
        let (context, states) =
            (Context::new(Arc::new(connection), Default::default()), Arc::<States>::default());
        limiter.check(&Call::new(procedure, None, &context, &states)).is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_at_once_and_then_evenly() {
        let limiter = Limiter::new(RateLimit::new(3, Duration::from_secs(3)));
        let now = |limiter: &Limiter| (0..10).filter(|_| may_call(limiter, "ada", "add")).count();
        assert_eq!(now(&limiter), 3);
        advance(Duration::from_millis(999)).await;
        assert_eq!(now(&limiter), 0);
        advance(Duration::from_millis(1)).await;
        assert_eq!(now(&limiter), 1);
        advance(Duration::from_secs(100)).await;
        assert_eq!(now(&limiter), 3);
    }

    #[test]
    fn who_counts_together() {
        let each = RateLimit::new(1, Duration::from_secs(3600)).each_caller();
        let limiter = Limiter::new(each);
        for (who, may) in [
            ("ada", true),
            ("ada", false),
            ("bob", true),
            ("10.0.0.1", true),
            ("::ffff:10.0.0.1", false),
            ("2001:db8:0:1::1", true),
            ("2001:db8:0:1:ffff::2", false),
            ("2001:db8:0:2::1", true),
        ] {
            assert_eq!(may_call(&limiter, who, "add"), may, "{who}");
        }
        let limiter = Limiter::new(each.each_procedure());
        for (procedure, may) in [("add", true), ("sub", true), ("add", false)] {
            assert_eq!(may_call(&limiter, "ada", procedure), may, "{procedure}");
        }
    }

    /// Strangers choose their addresses: the memory for them is bounded, and those
    /// who are counted already keep what they have.
    #[tokio::test(start_paused = true)]
    async fn the_memory_for_strangers_is_bounded() {
        let limiter = Limiter::new(RateLimit::new(2, Duration::from_secs(2)).each_caller().max_keys(100));
        assert!(may_call(&limiter, "ada", "add"));
        let strangers = |limiter: &Limiter, from: u32| {
            let addresses = (from..from + 10_000).map(|n| std::net::Ipv4Addr::from(n).to_string());
            addresses.filter(|address| may_call(limiter, address, "add")).count()
        };
        assert_eq!(strangers(&limiter, 1 << 24), 99 + 2, "the rest of them share");
        assert_eq!(limiter.buckets.len(), 100);
        assert!(may_call(&limiter, "ada", "add") && !may_call(&limiter, "ada", "add"));
        // all who were there have been quiet for long enough
        advance(Duration::from_secs(10)).await;
        assert_eq!(strangers(&limiter, 2 << 24), 2 + 100, "one of them finds no room, and has it made");
        assert_eq!(limiter.buckets.len(), 100);
    }

    #[test]
    fn what_makes_no_sense_is_the_least_that_does() {
        let limiter = Limiter::new(RateLimit::new(0, Duration::ZERO));
        assert!(may_call(&limiter, "ada", "add"));
        for (calls, per) in [(1, Duration::MAX), (u32::MAX, Duration::MAX), (u32::MAX, Duration::ZERO)] {
            assert!(may_call(&Limiter::new(RateLimit::new(calls, per)), "ada", "add"));
        }
    }
}
