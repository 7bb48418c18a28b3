//! The clock, which tests can stop.

use std::time::{Duration, Instant};

/// The present.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The earlier of times that may be there.
pub(crate) fn earliest(times: impl IntoIterator<Item = Option<Instant>>) -> Option<Instant> {
    times.into_iter().flatten().min()
}

/// A time ahead, as far as clocks go.
pub(crate) fn after(from: Instant, span: Duration) -> Option<Instant> {
    from.checked_add(span)
}
