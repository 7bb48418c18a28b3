//! A NATS server of one's own.

use rand::random_range;
use std::{
    fs::{DirEntry, read_dir, read_to_string},
    io::{self, Read},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A NATS server of one's own, which ends when this is dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    args: Vec<String>,
    /// `None` while it is killed.
    child: Option<Child>,
}

impl Server {
    pub(crate) fn start(args: &[&str]) -> Self {
        // below those ports that the system gives to outgoing connections, or one of these could
        // have it while the server is killed
        let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
        let port = (0..1000).map(|_| random_range(12_000..20_000)).find(free).expect("a port is free");
        let mut server = Self { port, args: args.iter().map(ToString::to_string).collect(), child: None };
        server.restart();
        server
    }

    pub(crate) fn uri(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Starts it where it was.
    pub(crate) fn restart(&mut self) {
        let mut command = Command::new("nats-server");
        command.args(["--addr", "127.0.0.1", "--port", &self.port.to_string()]).args(&self.args);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.child = Some(child.expect("nats-server is installed: apt-get install nats-server"));
        let since = Instant::now();
        while !self.greets() {
            assert!(since.elapsed() < PATIENCE, "nats-server has not started at port {}", self.port);
            sleep(Duration::from_millis(5));
        }
    }

    fn greets(&self) -> bool {
        let Ok(mut connection) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) else { return false };
        let mut greeting = [0; 5];
        connection.read_exact(&mut greeting).is_ok() && greeting == *b"INFO "
    }

    /// Kills it, as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Makes it hang; once this returns it does nothing any more.
    pub(crate) fn stop(&self) {
        self.signal("STOP");
        let tasks = format!("/proc/{}/task", self.id());
        let hangs = |task: io::Result<DirEntry>| {
            let stat = read_to_string(task.unwrap().path().join("stat")).unwrap();
            stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
        };
        while !read_dir(&tasks).unwrap().all(hangs) {
            sleep(Duration::from_millis(1));
        }
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let status = Command::new("sh").args(["-c", &format!("kill -s {name} {}", self.id())]).status();
        assert!(status.unwrap().success());
    }

    fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
