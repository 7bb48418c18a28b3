//! Running the program: to its end, or beside the test.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

/// How long anything may take before the test gives it up as hung.
pub(crate) const HUNG: Duration = Duration::from_secs(60);

fn command(args: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trunkline"));
    command.args(args).env_remove("RUST_LOG").env_remove("CLICOLOR_FORCE");
    let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TRUNKLINE_"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a program that has ended left behind.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Done {
    #[track_caller]
    pub(crate) fn succeeded(self) -> String {
        assert_eq!((self.code, &*self.stderr), (Some(0), ""), "{self:?}");
        self.stdout
    }

    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        self.stderr
    }
}

/// Runs the program to its end.
pub(crate) fn run(args: &[&str]) -> Done {
    run_with(args, "")
}

/// Runs the program to its end, with something to read.
pub(crate) fn run_with(args: &[&str], stdin: &str) -> Done {
    finish(Running::start(args), stdin)
}

/// Runs the program to its end, in an environment that has these variables too.
#[cfg(feature = "gateway")]
pub(crate) fn run_in(args: &[&str], variables: &[(&str, &str)]) -> Done {
    finish(Running::start_with(args, variables), "")
}

fn finish(mut running: Running, stdin: &str) -> Done {
    // a program that refuses its arguments does not read
    let _ = running.child.stdin.take().expect("a pipe").write_all(stdin.as_bytes());
    let status = running.wait();
    Done { code: status.code(), stdout: running.stdout.rest(), stderr: running.stderr.rest() }
}

/// The program, running beside the test. It ends with it.
pub(crate) struct Running {
    child: Child,
    pub(crate) stdout: Lines,
    pub(crate) stderr: Lines,
}

impl Running {
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_with(args, &[])
    }

    /// The same in an environment that has these variables too.
    pub(crate) fn start_with(args: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::of(command(args, variables).spawn())
    }

    /// The same with its output going elsewhere.
    #[cfg(feature = "gateway")]
    pub(crate) fn start_unread(args: &[&str], stdout: impl Into<Stdio>) -> Self {
        Self::of(command(args, &[]).stdout(stdout).spawn())
    }

    fn of(child: std::io::Result<Child>) -> Self {
        let mut child = child.expect("the program starts");
        let stdout = match child.stdout.take() {
            Some(stdout) => Lines::of(stdout),
            None => Lines::of(std::io::empty()),
        };
        let stderr = Lines::of(child.stderr.take().expect("a pipe"));
        Self { child, stdout, stderr }
    }

    /// Asks it to end, as service managers do.
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Asks it to read its settings anew.
    #[cfg(feature = "gateway")]
    pub(crate) fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().expect("kill is a program");
        assert!(sent.success());
    }

    /// Waits until it ends. Its output ends with it.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.stdout.wait();
        self.stderr.wait();
        self.child.wait().expect("it has ended")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // it may have ended already
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of an output, as they come.
pub(crate) struct Lines {
    coming: Receiver<String>,
    come: Vec<String>,
}

impl Lines {
    fn of(output: impl Read + Send + 'static) -> Self {
        let (send, coming) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                if send.send(line.expect("text")).is_err() {
                    return;
                }
            }
        });
        Self { coming, come: Vec::new() }
    }

    /// The next line.
    #[track_caller]
    pub(crate) fn next(&mut self) -> String {
        if self.come.is_empty() {
            self.coming.recv_timeout(HUNG).expect("another line")
        } else {
            self.come.remove(0)
        }
    }

    /// The next line that has `part` in it; others are passed over.
    #[track_caller]
    pub(crate) fn find(&mut self, part: &str) -> String {
        loop {
            let line = self.next();
            if line.contains(part) {
                return line;
            }
        }
    }

    /// Waits for a line; others are passed over.
    #[track_caller]
    pub(crate) fn until(&mut self, line: &str) {
        while self.next() != line {}
    }

    #[track_caller]
    fn wait(&mut self) {
        while let Ok(line) = self.coming.recv_timeout(HUNG).map_err(|error| {
            assert_eq!(error, std::sync::mpsc::RecvTimeoutError::Disconnected, "the program hangs");
        }) {
            self.come.push(line);
        }
    }

    /// What has come and was not read, once the program has ended.
    pub(crate) fn rest(&mut self) -> String {
        self.come.drain(..).map(|line| line + "\n").collect()
    }
}

/// The demo, on ports of its own.
pub(crate) struct Demo {
    pub(crate) program: Running,
    pub(crate) http: String,
    pub(crate) ws: String,
    pub(crate) tcp: String,
}

impl Demo {
    #[track_caller]
    pub(crate) fn start() -> Self {
        let mut program =
            Running::start(&["demo", "--json", "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0"]);
        let urls: Value = serde_json::from_str(&program.stdout.next()).expect("JSON");
        let [http, ws, tcp] =
            ["http", "ws", "tcp"].map(|key| urls[key].as_str().expect("an address").to_owned());
        Self { program, http, ws, tcp }
    }

    pub(crate) fn urls(&self) -> [&str; 3] {
        [&self.http, &self.ws, &self.tcp]
    }
}
