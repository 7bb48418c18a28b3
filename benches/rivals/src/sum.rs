//! `add`: the one procedure all servers that dispatch have.

use serde::{Deserialize, Serialize};

/// `{"a": 1, "b": 2}`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, schemars::JsonSchema)]
pub struct Add {
    /// One number.
    pub a: i64,
    /// Another.
    pub b: i64,
}

impl Add {
    /// What a handler that does not wait answers.
    #[must_use]
    pub const fn sum(self) -> i64 {
        self.a + self.b
    }

    /// What a handler that awaits another task answers.
    ///
    /// # Errors
    ///
    /// Fails when that task dies.
    pub async fn sum_elsewhere(self) -> Result<i64, tokio::task::JoinError> {
        tokio::spawn(async move { self.sum() }).await
    }
}
