//! [`Nats`]: a NATS server. Tests that share one keep apart by subjects of their own.

use std::path::Path;
use std::process::Command;

use crate::server::{Kind, Server};

/// A NATS server; it starts within milliseconds.
pub type Nats = Server<NatsServer>;

/// What NATS is like.
#[derive(Debug)]
#[non_exhaustive]
pub struct NatsServer;

impl Kind for NatsServer {
    const NAME: &str = "NATS";
    const PACKAGE: &str = "nats-server";
    const PROGRAM: &str = "/usr/sbin/nats-server";
    /// The server speaks first.
    const GREETING: (&[u8], &[u8]) = (b"", b"INFO ");

    fn uri(port: u16) -> String {
        format!("nats://127.0.0.1:{port}")
    }

    fn commands(_home: &Path, port: u16) -> Vec<Command> {
        let mut server = Command::new(Self::PROGRAM);
        server.args(["--addr", "127.0.0.1", "--port", &port.to_string()]);
        vec![server]
    }
}
