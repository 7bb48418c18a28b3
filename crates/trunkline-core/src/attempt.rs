//! [`Attempt`]: which call it is that runs, and whether it may have run before.

use crate::{call::Call, context::Context, extract::Extract, fault::Fault, random_id::RandomId};
use std::sync::Arc;

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
        context.attempt().filter(|attempt| attempt.depth == context.depth())
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
        let made_up = || Self::new(RandomId::new().as_str(), false, call.context);
        Ok(Self::of(call.context).cloned().unwrap_or_else(made_up))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_inside_of_a_call_are_others() {
        let outer = Context::local().at_depth(2);
        let outer = outer.clone().with_attempt(Attempt::new("7", true, &outer));
        assert_eq!(Attempt::of(&outer).map(Attempt::key), Some("7"));
        let inner = outer.inner().unwrap();
        assert_eq!(Attempt::of(&inner), None);
    }
}
