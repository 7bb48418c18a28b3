//! [`Callers`]: the process that makes the calls, and what it is told and says.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::spawn;
use std::time::{Duration, Instant};

use crate::process::Running;

/// How long it may take until one more call has ended: longer than any call may take.
const STALLED: Duration = Duration::from_secs(180);
/// How long the process may take to end once all its calls have ended.
const ENDED: Duration = Duration::from_secs(30);

/// The process that makes the calls.
pub(super) struct Callers {
    running: Running,
    stdin: ChildStdin,
    said: Receiver<Said>,
    /// How many calls have ended, as of what was heard last.
    ended: u64,
}

/// What it says.
#[derive(PartialEq)]
enum Said {
    /// So many calls have ended.
    Ended(u64),
    /// All that were asked for are reached.
    Well,
}

impl Said {
    fn read(line: &str) -> Option<Self> {
        match line.strip_prefix("ended ") {
            Some(number) => number.parse().ok().map(Self::Ended),
            None => (line == "well").then_some(Self::Well),
        }
    }
}

impl Callers {
    pub(super) fn start(command: &mut Command) -> Result<Self, String> {
        let mut running = Running::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()))?;
        let (stdin, stdout) = running.stdin().zip(running.stdout()).ok_or("both are piped")?;
        let (say, said) = channel();
        spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            // to the end, though nobody may be left to hear of it
            lines.filter_map(|line| Said::read(&line)).for_each(|said| drop(say.send(said)));
        });
        Ok(Self { running, stdin, said, ended: 0 })
    }

    /// How many calls have ended, as of what was waited for last.
    pub(super) fn ended(&self) -> u64 {
        self.ended
    }

    /// Lets them make the calls whose tokens are less than this.
    pub(super) fn allow(&mut self, until: u64) -> Result<(), String> {
        self.tell(&format!("until {until}"))
    }

    /// Waits until so many calls have ended.
    pub(super) fn await_ended(&mut self, count: u64) -> Result<(), String> {
        let mut since = Instant::now();
        while self.ended < count {
            self.hear(&mut since)?;
        }
        Ok(())
    }

    /// Waits until all of `handlers` are reached by way of each gateway.
    pub(super) fn await_well(&mut self, handlers: &str) -> Result<(), String> {
        self.tell(&format!("well {handlers}"))?;
        let mut since = Instant::now();
        while self.hear(&mut since)? != Said::Well {}
        Ok(())
    }

    /// Waits until they have ended, after all calls have.
    pub(super) fn finish(self) -> Result<(), String> {
        self.running.finish(ENDED)
    }

    fn tell(&mut self, line: &str) -> Result<(), String> {
        writeln!(self.stdin, "{line}").map_err(|error| format!("the callers do not listen: {error}"))
    }

    /// The next that they say, unless no more calls have ended since then, for too long.
    fn hear(&mut self, since: &mut Instant) -> Result<Said, String> {
        let said = self.said.recv_timeout(STALLED.saturating_sub(since.elapsed()));
        let said = said.map_err(|error| match error {
            RecvTimeoutError::Timeout => {
                format!("of the calls, {} have ended, and none for {STALLED:?}", self.ended)
            }
            RecvTimeoutError::Disconnected => "the callers have ended too early".to_owned(),
        })?;
        if let Said::Ended(count) = said
            && count != self.ended
        {
            (self.ended, *since) = (count, Instant::now());
        }
        Ok(said)
    }
}
