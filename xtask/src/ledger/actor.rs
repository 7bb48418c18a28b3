//! [`Actor`]: a process that is killed or drained, and started again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process::Running;

/// How long a process may take until it says that it is ready, on a machine that has much to do.
const READY: Duration = Duration::from_secs(60);
/// How long one may take to end in good order: gateways and handlers give up after 30 s.
const DRAINED: Duration = Duration::from_secs(60);

/// A process that says a line on standard output once it is ready.
pub(super) struct Actor {
    make: Box<dyn Fn() -> Command>,
    /// Where its errors go.
    log: PathBuf,
    running: Option<Running>,
}

impl Actor {
    /// Starts what `make` gives, now and again.
    pub(super) fn start(
        name: &str,
        folder: &Path,
        make: impl Fn() -> Command + 'static,
    ) -> Result<Self, String> {
        let log = folder.join(format!("{name}.log"));
        let mut actor = Self { make: Box::new(make), log, running: None };
        actor.start_again()?;
        Ok(actor)
    }

    fn start_again(&mut self) -> Result<(), String> {
        let told = |error| format!("cannot write {}: {error}", self.log.display());
        let log = File::options().create(true).append(true).open(&self.log).map_err(told)?;
        let mut command = (self.make)();
        let command = command.stdin(Stdio::piped()).stderr(log);
        // whatever it says first
        let (running, _) = Running::start_until_ready(command, "", READY)
            .map_err(|why| format!("{why}: see {}", self.log.display()))?;
        self.running = Some(running);
        Ok(())
    }

    /// Ends it by SIGKILL, and starts it again.
    pub(super) fn kill(&mut self) -> Result<(), String> {
        self.running = None;
        self.start_again()
    }

    /// Ends it by SIGTERM, which it has to follow in good order, and starts it again.
    pub(super) fn drain(&mut self) -> Result<(), String> {
        if let Some(running) = self.running.take() {
            running.terminate()?;
            running.finish(DRAINED)?;
        }
        self.start_again()
    }
}
