//! [`Callers`]: the process that makes the calls, and what it is told and says.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use crate::process::Running;

/// How long it may take until one more call has ended: longer than any call may take.
const STALLED: Duration = Duration::from_secs(180);
/// How often a wait looks whether what it waits for has come.
const GLANCE: Duration = Duration::from_millis(10);
/// How long the process may take to end once all its calls have ended.
const ENDED: Duration = Duration::from_secs(30);

/// The process that makes the calls.
pub(super) struct Callers {
    running: Running,
    stdin: ChildStdin,
    heard: Arc<Heard>,
}

/// What it has said.
#[derive(Default)]
struct Heard {
    ended: AtomicU64,
    well: AtomicBool,
    /// It says no more.
    silent: AtomicBool,
}

impl Callers {
    pub(super) fn start(command: &mut Command) -> Result<Self, String> {
        let mut running = Running::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()))?;
        let (stdin, stdout) = running.stdin().zip(running.stdout()).ok_or("both are piped")?;
        let heard = Arc::new(Heard::default());
        let hearing = heard.clone();
        spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(ended) = line.strip_prefix("ended ").and_then(|number| number.parse().ok()) {
                    hearing.ended.store(ended, Ordering::Release);
                } else if line == "well" {
                    hearing.well.store(true, Ordering::Release);
                }
            }
            hearing.silent.store(true, Ordering::Release);
        });
        Ok(Self { running, stdin, heard })
    }

    /// How many calls have ended.
    pub(super) fn ended(&self) -> u64 {
        self.heard.ended.load(Ordering::Acquire)
    }

    /// Lets them make the calls whose tokens are less than this.
    pub(super) fn allow(&mut self, until: u64) -> Result<(), String> {
        self.tell(&format!("until {until}"))
    }

    /// Waits until so many calls have ended.
    pub(super) fn await_ended(&mut self, count: u64) -> Result<(), String> {
        self.wait(|callers| callers.ended() >= count)
    }

    /// Waits until all of `handlers` are reached by way of each gateway.
    pub(super) fn await_well(&mut self, handlers: &str) -> Result<(), String> {
        self.heard.well.store(false, Ordering::Release);
        self.tell(&format!("well {handlers}"))?;
        self.wait(|callers| callers.heard.well.load(Ordering::Acquire))
    }

    /// Waits until they have ended, after all calls have.
    pub(super) fn finish(self) -> Result<(), String> {
        self.running.finish(ENDED)
    }

    fn tell(&mut self, line: &str) -> Result<(), String> {
        writeln!(self.stdin, "{line}").map_err(|error| format!("the callers do not listen: {error}"))
    }

    fn wait(&mut self, has_come: impl Fn(&Self) -> bool) -> Result<(), String> {
        let (mut ended, mut since) = (self.ended(), Instant::now());
        while !has_come(self) {
            if self.heard.silent.load(Ordering::Acquire) && !has_come(self) {
                return Err("the callers have ended too early".to_owned());
            }
            if self.ended() != ended {
                (ended, since) = (self.ended(), Instant::now());
            } else if since.elapsed() > STALLED {
                return Err(format!("of the calls, {ended} have ended, and none for {STALLED:?}"));
            }
            sleep(GLANCE);
        }
        Ok(())
    }
}
