//! [`Progress`]: how the measurement goes, on stderr, while it runs.

use super::report::grouped;
use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

/// How often to tell: on a terminal, where the line is written over, and elsewhere.
const OFTEN: Duration = Duration::from_secs(1);
const SELDOM: Duration = Duration::from_secs(5);

/// How the measurement goes. On a terminal its line is gone in the end.
pub(super) struct Progress {
    began: Instant,
    time: Duration,
    terminal: bool,
    last: Option<(Instant, u64)>,
}

impl Progress {
    pub(super) fn new(began: Instant, time: Duration) -> Self {
        Self { began, time, terminal: io::stderr().is_terminal(), last: None }
    }

    /// How long to wait until it is told again.
    pub(super) fn pause(&self) -> Duration {
        if self.terminal { OFTEN } else { SELDOM }
    }

    /// Tells how many calls succeeded and failed so far.
    pub(super) fn tell(&mut self, calls: u64, errors: u64) {
        let now = Instant::now();
        if let Some((then, before)) = self.last.replace((now, calls)) {
            let rate = calls.saturating_sub(before) as f64 / (now - then).as_secs_f64();
            let line = format!(
                "{:.0} of {} s   {} calls/s   {} errors",
                (now - self.began).as_secs_f64(),
                self.time.as_secs(),
                grouped(rate),
                errors
            );
            let (before, after) = if self.terminal { ("\r\x1b[K", "") } else { ("", "\n") };
            let mut out = io::stderr().lock();
            // who closes stderr does not want to know
            let _ = write!(out, "{before}{line}{after}").and_then(|()| out.flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}
