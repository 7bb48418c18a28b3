//! The clock: that of the system, unless a runtime has its own, which tests can stop.

use std::{sync::OnceLock, time::Instant};

static CLOCK: OnceLock<fn() -> Instant> = OnceLock::new();

/// The present.
pub(crate) fn now() -> Instant {
    CLOCK.get().map_or_else(Instant::now, |clock| clock())
}

/// Goes by the clock of a runtime from now on, in all of this process. The first that
/// is named stays.
#[doc(hidden)]
pub fn follow(clock: fn() -> Instant) {
    let _ = CLOCK.set(clock);
}
