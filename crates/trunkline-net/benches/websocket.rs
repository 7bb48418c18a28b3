//! The WebSocket codec without IO, beside tungstenite: why it is our own.
//!
//! A batch of requests as one read delivers them, for a server, which unmasks
//! each; and a batch of replies as one write takes them.

use divan::{Bencher, black_box, counter::ItemsCount};
use std::io;
use trunkline_core::{
    Body, Input, Outbox,
    framing::{Cut, Framing},
};
use trunkline_net::ws::{Role, WebSocket, write_message};
use tungstenite::protocol;

const REQUEST: &str =
    r#"{"jsonrpc":"2.0","id":12345,"method":"math.add","params":{"a":1234567,"b":87654321}}"#;
const REPLY: &str = r#"{"jsonrpc":"2.0","result":42,"id":12345}"#;
const BATCHES: [usize; 3] = [1, 16, 64];

fn main() {
    assert_eq!(REQUEST.len(), 84, "as in the figures of the decision document");
    divan::main();
}

/// What a client sends.
fn requests(batch: usize) -> Vec<u8> {
    let mut stream = vec![];
    for _ in 0..batch {
        write_message(Role::Client, Body::Text(REQUEST), &mut stream);
    }
    stream
}

#[divan::bench(args = BATCHES, sample_size = 100)]
fn cut(bencher: Bencher<'_, '_>, batch: usize) {
    let stream = requests(batch);
    let (mut framing, mut input) = (WebSocket::server(), Input::default());
    let mut out = Outbox::new(framing.marking());
    bencher.counter(ItemsCount::new(batch)).bench_local(|| {
        input.extend(&stream);
        while let Ok(Cut::Frame(frame)) = framing.cut(&mut input, &mut out) {
            black_box(frame.body.as_bytes());
        }
    });
}

#[divan::bench(args = BATCHES, sample_size = 100)]
fn mark(bencher: Bencher<'_, '_>, batch: usize) {
    let mut out = Outbox::new(WebSocket::server().marking());
    bencher.counter(ItemsCount::new(batch)).bench_local(|| {
        for _ in 0..batch {
            out.frame(0, |body| body.extend_from_slice(black_box(REPLY).as_bytes()));
        }
        black_box(out.bytes());
        out.clear(1 << 20);
    });
}

#[divan::bench(args = BATCHES, sample_size = 100)]
fn mark_as_client(bencher: Bencher<'_, '_>, batch: usize) {
    let mut out = Outbox::new(WebSocket::client().marking());
    bencher.counter(ItemsCount::new(batch)).bench_local(|| {
        for _ in 0..batch {
            out.frame(0, |body| body.extend_from_slice(black_box(REQUEST).as_bytes()));
        }
        black_box(out.bytes());
        out.clear(1 << 20);
    });
}

/// One batch to read, and somewhere to write.
#[derive(Default)]
struct Memory {
    read: io::Cursor<Vec<u8>>,
    written: Vec<u8>,
}

impl io::Read for Memory {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match io::Read::read(&mut self.read, into)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }
}

impl io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// With a read buffer that fits, as tungstenite fills all of it with zeros for each read.
fn tungstenite_server(read: Vec<u8>) -> tungstenite::WebSocket<Memory> {
    let memory = Memory { read: io::Cursor::new(read), ..Memory::default() };
    let config = protocol::WebSocketConfig::default().read_buffer_size(8 << 10);
    tungstenite::WebSocket::from_raw_socket(memory, protocol::Role::Server, Some(config))
}

#[divan::bench(args = BATCHES, sample_size = 100)]
fn cut_by_tungstenite(bencher: Bencher<'_, '_>, batch: usize) {
    let mut socket = tungstenite_server(requests(batch));
    bencher.counter(ItemsCount::new(batch)).bench_local(|| {
        socket.get_mut().read.set_position(0);
        while let Ok(message) = socket.read() {
            black_box(message);
        }
    });
}

#[divan::bench(args = BATCHES, sample_size = 100)]
fn mark_by_tungstenite(bencher: Bencher<'_, '_>, batch: usize) {
    let mut socket = tungstenite_server(vec![]);
    bencher.counter(ItemsCount::new(batch)).bench_local(|| {
        for _ in 0..batch {
            let _ = socket.write(protocol::Message::text(black_box(REPLY)));
        }
        let _ = socket.flush();
        socket.get_mut().written.clear();
    });
}
