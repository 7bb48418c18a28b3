//! [`RateLimit`]: how often callers may call.

use super::allowances::Allowances;
use crate::{Call, Connection, Fault, FaultKind, Identity};
use governor::Quota;
use serde_json::json;
use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    num::NonZeroU32,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// The longest period.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// How often callers may call: so many calls at once, and so many more in each
/// period, evenly. An item of a batch is a call, and so is the opening of a stream; the
/// items of a stream are none.
///
/// One value, with all its clones, is one allowance, however many procedures it
/// guards: of all callers together, or of [each caller](Self::each_caller), or for
/// [each procedure](Self::each_procedure). Calls over it are refused as
/// [`RateLimited`](FaultKind::RateLimited), and their data says when to try again.
///
/// ```
/// use std::time::Duration;
/// use trunkline::{Router, access::RateLimit, handler};
///
/// let search = RateLimit::new(100, Duration::from_secs(1));
/// let router = Router::new()
///     .procedure("find", handler(async |_: String| 7).guard(search.guard()))    // 100 a second of both
///     .procedure("suggest", handler(async |_: String| 7).guard(search.guard())) // together, of all callers
///     .guard(RateLimit::new(10, Duration::from_secs(1)).each_caller().guard()); // 10 a second each, of anything
/// ```
#[derive(Clone)]
#[must_use = "it limits what it guards"]
pub struct RateLimit {
    plan: Plan,
    /// Made when it is first used; shared by all clones.
    limiter: Arc<OnceLock<Limiter>>,
}

#[derive(Clone, Debug)]
struct Plan {
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
        let plan = Plan { calls, per, each_caller: false, each_procedure: false, max_keys: 65_536 };
        Self { plan, limiter: Arc::default() }
    }

    /// Counts for each caller by itself: by the subject of its identity, or, while
    /// it is anonymous, by its address. Addresses of IPv6 count by networks of 64
    /// bits, since one caller has so many; where there are no addresses, those who
    /// are anonymous count as one. Behind a proxy all have its address, unless it is
    /// [trusted](crate::http::Http::trust_proxies).
    pub fn each_caller(self) -> Self {
        self.with(|plan| plan.each_caller = true)
    }

    /// Counts for each procedure by itself; all names that one
    /// [fallback](crate::Router::fallback) serves are one procedure.
    pub fn each_procedure(self) -> Self {
        self.with(|plan| plan.each_procedure = true)
    }

    /// For how many callers, times procedures, is counted at a time; more share one
    /// allowance, until others have been quiet for long enough to be forgotten. The
    /// anonymous are counted apart from those who are known, up to the same number,
    /// so that strangers take up no room of theirs. Each takes some 50 bytes.
    /// Default 65,536.
    pub fn max_keys(self, keys: usize) -> Self {
        self.with(|plan| plan.max_keys = keys)
    }

    /// Another plan is another allowance.
    fn with(self, change: impl FnOnce(&mut Plan)) -> Self {
        let mut plan = self.plan;
        change(&mut plan);
        Self { plan, limiter: Arc::default() }
    }

    /// The limit as a guard, for [`Router::guard`](crate::Router::guard) or
    /// [`Registration::guard`](crate::Registration::guard), of which it may have any number.
    pub fn guard(&self) -> impl Fn(&Call<'_>) -> Result<(), Fault> + Send + Sync + use<> {
        let limit = self.clone();
        move |call| limit.limiter().check(call)
    }

    /// Whether whoever is at the far end of a connection may fail once more.
    pub(super) fn look(&self, connection: &Connection) -> Result<(), Fault> {
        let limiter = self.limiter();
        limiter.refuse(limiter.strangers.look(limiter.address(connection)), "Too many failed attempts")
    }

    /// Whoever is at the far end of a connection has failed.
    pub(super) fn failed(&self, connection: &Connection) -> Result<(), Fault> {
        let limiter = self.limiter();
        limiter.refuse(limiter.strangers.take(limiter.address(connection)), "Too many failed attempts")
    }

    fn limiter(&self) -> &Limiter {
        self.limiter.get_or_init(|| Limiter::new(self.plan.clone()))
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { calls, per, each_caller, each_procedure, max_keys } = &self.plan;
        f.debug_struct("RateLimit")
            .field("calls", calls)
            .field("per", per)
            .field("each_caller", each_caller)
            .field("each_procedure", each_procedure)
            .field("max_keys", max_keys)
            .finish_non_exhaustive()
    }
}

struct Limiter {
    plan: Plan,
    known: Allowances,
    /// Of whom there are any number, and who are to take up no room of the others.
    strangers: Allowances,
    /// Makes keys that nobody can foresee.
    hasher: RandomState,
}

