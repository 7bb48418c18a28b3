//! Other programs: started from the root of the checkout, shown before they run, waited for.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// How often a wait looks whether what it waits for has come.
const GLANCE: Duration = Duration::from_millis(20);

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where cargo puts what it builds; tools that a command installs go there too.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// `program ARGS...`, to be run from the root of the checkout.
pub(crate) fn command<A: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    args: impl IntoIterator<Item = A>,
) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(root());
    command
}

/// `cargo ARGS...`, to be run from the root of the checkout.
pub(crate) fn cargo<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Command {
    command("cargo", args)
}

/// Shows the command, runs it with our own output, and fails unless it succeeds.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    println!("$ {}", shown(command));
    let status = command.status().map_err(|error| unstartable(command, &error))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` ended with {status}", shown(command))) }
}

/// Runs the command and gives what it printed; its errors go to our own standard error.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let done = command.stderr(Stdio::inherit()).output().map_err(|error| unstartable(command, &error))?;
    if !done.status.success() {
        return Err(format!("`{}` ended with {}", shown(command), done.status));
    }
    String::from_utf8(done.stdout).map_err(|_| format!("`{}` printed what is not UTF-8", shown(command)))
}

/// Whether the command can be started and succeeds; prints nothing.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|it| it.success())
}

/// Installs a cargo subcommand from crates.io unless it is there.
pub(crate) fn need_cargo_tool(name: &str) -> Result<(), String> {
    if succeeds(&mut cargo([name, "--version"])) {
        return Ok(());
    }
    run(&mut cargo(["install", "--locked", &format!("cargo-{name}")]))
}

/// A program that runs beside us and is ended when this goes out of scope.
pub(crate) struct Running {
    child: Child,
    shown: String,
}

impl Running {
    /// Shows the command and starts it.
    pub(crate) fn start(command: &mut Command) -> Result<Self, String> {
        let shown = shown(command);
        println!("$ {shown} &");
        let child = command.spawn().map_err(|error| unstartable(command, &error))?;
        Ok(Self { child, shown })
    }

    /// Shows the command, starts it, and waits for a line that begins with `word`, which it gives; what
    /// the program prints before and after is not shown.
    pub(crate) fn start_until_ready(
        command: &mut Command,
        word: &'static str,
        limit: Duration,
    ) -> Result<(Self, String), String> {
        let mut running = Self::start(command.stdout(Stdio::piped()))?;
        let (say, ready) = mpsc::channel();
        let said = running.child.stdout.take().map(BufReader::new).into_iter().flat_map(BufReader::lines);
        // reads on for as long as the program runs, which would wait else until somebody does
        thread::spawn(move || {
            for line in said.map_while(Result::ok).filter(|line| line.starts_with(word)) {
                // who has waited too long does not listen
                let _ = say.send(line);
            }
        });
        match ready.recv_timeout(limit) {
            Ok(line) => Ok((running, line)),
            Err(RecvTimeoutError::Timeout) => {
                Err(format!("`{}` is not ready after {limit:?}", running.shown))
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err(format!("`{}` ended before it was ready", running.shown))
            }
        }
    }

    /// Waits until the program accepts TCP connections at `address`.
    pub(crate) fn await_listening(&mut self, address: SocketAddr, limit: Duration) -> Result<(), String> {
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = self.ended()? {
                return Err(format!("`{}` ended with {status} before it listened at {address}", self.shown));
            }
            if began.elapsed() > limit {
                return Err(format!("`{}` does not listen at {address} after {limit:?}", self.shown));
            }
            sleep(GLANCE);
        }
        Ok(())
    }

    /// What it reads, if that is a pipe which nobody has taken yet.
    pub(crate) fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// What it prints, if that is a pipe which nobody has taken yet.
    pub(crate) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Asks it to end, by SIGTERM.
    pub(crate) fn terminate(&self) -> Result<(), String> {
        // the shell has `kill` built in, where the program of this name may not be installed
        let mut kill = command("sh", ["-c", &format!("kill -s TERM {}", self.child.id())]);
        if succeeds(&mut kill) { Ok(()) } else { Err(format!("`{}` cannot be sent SIGTERM", self.shown)) }
    }

    /// Waits until the program ends, and fails if it does not succeed within `limit`.
    pub(crate) fn finish(mut self, limit: Duration) -> Result<(), String> {
        let began = Instant::now();
        loop {
            match self.ended()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("`{}` ended with {status}", self.shown)),
                None if began.elapsed() > limit => {
                    return Err(format!("`{}` still runs after {limit:?} and was ended", self.shown));
                }
                None => sleep(GLANCE),
            }
        }
    }

    fn ended(&mut self) -> Result<Option<std::process::ExitStatus>, String> {
        self.child.try_wait().map_err(|error| format!("cannot wait for `{}`: {error}", self.shown))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address on loopback where nothing listens now.
pub(crate) fn free_address() -> Result<SocketAddr, String> {
    free_address_on(Ipv4Addr::LOCALHOST)
}

/// An address of this host where nothing listens now.
pub(crate) fn free_address_on(host: Ipv4Addr) -> Result<SocketAddr, String> {
    TcpListener::bind((host, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(|error| format!("no free port on {host}: {error}"))
}

/// The command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words = words.map(|word| {
        let word = word.to_string_lossy();
        if word.is_empty() || word.contains([' ', '*', '"', '$']) {
            format!("'{word}'")
        } else {
            word.into_owned()
        }
    });
    let variables = command.get_envs().filter_map(|(name, value)| {
        Some(format!("{}='{}'", name.to_string_lossy(), value?.to_string_lossy()))
    });
    variables.chain(words).collect::<Vec<_>>().join(" ")
}

fn unstartable(command: &Command, error: &std::io::Error) -> String {
    format!("cannot start `{}`: {error}", command.get_program().to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let mut command = command("cargo", ["test", "a b"]);
        assert_eq!(
            shown(command.env("RUSTDOCFLAGS", "-D warnings")),
            "RUSTDOCFLAGS='-D warnings' cargo test 'a b'"
        );
    }

    #[test]
    fn a_command_that_fails_is_named() {
        let why = run(&mut command("false", [""; 0])).unwrap_err();
        assert!(why.starts_with("`false` ended with exit status: 1"), "{why}");
        let why = output(&mut command("no-such-program", [""; 0])).unwrap_err();
        assert!(why.starts_with("cannot start `no-such-program`"), "{why}");
    }

    #[test]
    fn a_program_is_asked_to_end() {
        let running = Running::start(&mut command("sleep", ["600"])).unwrap();
        running.terminate().unwrap();
        let why = running.finish(Duration::from_secs(60)).unwrap_err();
        assert!(why.starts_with("`sleep 600` ended with signal: 15"), "{why}");
    }

    #[test]
    fn a_program_that_ends_too_early_is_not_waited_for() {
        let mut running = Running::start(&mut command("true", [""; 0])).unwrap();
        let why = running.await_listening(free_address().unwrap(), Duration::from_secs(60)).unwrap_err();
        assert!(why.contains("before it listened"), "{why}");
        let why =
            Running::start_until_ready(&mut command("echo", ["not yet"]), "ready", Duration::from_secs(60));
        assert!(why.err().unwrap().contains("`echo 'not yet'` ended before it was ready"));
    }
}
