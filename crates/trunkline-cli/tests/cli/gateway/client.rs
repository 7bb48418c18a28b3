//! Clients, by hand: what they send, and what they are sent.

use crate::program::HUNG;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
};
use tungstenite::{Message, WebSocket, protocol::frame::coding::CloseCode};

pub(super) const RPC: &str = r#"{"jsonrpc":"2.0","id":1,"method":"no.such"}"#;
pub(super) const THERMS: &str = r#"{"procedure":"such","scope":"no","correlationId":"c"}"#;

/// A connection for requests of HTTP, one after another.
pub(super) struct Http(BufReader<TcpStream>);

pub(super) struct Response {
    pub(super) status: u16,
    head: String,
    pub(super) body: String,
}

impl Http {
    #[track_caller]
    pub(super) fn connect(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).unwrap();
        stream.set_read_timeout(Some(HUNG)).unwrap();
        Self(BufReader::new(stream))
    }

    #[track_caller]
    pub(super) fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// Sends a call, with more headers, and reads the response.
    #[track_caller]
    pub(super) fn post(&mut self, headers: &str, body: &str) -> Response {
        let length = body.len();
        self.send(&format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ));
        self.read()
    }

    #[track_caller]
    pub(super) fn get(&mut self, path: &str) -> Response {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        self.read()
    }

    #[track_caller]
    pub(super) fn head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.0.read_line(&mut head).unwrap(), 0, "the connection ends after {head:?}");
        }
        head
    }

    #[track_caller]
    pub(super) fn read(&mut self) -> Response {
        let head = self.head();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut response = Response { status, head, body: String::new() };
        let mut body = vec![0; response.header("content-length").map_or(0, |length| length.parse().unwrap())];
        self.0.read_exact(&mut body).unwrap();
        response.body = String::from_utf8(body).unwrap();
        response
    }
}

impl Response {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| line.split_once(':').is_some_and(|(its, _)| its.eq_ignore_ascii_case(name));
        Some(self.head.lines().find(named)?.split_once(':')?.1.trim())
    }

    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// One call on a connection of its own.
#[track_caller]
pub(super) fn post(to: SocketAddr, headers: &str, body: &str) -> Response {
    Http::connect(to).post(headers, body)
}

/// A WebSocket.
pub(super) struct Ws(WebSocket<TcpStream>);

impl Ws {
    #[track_caller]
    pub(super) fn connect(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).unwrap();
        stream.set_read_timeout(Some(HUNG)).unwrap();
        Self(tungstenite::client(format!("ws://{to}/"), stream).unwrap().0)
    }

    #[track_caller]
    pub(super) fn send(&mut self, message: &str) {
        self.0.send(Message::text(message)).unwrap();
    }

    /// Sends a message, and gives the next that comes.
    #[track_caller]
    pub(super) fn ask(&mut self, message: &str) -> Value {
        self.send(message);
        let Message::Text(text) = self.0.read().unwrap() else { panic!("no text") };
        serde_json::from_str(&text).unwrap()
    }

    /// How it is closed, and what was said before.
    #[track_caller]
    pub(super) fn closed(&mut self) -> (CloseCode, Vec<String>) {
        let mut said = Vec::new();
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => said.push(text.to_string()),
                Message::Close(Some(frame)) => return (frame.code, said),
                other => panic!("{other}"),
            }
        }
    }
}
