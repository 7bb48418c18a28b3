//! As much of an AMQP 0-9-1 client as it takes to see which queues a virtual host has.

use std::io::{Read, Write};
use std::net::TcpStream;

/// A connection to one virtual host, with a channel.
#[derive(Debug)]
pub(crate) struct Connection(TcpStream);

/// A class and a method of it.
type Method = (u16, u16);

impl Connection {
    /// Logs in; gives what the server says against it.
    pub(crate) fn open(uri: &str) -> Result<Self, String> {
        let (address, vhost) = uri.strip_prefix("amqp://guest:guest@").unwrap().split_once('/').unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"AMQP\0\0\x09\x01").unwrap();
        let mut this = Self(stream);
        this.hear((10, 10))?;
        let login = [&[0; 4], &*short("PLAIN"), &[0, 0, 0, 12], b"\0guest\0guest", &*short("en_US")];
        this.say(0, (10, 11), &login.concat());
        this.hear((10, 30))?;
        this.say(0, (10, 31), &[0, 1, 0, 2, 0, 0, 0, 0]);
        this.say(0, (10, 40), &[&*short(vhost), &[0, 0]].concat());
        this.hear((10, 41))?;
        this.say(1, (20, 10), &[0]);
        this.hear((20, 11))?;
        Ok(this)
    }

    /// Declares a durable queue; a passive one must be there already.
    pub(crate) fn declare(&mut self, queue: &str, passive: bool) -> Result<(), String> {
        let flags = 2 | u8::from(passive);
        self.say(1, (50, 10), &[&[0, 0], &*short(queue), &[flags, 0, 0, 0, 0]].concat());
        self.hear((50, 11))
    }

    fn say(&mut self, channel: u8, method: Method, arguments: &[u8]) {
        let size = u32::try_from(4 + arguments.len()).unwrap().to_be_bytes();
        let method = [method.0.to_be_bytes(), method.1.to_be_bytes()].concat();
        let frame = [&[1, 0, channel][..], &size, &method, arguments, &[0xCE]].concat();
        self.0.write_all(&frame).unwrap();
    }

    /// Takes the next method, which must be this one.
    fn hear(&mut self, method: Method) -> Result<(), String> {
        let mut head = [0; 7];
        self.0.read_exact(&mut head).map_err(|error| error.to_string())?;
        let size = u32::from_be_bytes([head[3], head[4], head[5], head[6]]);
        let mut body = vec![0; size as usize + 1];
        self.0.read_exact(&mut body).map_err(|error| error.to_string())?;
        let heard = (u16::from_be_bytes([body[0], body[1]]), u16::from_be_bytes([body[2], body[3]]));
        if heard == method { Ok(()) } else { Err(String::from_utf8_lossy(&body).into_owned()) }
    }
}

fn short(text: &str) -> Vec<u8> {
    [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}
