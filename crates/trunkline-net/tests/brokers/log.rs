//! [`Log`]: what is logged in a test.

use crate::peer::PATIENCE;
use std::{io, sync::LazyLock};
use tokio::{sync::watch, time::timeout};
use tracing::{
    Dispatch,
    subscriber::{DefaultGuard, NoSubscriber, set_default},
};
use tracing_subscriber::filter::LevelFilter;

/// As long as somebody listens alone, what is never to be heard of a place is settled by the
/// thread that comes there first, and that may be another test's: so there is one more.
static ANOTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::default()));

/// What is logged in this thread, also by others.
#[derive(Clone, Default)]
pub(crate) struct Log(watch::Sender<String>);

impl Log {
    /// Writes down, from now on, what programs log as a rule.
    #[cfg(feature = "amqp")]
    pub(crate) fn new() -> (Self, DefaultGuard) {
        Self::of(LevelFilter::INFO)
    }

    /// Writes down, from now on, all there is.
    #[cfg(feature = "nats")]
    pub(crate) fn of_all() -> (Self, DefaultGuard) {
        Self::of(LevelFilter::TRACE)
    }

    fn of(level: LevelFilter) -> (Self, DefaultGuard) {
        LazyLock::force(&ANOTHER);
        let log = Self::default();
        let writer = log.clone();
        let writing = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (log, set_default(writing))
    }

    pub(crate) fn text(&self) -> String {
        self.0.borrow().clone()
    }

    /// What is in it, and no more.
    #[cfg(feature = "nats")]
    pub(crate) fn take(&self) -> String {
        self.0.send_replace(String::new())
    }

    /// Waits until a line has all of these words, and gives all that is in it.
    pub(crate) async fn until_it_has(&self, words: &[&str]) -> String {
        let mut log = self.0.subscribe();
        let has = |line: &str| words.iter().all(|words| line.contains(words));
        let said = timeout(PATIENCE, log.wait_for(|text| text.lines().any(has))).await;
        assert!(said.is_ok(), "{words:?} are not said:\n{}", self.text());
        self.text()
    }
}

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.send_modify(|log| log.push_str(&String::from_utf8_lossy(text)));
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
