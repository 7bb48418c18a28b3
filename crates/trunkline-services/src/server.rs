//! [`Server`]: a server that runs, whatever it serves.

use std::io::{Read, Write};
use std::marker::PhantomData;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::home::Home;
use crate::process::{GLANCE, Process};

/// How long a server may take to greet whoever connects before it counts as hanging.
const GREETING: Duration = Duration::from_secs(5);

/// How long a server may take to start: RabbitMQ needs 5 s of processor time.
const START: Duration = Duration::from_secs(180);

/// What differs between RabbitMQ and NATS.
pub trait Kind {
    /// What people call it.
    const NAME: &str;
    /// The Debian package that has it.
    const PACKAGE: &str;
    /// Its program.
    const PROGRAM: &str;
    /// What a client says first, and how the server's answer to it begins.
    const GREETING: (&[u8], &[u8]);

    /// Where clients find it.
    fn uri(port: u16) -> String;

    /// The processes that it consists of, in the order in which they are started; the server itself is
    /// the last. Four ports are theirs, from `port` on, of which the first is for clients.
    fn commands(home: &Path, port: u16) -> Vec<Command>;
}

/// A server on loopback with ports, data and processes of its own.
///
/// One that [`start`](Self::start) gave ends when this is dropped, and its data goes with it; a
/// shared one stays. The data survives [`kill`](Self::kill) and [`restart`](Self::restart), as far as
/// it is such as the server keeps.
#[derive(Debug)]
pub struct Server<K: Kind> {
    home: Home,
    /// The server itself is the last.
    processes: Vec<Process>,
    /// Whether it ends when this is dropped.
    ours: bool,
    kind: PhantomData<K>,
}

impl<K: Kind> Server<K> {
    /// Whether the program is installed.
    #[must_use]
    pub fn is_installed() -> bool {
        Path::new(K::PROGRAM).exists()
    }

    /// Starts a server for the caller alone and waits until it can be used.
    ///
    /// # Errors
    ///
    /// Fails when the server is not installed, or ends or hangs instead of starting.
    pub fn start() -> Result<Self, String> {
        if !Self::is_installed() {
            return Err(format!(
                "{} is not installed ({} is missing): run `cargo xtask services` as root, or \
                 `sudo apt-get install --no-install-recommends {}`",
                K::NAME,
                K::PROGRAM,
                K::PACKAGE
            ));
        }
        let mut server = Self { home: Home::new()?, processes: Vec::new(), ours: true, kind: PhantomData };
        server.launch()?;
        Ok(server)
    }

    /// The server that all tests share. Do not kill or stop it: others use it.
    ///
    /// # Errors
    ///
    /// Fails when there is none, or when it does not answer.
    pub fn shared() -> Result<Self, String> {
        let homes = Home::all().into_iter().filter(|home| home.is_shared(K::NAME));
        let mut servers = homes.map(|home| {
            let processes = home.processes();
            Self { home, processes, ours: false, kind: PhantomData }
        });
        servers.find(Self::answers).ok_or_else(|| {
            format!(
                "no {} runs for the tests: run `cargo xtask services`, which installs and starts it, then \
                 these tests again (`cargo xtask test` does both)",
                K::NAME
            )
        })
    }

    /// The server that all tests share. If it does not run it is started, and ends when this is dropped.
    ///
    /// # Errors
    ///
    /// Fails when it must be started and [cannot](Self::start).
    pub fn shared_or_start() -> Result<Self, String> {
        Self::shared().or_else(|_| {
            let server = Self::start()?;
            server.home.share(K::NAME)?;
            Ok(server)
        })
    }

    /// Lets the server run on when this is gone.
    pub fn leave_running(mut self) {
        self.ours = false;
    }

    /// Where clients find it, such as `nats://127.0.0.1:20000`.
    #[must_use]
    pub fn uri(&self) -> String {
        K::uri(self.port())
    }

    /// The port for clients, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.home.port()
    }

    /// The process of the server itself, as long as it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.processes.last().filter(|process| process.is_there()).map(Process::id)
    }

    /// Whether somebody who connects is greeted, as the protocol has it, within 5 s. A server that
    /// is stopped accepts connections but says nothing.
    #[must_use]
    pub fn answers(&self) -> bool {
        let (hello, answer) = K::GREETING;
        let greet = || {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port()));
            let mut stream = TcpStream::connect_timeout(&address, GREETING)?;
            stream.set_read_timeout(Some(GREETING))?;
            stream.write_all(hello)?;
            let mut heard = vec![0; answer.len()];
            stream.read_exact(&mut heard)?;
            Ok::<_, std::io::Error>(heard == answer)
        };
        greet().unwrap_or(false)
    }

    /// Ends it by SIGKILL, as a crash does; does nothing if it has ended.
    ///
    /// # Errors
    ///
    /// Fails when the process stays in spite of it.
    pub fn kill(&mut self) -> Result<(), String> {
        self.processes.last().map_or(Ok(()), Process::kill)
    }

    /// Stops it by SIGSTOP: its connections stay open, but it does nothing from now on.
    ///
    /// # Errors
    ///
    /// Fails when it has ended, or goes on all the same.
    pub fn stop(&mut self) -> Result<(), String> {
        self.process()?.stop()
    }

    /// Lets it go on after [`stop`](Self::stop), by SIGCONT.
    ///
    /// # Errors
    ///
    /// Fails when it has ended.
    pub fn resume(&mut self) -> Result<(), String> {
        self.process()?.signal("CONT")
    }

    /// Kills it if it runs, starts it at the same port with the data it had, and waits until it can be
    /// used.
    ///
    /// # Errors
    ///
    /// Fails when it ends or hangs instead of starting.
    pub fn restart(&mut self) -> Result<(), String> {
        self.kill()?;
        self.launch()
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.folder()
    }

    fn process(&self) -> Result<&Process, String> {
        self.processes.last().ok_or_else(|| format!("{} never ran", K::NAME))
    }

    /// Starts those of its processes that do not run and waits until it answers.
    fn launch(&mut self) -> Result<(), String> {
        let mut before = std::mem::take(&mut self.processes).into_iter();
        for mut command in K::commands(self.home(), self.port()) {
            let process = match before.next().filter(Process::is_there) {
                Some(process) => process,
                None => Process::start(&mut command, self.home())?,
            };
            self.processes.push(process);
            self.home.note(&self.processes)?;
        }
        let began = Instant::now();
        while !self.answers() {
            let why = if !self.processes.last().is_some_and(Process::is_there) {
                "ended before it could be used"
            } else if began.elapsed() > START {
                "is not to be used after 3 minutes"
            } else {
                thread::sleep(GLANCE);
                continue;
            };
            return Err(format!("{} {why}; the last it printed:\n{}", K::NAME, self.home.log()));
        }
        Ok(())
    }
}

impl<K: Kind> Drop for Server<K> {
    fn drop(&mut self) {
        if self.ours
            && let Err(why) = self.home.end()
        {
            eprintln!("{} was left behind: {why}", K::NAME);
        }
    }
}
