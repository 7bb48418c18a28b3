//! [`Tally`]: how many vectors were played, and which failed.

/// How many vectors were played, and which failed, so that one failure does not
/// hide the next.
#[derive(Default)]
pub(crate) struct Tally {
    played: usize,
    failures: Vec<String>,
}

impl Tally {
    /// Counts a vector.
    pub(crate) fn record(&mut self, name: &str, outcome: Result<(), String>) {
        self.played += 1;
        self.failures.extend(outcome.err().map(|why| format!("{name}: {why}")));
    }

    /// Asserts that `count` vectors were played, and that none failed.
    #[track_caller]
    pub(crate) fn assert(self, count: usize) {
        assert!(
            self.failures.is_empty(),
            "{} of {} vectors failed:\n{}",
            self.failures.len(),
            self.played,
            self.failures.join("\n")
        );
        assert_eq!(self.played, count, "number of vectors played");
    }
}
