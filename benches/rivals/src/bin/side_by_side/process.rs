//! Servers and generators as processes, each on a core of its own.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Whether processes are held on cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pinned {
    /// The server on core 0, the load on core 1.
    Apart,
    /// There is no `taskset`, or no second core.
    No,
}

impl Pinned {
    /// Finds out whether a process can be held on core 1.
    pub(crate) fn detect() -> Self {
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
pub(crate) struct Server {
    child: Child,
    input: Option<ChildStdin>,
    addresses: Value,
}

impl Server {
    /// Starts `words`, a program of this folder and its flags, under `tracer` if there is one.
    pub(crate) fn start(words: &str, pinned: Pinned, tracer: &[&OsStr]) -> Result<Self> {
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
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("{command:?} cannot be started"))?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output to read")?).read_line(&mut line)?;
        let addresses = serde_json::from_str(&line).with_context(|| format!("the server printed `{line}`"));
        let input = child.stdin.take();
        let mut server = Self { child, input, addresses: Value::Null };
        server.addresses = addresses?;
        Ok(server)
    }

    /// Where it listens for `kind`: `tcp`, `ws` or `http`.
    pub(crate) fn address(&self, kind: &str) -> Result<&str> {
        self.addresses[kind].as_str().with_context(|| format!("the server has no {kind} address"))
    }

    /// Its process (with a tracer: the tracer's).
    pub(crate) fn pid(&self) -> String {
        self.child.id().to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Servers end with their input, which lets a tracer write its summary.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// Runs program `name` of this folder on the load's core, and reads the JSON it prints.
pub(crate) fn load<'a>(
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
