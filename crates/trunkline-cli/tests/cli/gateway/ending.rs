//! SIGTERM: a gateway ends in good order.

use super::{
    client::{Http, RPC, THERMS, Ws},
    world::{Gateway, file},
};
use crate::program::Running;
use std::{net::TcpStream, os::unix::net::UnixStream};
use tungstenite::protocol::frame::coding::CloseCode;

/// The head of a call whose body is still to come, once the gateway waits for that.
#[track_caller]
fn begin(http: &mut Http) {
    let length = RPC.len();
    http.send(&format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Expect: 100-continue\r\n\r\n"
    ));
    assert!(http.head().starts_with("HTTP/1.1 100 "));
}

#[test]
fn what_is_under_way_is_answered_and_websockets_are_told_to_leave() {
    let mut gateway = Gateway::start(&[]);
    let (mut http, mut idle, mut ws) =
        (Http::connect(gateway.address), Http::connect(gateway.address), Ws::connect(gateway.address));
    assert_eq!(idle.get("/health").status, 200);
    ws.ask(RPC);
    begin(&mut http);
    gateway.program.terminate();
    let (code, said) = ws.closed();
    assert_eq!((code, said), (CloseCode::Away, Vec::new()));
    assert!(TcpStream::connect(gateway.address).is_err(), "nobody is let in");
    http.send(RPC);
    assert_eq!(http.read().json()["error"]["code"], -32601);
    assert_eq!(gateway.program.wait().code(), Some(0));
}

#[test]
fn it_does_not_wait_for_ever() {
    let mut gateway = Gateway::start(&["--set", "limits.drain_timeout=10ms"]);
    let mut http = Http::connect(gateway.address);
    begin(&mut http);
    gateway.program.terminate();
    assert_eq!(gateway.program.wait().code(), Some(0));
}

/// Nobody reads what it prints.
#[test]
fn it_serves_also_if_nobody_reads_where() {
    let socket = file("unread.socket", "");
    std::fs::remove_file(&socket).unwrap();
    let (reader, unread) = std::io::pipe().unwrap();
    drop(reader);
    let listen = format!("listen.unix={socket}");
    let mut gateway = Running::start_unread(&["gateway", "--set", &listen], unread);
    gateway.stderr.find("could not be printed");
    assert!(UnixStream::connect(&socket).is_ok());
    gateway.terminate();
    assert_eq!(gateway.wait().code(), Some(0));
}

/// What is forwarded waits for a broker that is not there.
#[test]
fn what_is_called_while_it_ends_is_refused_and_a_second_signal_ends_it_at_once() {
    let mut gateway = Gateway::start(&["--broker", "amqp://127.0.0.1:9"]);
    let sockets = [(RPC, "error"), (THERMS, "code")];
    let mut sockets = sockets.map(|(call, tells)| (Ws::connect(gateway.address), call, tells));
    sockets.iter_mut().for_each(|(ws, call, _)| ws.send(call));
    gateway.program.terminate();
    // all are told to leave once nobody is let in
    while TcpStream::connect(gateway.address).is_ok() {}
    for (ws, call, tells) in &mut sockets {
        let refused = ws.ask(call);
        assert!(refused[*tells].is_object() || refused[*tells] == 503, "{refused}");
        assert!(refused.to_string().contains("may be made elsewhere"), "{refused}");
    }
    gateway.program.terminate();
    assert_eq!(gateway.program.wait().code(), Some(130));
}

/// The first words are for people, unless scripts want them.
#[test]
fn people_are_told_what_is_served_and_what_is_waited_for() {
    let mut gateway = Running::start(&["gateway", "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0"]);
    for part in [
        "The gateway serves",
        "http://127.0.0.1:",
        "ws://127.0.0.1:",
        "tcp://127.0.0.1:",
        "broker",
        "drain_timeout",
    ] {
        gateway.stdout.find(part);
    }
    gateway.terminate();
    gateway.stderr.find("stopping when calls under way are done");
    assert_eq!(gateway.wait().code(), Some(0));
}
