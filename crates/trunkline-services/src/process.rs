//! [`Process`]: one process of a server, signalled only while it is still the one that was started.
//!
//! Another program of ours may have started it, so that all that is left of it is its id, which
//! the system gives to somebody else once it has ended. So the time when it started goes with the id.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::str::SplitAsciiWhitespace;
use std::thread;
use std::time::{Duration, Instant};

/// How often a wait looks whether what it waits for has come.
pub(crate) const GLANCE: Duration = Duration::from_millis(20);

/// How long a process may take to be gone after SIGKILL, or to do nothing after SIGSTOP.
const GONE: Duration = Duration::from_secs(30);

/// A process that runs, or ran.
#[derive(Debug)]
pub(crate) struct Process {
    id: u32,
    /// In ticks since the machine started.
    started: u64,
}

impl Process {
    /// Starts `command` in `folder`; what it prints is added to the file `log` there.
    pub(crate) fn start(command: &mut Command, folder: &Path) -> Result<Self, String> {
        let name = command.get_program().to_string_lossy().into_owned();
        let told = |error| format!("cannot start `{name}`: {error}");
        let log = File::options().create(true).append(true).open(folder.join("log")).map_err(told)?;
        let errors = log.try_clone().map_err(told)?;
        command.current_dir(folder).stdin(Stdio::null()).stdout(log).stderr(errors);
        let mut child = command.spawn().map_err(told)?;
        let id = child.id();
        let started = started(id).unwrap_or_default();
        // Somebody must wait for it, or it stays in the list of processes for as long as we do.
        thread::spawn(move || child.wait());
        Ok(Self { id, started })
    }

    /// The process that [`note`](Self::note) was about.
    pub(crate) fn noted(note: &str) -> Option<Self> {
        let (id, started) = note.split_once(' ')?;
        Some(Self { id: id.parse().ok()?, started: started.parse().ok()? })
    }

    /// A line by which it is found again.
    pub(crate) fn note(&self) -> String {
        format!("{} {}", self.id, self.started)
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Whether it runs, or is stopped.
    pub(crate) fn is_there(&self) -> bool {
        started(self.id) == Some(self.started)
    }

    /// Sends the signal of that name, such as `STOP`.
    pub(crate) fn signal(&self, name: &str) -> Result<(), String> {
        if !self.is_there() {
            return Err(format!("process {} has ended, it cannot be sent SIG{name}", self.id));
        }
        // The shell has `kill` built in, where the program of this name may not be installed.
        let status = Command::new("sh").args(["-c", &format!("kill -s {name} {}", self.id)]).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`kill -s {name} {}` ended with {status}", self.id)),
            Err(error) => Err(format!("cannot start `sh` for `kill`: {error}")),
        }
    }

    /// Stops it by SIGSTOP, and waits until it does nothing any more: one of its threads is told,
    /// and tells the others when it has its turn, until when they go on.
    pub(crate) fn stop(&self) -> Result<(), String> {
        let began = Instant::now();
        self.signal("STOP")?;
        while !self.is_stopped() {
            if began.elapsed() > GONE {
                return Err(format!("process {} still runs {GONE:?} after SIGSTOP", self.id));
            }
            thread::sleep(GLANCE);
        }
        Ok(())
    }

    /// Whether each of its threads is stopped, or has ended.
    fn is_stopped(&self) -> bool {
        let threads = fs::read_dir(format!("/proc/{}/task", self.id)).into_iter().flatten().flatten();
        let mut stats = threads.filter_map(|thread| fs::read_to_string(thread.path().join("stat")).ok());
        stats.all(|stat| fields(&stat).is_none_or(|mut it| matches!(it.next(), Some("T" | "Z" | "X"))))
    }

    /// Ends it by SIGKILL, unless it has ended already, and waits until it is gone.
    pub(crate) fn kill(&self) -> Result<(), String> {
        let began = Instant::now();
        if let Err(why) = self.signal("KILL")
            && self.is_there()
        {
            return Err(why);
        }
        while self.is_there() {
            if began.elapsed() > GONE {
                return Err(format!("process {} is still there {GONE:?} after SIGKILL", self.id));
            }
            thread::sleep(GLANCE);
        }
        Ok(())
    }
}

/// When the process with this id started, unless it has ended; see proc_pid_stat(5).
fn started(id: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = fields(&stat)?;
    let state = fields.next()?;
    let threads = fields.nth(16)?;
    // Its first thread may have ended while others still have the sockets.
    let has_ended = matches!((state, threads), ("Z" | "X", "0" | "1"));
    if has_ended { None } else { fields.nth(1)?.parse().ok() }
}

/// What is said of a process or a thread behind its name, which stands in parentheses and may
/// have spaces and parentheses: its state first.
fn fields(stat: &str) -> Option<SplitAsciiWhitespace<'_>> {
    Some(stat[stat.rfind(')')? + 1..].split_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_process_that_was_started_is_signalled() {
        let folder = std::env::temp_dir().join(format!("trunkline-process-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let process = Process::start(Command::new("sleep").arg("600"), &folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        let other = Process { id: process.id, started: process.started + 1 };
        assert!(process.is_there() && !other.is_there());
        other.kill().unwrap();
        assert!(other.signal("KILL").unwrap_err().contains("has ended"));
        assert!(process.is_there() && !process.is_stopped());
        process.stop().unwrap();
        assert!(process.is_there() && process.is_stopped());

        Process::noted(&process.note()).unwrap().kill().unwrap();
        assert!(!process.is_there());
    }
}
