//! HTTP/2 frame by frame (RFC 9113), for callers that no library would be.

use crate::support::Server;
use std::io;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

pub(crate) const INITIAL_WINDOW_SIZE: u16 = 4;

pub(crate) const CANCEL: u32 = 8;
pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;

/// A frame that came in.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// A frame as it is sent.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The head of a call, as HPACK (RFC 7541) has it without any of its arts.
pub(crate) fn head() -> Vec<u8> {
    // `:method: POST`, `:scheme: http`, `:path: /`, then `:authority` and `content-type`
    let known = [0x83, 0x86, 0x84];
    [&known[..], &[0x01, 9], b"localhost", &[0x0f, 0x10, 16], b"application/json"].concat()
}

/// A header that nobody knows.
pub(crate) fn header(value: &[u8]) -> Vec<u8> {
    let len = u8::try_from(value.len()).unwrap();
    assert!(len < 127, "a longer length is written otherwise");
    [&[0, 1, b'x', len], value].concat()
}

/// A whole call.
pub(crate) fn call(stream: u32, document: &str) -> Vec<u8> {
    let head = frame(HEADERS, END_HEADERS, stream, &head());
    [head, frame(DATA, END_STREAM, stream, document.as_bytes())].concat()
}

/// The end of a stream before its time.
pub(crate) fn reset(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes())
}

/// The numbers that a client gives its streams.
pub(crate) fn streams() -> impl Iterator<Item = u32> {
    (1..).step_by(2)
}

/// A connection over which frames are sent as they are.
pub(crate) struct Frames(pub(crate) TcpStream);

impl Frames {
    /// Connects, with these settings.
    pub(crate) async fn to(server: &Server, settings: &[(u16, u32)]) -> Self {
        let settings: Vec<u8> = settings
            .iter()
            .flat_map(|(which, value)| [&which.to_be_bytes()[..], &value.to_be_bytes()].concat())
            .collect();
        let mut frames = Self(server.connect().await);
        let hello = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(SETTINGS, 0, 0, &settings)].concat();
        frames.send(&hello).await.unwrap();
        frames
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).await
    }

    /// The next frame that comes in; `None` if no more do.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        next(&mut self.0).await
    }

    /// The next frame of this kind.
    pub(crate) async fn find(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let frame = self.next().await?;
            if frame.kind == kind {
                return Some(frame);
            }
        }
    }

    /// The body of the answer on this stream.
    pub(crate) async fn answer(&mut self, stream: u32) -> String {
        let mut body = Vec::new();
        loop {
            let frame = self.next().await.unwrap();
            if (frame.stream, frame.kind) == (stream, DATA) {
                body.extend(frame.payload);
            }
            if frame.stream == stream && matches!(frame.kind, DATA | HEADERS) && frame.flags & END_STREAM != 0
            {
                return String::from_utf8(body).unwrap();
            }
        }
    }

    /// Sends a frame so many times, and waits until each of them is acknowledged.
    pub(crate) async fn acknowledged(&mut self, piece: &[u8], times: usize) {
        let (mut from, mut to) = self.0.split();
        let sending = async {
            for _ in 0..times / 100 {
                to.write_all(&piece.repeat(100)).await.unwrap();
            }
        };
        let hearing = async {
            let mut missing = times;
            while missing > 0 {
                let heard = next(&mut from).await.unwrap();
                missing -= usize::from(heard.kind == piece[3] && heard.flags & ACK != 0);
            }
        };
        tokio::join!(sending, hearing);
    }

    /// Sends `pieces` until there are no more or the server has had enough, and
    /// gives what it says in parting: an error code, or nothing.
    pub(crate) async fn flood(self, mut pieces: impl Iterator<Item = Vec<u8>>) -> (usize, Option<u32>) {
        let (mut from, mut to) = self.0.into_split();
        let sending = async {
            let mut sent = 0;
            for piece in &mut pieces {
                if to.write_all(&piece).await.is_err() {
                    break;
                }
                sent += piece.len();
            }
            sent
        };
        let hearing = async {
            let mut heard = Vec::new();
            // that it was reset does not take away what had come before
            let _ = from.read_to_end(&mut heard).await;
            heard
        };
        let (sent, heard) = tokio::join!(sending, hearing);
        (sent, parting(&heard))
    }
}

async fn next(stream: &mut (impl AsyncRead + Unpin)) -> Option<Frame> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.ok()?;
    let [a, b, c, kind, flags, number @ ..] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    stream.read_exact(&mut payload).await.ok()?;
    Some(Frame { kind, flags, stream: u32::from_be_bytes(number), payload })
}

/// The error code in the last words of a server.
fn parting(mut heard: &[u8]) -> Option<u32> {
    let mut code = None;
    while let Some(&[a, b, c, kind, ..]) = heard.first_chunk::<9>() {
        let whole = 9 + u32::from_be_bytes([0, a, b, c]) as usize;
        let Some(payload) = heard.get(9..whole) else { break };
        if kind == GOAWAY {
            code = payload[4..].first_chunk().map(|code| u32::from_be_bytes(*code));
        }
        heard = &heard[whole..];
    }
    code
}
