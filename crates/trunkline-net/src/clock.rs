//! The clock, which tests can stop: that of the runtime.

use std::time::{Duration, Instant};

/// The present.
#[must_use]
pub fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Has all that runs without a runtime go by this clock too.
pub fn lead() {
    trunkline_core::clock::follow(now);
}

/// The earlier of times that may be there.
pub(crate) fn earliest(times: impl IntoIterator<Item = Option<Instant>>) -> Option<Instant> {
    times.into_iter().flatten().min()
}

/// A time ahead, as far as clocks go.
pub(crate) fn after(from: Instant, span: Duration) -> Option<Instant> {
    from.checked_add(span)
}
