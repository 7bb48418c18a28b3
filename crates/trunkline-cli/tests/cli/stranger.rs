//! Servers that are none of ours, to see what is said to them.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread::{self, JoinHandle},
};

/// Takes one connection, and does something with it. Gives the address.
fn serve<R: Send + 'static>(with: impl FnOnce(TcpStream) -> R + Send + 'static) -> (String, JoinHandle<R>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback works");
    let address = listener.local_addr().expect("the loopback works").to_string();
    (address, thread::spawn(move || with(listener.accept().expect("the loopback works").0)))
}

/// Reads all lines there are, and answers none of them.
pub(crate) fn silent() -> (String, JoinHandle<Vec<String>>) {
    serve(|stream| BufReader::new(stream).lines().map_while(Result::ok).collect())
}

/// Says a line to the first who comes, and gives the first that is said to it.
pub(crate) fn says(line: &'static str) -> (String, JoinHandle<String>) {
    serve(move |mut stream| {
        stream.write_all(line.as_bytes()).expect("the loopback works");
        let mut heard = String::new();
        BufReader::new(stream).read_line(&mut heard).expect("the loopback works");
        heard
    })
}

/// Answers one line: `answer` are the members of the reply besides its id.
pub(crate) fn answers(answer: &'static str) -> (String, JoinHandle<()>) {
    serve(move |mut stream| {
        let mut asked = String::new();
        BufReader::new(&stream).read_line(&mut asked).expect("the loopback works");
        let asked: serde_json::Value = serde_json::from_str(&asked).expect("a request");
        let reply = format!("{{\"jsonrpc\":\"2.0\",\"id\":{},{answer}}}\n", asked["id"]);
        stream.write_all(reply.as_bytes()).expect("the loopback works");
        // until it hangs up
        let _ = stream.read_to_end(&mut Vec::new());
    })
}

/// Answers one HTTP request with `status` and no body. Gives its head.
pub(crate) fn http(status: &'static str) -> (String, JoinHandle<String>) {
    serve(move |mut stream| {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("the loopback works");
            head.extend(byte);
        }
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .expect("the loopback works");
        // what else it sends is taken, so that the answer is not cut off
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
        String::from_utf8(head).expect("a head is text")
    })
}

/// An address where nobody listens.
pub(crate) fn nobody() -> String {
    TcpListener::bind("127.0.0.1:0")
        .expect("the loopback works")
        .local_addr()
        .expect("the loopback works")
        .to_string()
}