impl Limiter {
    fn new(plan: Plan) -> Self {
        let each = (plan.per / plan.calls.get()).max(Duration::from_nanos(1));
        // a period of nothing is none, and this one is not
        let quota = Quota::with_period(each).unwrap_or(Quota::per_second(plan.calls)).allow_burst(plan.calls);
        let allowances = || Allowances::new(quota, plan.max_keys);
        let (known, strangers) = (allowances(), allowances());
        Self { plan, known, strangers, hasher: RandomState::new() }
    }

    fn check(&self, call: &Call<'_>) -> Result<(), Fault> {
        let context = call.context;
        let caller = self.plan.each_caller.then(|| self.who(context.identity(), context.connection()));
        let allowances = match caller {
            Some(Caller::Subject(_)) => &self.known,
            _ => &self.strangers,
        };
        // what a fallback serves is named by whoever calls
        let procedure = self.plan.each_procedure.then_some(match call.fallback {
            Some(prefix) => (true, prefix),
            None => (false, call.procedure),
        });
        self.refuse(allowances.take(self.hasher.hash_one((caller, procedure))), "Too many calls")
    }

    /// The key of an address, whoever is there.
    fn address(&self, connection: &Connection) -> u64 {
        self.hasher.hash_one(self.who(&Identity::anonymous(), connection))
    }

    /// With whom a caller counts.
    fn who<'a>(&self, identity: &'a Identity, connection: &'a Connection) -> Caller<'a> {
        if let Some(subject) = identity.subject() {
            return Caller::Subject(subject);
        }
        match connection.client_address() {
            Some(IpAddr::V6(address)) => Caller::Address(IpAddr::V6((address.to_bits() >> 64 << 64).into())),
            Some(address) => Caller::Address(address),
            None => Caller::Transport(connection.transport()),
        }
    }

    fn refuse(&self, checked: Result<(), Duration>, words: &'static str) -> Result<(), Fault> {
        checked.map_err(|wait| {
            let millis = u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
            let Plan { calls, per, .. } = self.plan;
            Fault::new(FaultKind::RateLimited, words)
                .with_data(json!({"limit": format!("{calls} in {per:?}"), "retry_after_ms": millis}))
        })
    }
}

/// Whose calls count together.
#[derive(Hash)]
enum Caller<'a> {
    Subject(&'a str),
    Address(IpAddr),
    Transport(&'a str),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, States};
    use std::net::SocketAddr;
    use tokio::time::advance;

    fn made(limit: RateLimit) -> Limiter {
        Limiter::new(limit.plan)
    }

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
        let limiter = made(RateLimit::new(3, Duration::from_secs(3)));
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
        let limiter = made(each.clone());
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
        let limiter = made(each.each_procedure());
        for (procedure, may) in [("add", true), ("sub", true), ("add", false)] {
            assert_eq!(may_call(&limiter, "ada", procedure), may, "{procedure}");
        }
    }

    /// Strangers choose their addresses: the memory for them is bounded, and those
    /// who are counted already keep what they have.
    #[tokio::test(start_paused = true)]
    async fn the_memory_for_strangers_is_bounded() {
        let limiter = made(RateLimit::new(2, Duration::from_secs(2)).each_caller().max_keys(100));
        assert!(may_call(&limiter, "ada", "add"));
        let strangers = |limiter: &Limiter, from: u32| {
            let addresses = (from..from + 10_000).map(|n| std::net::Ipv4Addr::from(n).to_string());
            addresses.filter(|address| may_call(limiter, address, "add")).count()
        };
        assert_eq!(strangers(&limiter, 1 << 24), 100 + 2, "the rest of them share");
        assert_eq!(limiter.strangers.len(), 100);
        assert!(may_call(&limiter, "ada", "add") && !may_call(&limiter, "ada", "add"));
        assert!(may_call(&limiter, "bob", "add"), "strangers take up no room of those who are known");
        // all who were there have been quiet for long enough
        advance(Duration::from_secs(10)).await;
        assert_eq!(strangers(&limiter, 2 << 24), 2 + 100, "one of them finds no room, and has it made");
        assert_eq!(limiter.strangers.len(), 100);
    }

    #[test]
    fn what_makes_no_sense_is_the_least_that_does() {
        let limiter = made(RateLimit::new(0, Duration::ZERO));
        assert!(may_call(&limiter, "ada", "add"));
        for (calls, per) in [(1, Duration::MAX), (u32::MAX, Duration::MAX), (u32::MAX, Duration::ZERO)] {
            assert!(may_call(&made(RateLimit::new(calls, per)), "ada", "add"));
        }
    }
}
