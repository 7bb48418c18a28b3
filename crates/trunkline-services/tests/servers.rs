//! Servers do what tests ask of them: they start, hang, die and come back, for real.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod amqp;

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use amqp::Connection;
use trunkline_services::{Kind, Nats, NatsServer, RabbitMq, Server};

/// Whether anybody listens at the server's port.
fn listens<K: Kind>(server: &Server<K>) -> bool {
    TcpStream::connect(("127.0.0.1", server.port())).is_ok()
}

/// Hangs, goes on, dies, comes back at the same port.
fn is_hurt_and_heals<K: Kind>(server: &mut Server<K>) {
    let uri = server.uri();
    assert!(server.answers());

    server.stop().unwrap();
    assert!(listens(server) && !server.answers());
    server.resume().unwrap();
    assert!(server.answers());

    server.kill().unwrap();
    assert!(!listens(server) && !server.answers());
    assert!(server.stop().unwrap_err().contains("has ended"));
    server.kill().unwrap();

    server.restart().unwrap();
    assert!(server.answers());
    assert_eq!(server.uri(), uri);
}

#[test]
fn nats_is_hurt_and_heals() {
    let mut server = Nats::start().unwrap();
    is_hurt_and_heals(&mut server);
    server.stop().unwrap();
    server.restart().unwrap();
    assert!(server.answers());
}

#[test]
fn servers_have_ports_of_their_own_and_end_when_dropped() {
    let (one, other) = (Nats::start().unwrap(), Nats::start().unwrap());
    assert_ne!(one.port(), other.port());
    let port = one.port();
    drop(one);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(other.answers());
}

/// NATS under another name, as the shared one is for the other tests.
struct Another;

impl Kind for Another {
    const NAME: &str = "another NATS";
    const PACKAGE: &str = NatsServer::PACKAGE;
    const PROGRAM: &str = NatsServer::PROGRAM;
    const GREETING: (&[u8], &[u8]) = NatsServer::GREETING;

    fn uri(port: u16) -> String {
        NatsServer::uri(port)
    }

    fn commands(home: &Path, port: u16) -> Vec<Command> {
        NatsServer::commands(home, port)
    }
}

#[test]
fn a_shared_server_ends_with_those_who_started_it_and_is_missed_by_others() {
    let missing = Server::<Another>::shared().err().unwrap();
    assert!(missing.contains("no another NATS") && missing.contains("`cargo xtask services`"), "{missing}");

    let started = Server::<Another>::shared_or_start().unwrap();
    let found = Server::<Another>::shared_or_start().unwrap();
    assert_eq!(found.uri(), started.uri());
    drop(found);
    let mut found = Server::<Another>::shared().unwrap();
    assert_eq!(found.uri(), started.uri());
    found.kill().unwrap();
    assert!(Server::<Another>::shared().is_err());
    drop(started);
    found.restart().unwrap_err();
}

/// A server whose program is not there.
struct Missing;

impl Kind for Missing {
    const NAME: &str = "Missing";
    const PACKAGE: &str = "missing-server";
    const PROGRAM: &str = "/no/such/program";
    const GREETING: (&[u8], &[u8]) = (b"", b"");

    fn uri(_port: u16) -> String {
        unreachable!("it cannot be started")
    }

    fn commands(_home: &Path, _port: u16) -> Vec<Command> {
        unreachable!("it is not installed")
    }
}

#[test]
fn what_is_not_installed_is_said() {
    let why = Server::<Missing>::start().err().unwrap();
    assert!(why.contains("apt-get install --no-install-recommends missing-server"), "{why}");
}

#[test]
fn rabbitmq_is_hurt_and_heals_and_keeps_virtual_hosts_apart() {
    let mut server = RabbitMq::start().unwrap();
    let (one, other) = (server.vhost().unwrap(), server.vhost().unwrap());
    assert_ne!(one, other);
    Connection::open(&one).unwrap().declare("calls", false).unwrap();
    Connection::open(&one).unwrap().declare("calls", true).unwrap();
    let nowhere = Connection::open(&other).unwrap().declare("calls", true).unwrap_err();
    assert!(nowhere.contains("NOT_FOUND"), "{nowhere}");
    let nowhere = Connection::open(&format!("{}/none", server.uri())).unwrap_err();
    assert!(nowhere.contains("vhost none not found"), "{nowhere}");

    is_hurt_and_heals(&mut server);
    Connection::open(&one).unwrap().declare("calls", true).unwrap();
}
