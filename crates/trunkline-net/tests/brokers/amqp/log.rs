//! [`Log`]: what is logged in a test.

use std::{
    io,
    sync::{Arc, Mutex},
};
use tokio::sync::watch;
use tracing_subscriber::fmt::MakeWriter;

/// What is logged in this thread.
#[derive(Clone)]
pub(crate) struct Log(Arc<Mutex<String>>, watch::Sender<usize>);

impl Log {
    pub(crate) fn new() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self(Arc::default(), watch::Sender::default());
        let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }

    /// Waits until a text is in it.
    pub(crate) async fn until_it_has(&self, text: &str) -> String {
        let mut changes = self.1.subscribe();
        let found = changes.wait_for(|_| self.0.lock().unwrap().contains(text));
        tokio::time::timeout(crate::peer::PATIENCE, found).await.expect(text).unwrap();
        self.text()
    }
}

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push_str(&String::from_utf8_lossy(text));
        self.1.send_modify(|changes| *changes += 1);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
