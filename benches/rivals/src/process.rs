//! [`Server`] and [`load`]: servers and generators as processes, each on a core of its own if that is wanted.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Whether processes are held on cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pinned {
    /// The server on core 0, the load on core 1.
    Apart,
    /// There is no `taskset`, or no second core; or there are more processes than cores.
    No,
}

impl Pinned {
    /// Finds out whether a process can be held on core 1.
    #[must_use]
    pub fn detect() -> Self {
        let tried = Command::new("taskset").args(["-c", "1", "true"]).stderr(Stdio::null()).status();
        if tried.is_ok_and(|status| status.success()) { Self::Apart } else { Self::No }
    }

    /// `program` on `core`.
    fn command(self, core: &str, program: &OsStr) -> Command {
        match self {
            Self::No => Command::new(program),
            Self::Apart => {
                let mut command = Command::new("taskset");
                command.args(["-c", core]).arg(program);
                command
            }
        }
    }
}

/// A server that has said where it listens. Dropping it ends it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// It ends with this, unless there is none: then it is killed.
    input: Option<ChildStdin>,
    addresses: Value,
}

impl Server {
    /// Starts `words`, a program of this folder and its flags, under `tracer` if there is one.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be started, or does not say where it listens.
    pub fn start(words: &str, pinned: Pinned, tracer: &[&OsStr]) -> Result<Self> {
        let mut words = words.split(' ');
        let program = sibling(words.next().unwrap_or_default())?;
        let mut command = match tracer.split_first() {
            None => pinned.command("0", program.as_os_str()),
            Some((first, rest)) => {
                let mut command = pinned.command("0", first);
                command.args(rest).arg(program);
                command
            }
        };
        command.args(words).stdin(Stdio::piped());
        let (mut server, line) = Self::spawn(&mut command)?;
        server.addresses =
            serde_json::from_str(&line).with_context(|| format!("{command:?} printed `{line}`"))?;
        Ok(server)
    }

    /// Starts a program that is not of this folder: it prints a line that begins with `ready` once it is, with its
    /// addresses as `ws=127.0.0.1:80`, and does not end with its input.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be started, or prints another line.
    pub fn foreign(command: &mut Command) -> Result<Self> {
        let (mut server, line) = Self::spawn(command.stdin(Stdio::null()))?;
        ensure!(line.starts_with("ready"), "{command:?} printed `{line}`");
        server.addresses = line.split_whitespace().filter_map(|word| word.split_once('=')).collect();
        Ok(server)
    }

    /// Starts it, and waits for the first line that it prints.
    fn spawn(command: &mut Command) -> Result<(Self, String)> {
        let child = command.stdout(Stdio::piped()).spawn();
        let mut child = child.with_context(|| format!("{command:?} cannot be started"))?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let server = Self { child, input, addresses: Value::Null };
        let mut line = String::new();
        BufReader::new(output.context("no output to read")?).read_line(&mut line)?;
        Ok((server, line))
    }

    /// Where it listens for `kind`: `tcp`, `ws` or `http`.
    ///
    /// # Errors
    ///
    /// Fails when it has not said so.
    pub fn address(&self, kind: &str) -> Result<&str> {
        self.addresses[kind].as_str().with_context(|| format!("the server has no {kind} address"))
    }

    /// Its process (with a tracer: the tracer's).
    #[must_use]
    pub fn pid(&self) -> String {
        self.child.id().to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        match self.input.take() {
            // It ends with its input, which lets a tracer write its summary.
            Some(input) => drop(input),
            // It may have ended by itself: then there is nothing to end.
            None => drop(self.child.kill()),
        }
        let _ = self.child.wait();
    }
}

/// Runs program `name` of this folder on the load's core, and reads the JSON it prints.
///
/// # Errors
///
/// Fails when it cannot be started, or fails.
pub fn load<'a>(
    name: &str,
    args: impl IntoIterator<Item = (&'a str, &'a str)>,
    pinned: Pinned,
) -> Result<Value> {
    let mut command = pinned.command("1", sibling(name)?.as_os_str());
    for (flag, value) in args {
        command.arg(format!("--{flag}")).arg(value);
    }
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("{name} cannot be started"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name}: {}", said.lines().collect::<Vec<_>>().join(" "));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The program `name` in the folder of this one.
fn sibling(name: &str) -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let program = here.parent().unwrap_or(Path::new(".")).join(name);
    ensure!(program.exists(), "{} is not built", program.display());
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_others_say_where_they_are_as_they_say_that_they_are_ready() {
        let said = "ready http=127.0.0.1:80 ws=127.0.0.1:81 handlers=1";
        let server = Server::foreign(Command::new("echo").arg(said)).unwrap();
        assert_eq!(server.address("ws").unwrap(), "127.0.0.1:81");
        assert!(server.address("tcp").is_err());
        assert!(Server::foreign(Command::new("echo").arg("no")).is_err());
    }
}
