//! [`Tally`]: what came of the calls.

use hdrhistogram::Histogram;
use std::{collections::HashMap, time::Duration};
use trunkline::Fault;

/// How many kinds of errors are told apart. A server may put anything into a
/// message, such as the time.
const KINDS: usize = 100;
const OTHERS: &str = "(others)";

/// What came of the calls.
pub(super) struct Tally {
    /// Of calls that succeeded, in nanoseconds.
    latencies: Histogram<u64>,
    errors: HashMap<String, u64>,
}

impl Default for Tally {
    /// Three digits of every latency.
    fn default() -> Self {
        let latencies = Histogram::new(3).expect("up to five digits");
        Self { latencies, errors: HashMap::new() }
    }
}

impl Tally {
    /// Counts a call that took so long, or failed.
    pub(super) fn record(&mut self, outcome: Result<Duration, &Fault>) {
        match outcome {
            Ok(took) => {
                // it grows to hold anything
                let _ = self.latencies.record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
            }
            Err(fault) => self.fail(kind(fault), 1),
        }
    }

    fn fail(&mut self, kind: String, times: u64) {
        let known = self.errors.len() < KINDS || self.errors.contains_key(&kind);
        *self.errors.entry(if known { kind } else { OTHERS.to_owned() }).or_default() += times;
    }

    /// Adds what another has counted.
    pub(super) fn add(&mut self, other: &Self) {
        // it grows here too
        let _ = self.latencies.add(&other.latencies);
        for (kind, times) in &other.errors {
            self.fail(kind.clone(), *times);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.succeeded() == 0 && self.errors.is_empty()
    }

    pub(super) fn succeeded(&self) -> u64 {
        self.latencies.len()
    }

    pub(super) fn failed(&self) -> u64 {
        self.errors.values().sum()
    }

    /// The errors, most frequent first.
    pub(super) fn errors(&self) -> Vec<(&str, u64)> {
        let mut errors: Vec<_> = self.errors.iter().map(|(kind, times)| (&**kind, *times)).collect();
        errors.sort_unstable_by_key(|&(kind, times)| (std::cmp::Reverse(times), kind));
        errors
    }

    /// What this part of the calls took at most; all of them for 1.
    pub(super) fn quantile(&self, part: f64) -> Duration {
        Duration::from_nanos(self.latencies.value_at_quantile(part))
    }
}

fn kind(fault: &Fault) -> String {
    match fault.code() {
        Some(code) => format!("{} (code {code})", fault.message()),
        None => fault.message().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_ranked() {
        let (mut all, mut half) = (Tally::default(), Tally::default());
        for millis in 1..=1000 {
            let tally = if millis % 2 == 0 { &mut all } else { &mut half };
            tally.record(Ok(Duration::from_millis(millis)));
        }
        all.add(&half);
        assert_eq!(all.succeeded(), 1000);
        for (part, millis) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1000.0)] {
            let found = all.quantile(part).as_secs_f64() * 1000.0;
            assert!((found / millis - 1.0).abs() < 0.002, "{part}: {found}");
        }
    }

    #[test]
    fn errors_are_counted_by_what_they_say() {
        let mut tally = Tally::default();
        for _ in 0..3 {
            tally.record(Err(&Fault::from("no").with_code(7)));
        }
        tally.record(Err(&Fault::from("gone")));
        assert_eq!(tally.errors(), [("no (code 7)", 3), ("gone", 1)]);
        assert_eq!((tally.succeeded(), tally.failed(), tally.is_empty()), (0, 4, false));
    }

    #[test]
    fn messages_without_end_do_not_take_memory_without_end() {
        let mut tally = Tally::default();
        for call in 0..1000 {
            tally.record(Err(&Fault::from(format!("call {call} failed"))));
        }
        assert_eq!(tally.errors().len(), KINDS + 1);
        assert_eq!(tally.errors()[0], (OTHERS, 1000 - KINDS as u64));
    }
}
