//! [`Level`]: what is promised of a call.

/// What is promised of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Level {
    /// It runs at most once, which is the default.
    Once,
    /// It is idempotent, and so it is not lost.
    Again,
}

impl Level {
    /// Calls of both are made at the same time: every other token is of the same level.
    pub(crate) fn of(token: u64) -> Self {
        if token.is_multiple_of(2) { Self::Once } else { Self::Again }
    }

    pub(crate) fn procedure(self) -> &'static str {
        match self {
            Self::Once => "ledger.once",
            Self::Again => "ledger.again",
        }
    }
}
