//! [`Attempt`]: which call it is that runs, and whether it may have run before.

use crate::{call::Call, context::Context, extract::Extract, fault::Fault};
use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Which call it is that runs, and whether it may have run before.
///
/// A call of a procedure that is [idempotent](crate::Registration::idempotent) may be made
/// again when a node of the network is lost. All attempts at one call have the same key: a
/// procedure whose effect is to be had once remembers it where the effect is.
///
/// ```
/// # use trunkline_core::{Attempt, Router, handler::handler};
/// let pay = async |attempt: Attempt, cents: u64| format!("{cents} cents, paid as {}", attempt.key());
/// let router = Router::new().procedure("pay", handler(pay).idempotent());
/// ```
///
/// What comes by no network is attempted once, and its key is made up when it is taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attempt {
    key: Arc<str>,
    repeated: bool,
    /// How many calls are around it: those inside of it are others.
    depth: usize,
}

impl Attempt {
    /// An attempt at the call that `key` tells from all others, of this context.
    #[must_use]
    pub fn new(key: impl Into<Arc<str>>, repeated: bool, context: &Context) -> Self {
        Self { key: key.into(), repeated, depth: context.depth() }
    }

    /// The attempt at the call of this very context, if it came by a network.
    #[must_use]
    pub fn of(context: &Context) -> Option<&Self> {
        context.extensions().get::<Self>().filter(|attempt| attempt.depth == context.depth())
    }

    /// What tells the call from all others: 1 to 255 bytes, and from a trunkline 32 hexadecimal
    /// digits that nobody can guess. The same for all attempts at one call.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether there was an attempt before, which may have run, or be running still.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        self.repeated
    }
}

impl Extract for Attempt {
    fn extract(call: &Call<'_>) -> Result<Self, Fault> {
        Ok(Self::of(call.context).cloned().unwrap_or_else(|| Self::new(made_up(), false, call.context)))
    }
}

/// A key of a call that nobody has given one.
fn made_up() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let half = || RandomState::new().hash_one(number);
    format!("{:016x}{:016x}", half(), half())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_inside_of_a_call_are_others() {
        let outer = Context::local().at_depth(2);
        let outer = outer.clone().with_extension(Attempt::new("7", true, &outer));
        assert_eq!(Attempt::of(&outer).map(Attempt::key), Some("7"));
        let inner = outer.inner().unwrap();
        assert_eq!(Attempt::of(&inner), None);
    }

    #[test]
    fn keys_that_are_made_up_differ() {
        let keys: std::collections::HashSet<_> = (0..1000).map(|_| made_up()).collect();
        assert_eq!(keys.len(), 1000);
        assert!(keys.iter().all(|key| key.len() == 32));
    }
}
