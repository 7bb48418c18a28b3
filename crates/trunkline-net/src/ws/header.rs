//! [`Header`]: what stands before the payload of a frame (RFC 6455, section 5.2).

use super::mask;
use trunkline_core::{Body, framing::Unframed};

/// Which end of the connection this is: clients mask what they send, servers do not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a connection has two ends")]
pub enum Role {
    /// The end that accepted the handshake.
    Server,
    /// The end that asked for it.
    Client,
}

/// What a frame is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    fn of(first: u8) -> Option<Self> {
        Some(match first & 0x0f {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    /// Whether it may stand between the frames of a message.
    pub(super) fn is_control(self) -> bool {
        self as u8 >= Self::Close as u8
    }
}

/// The first byte of the last frame of a message, or of its only one.
pub(super) const FIN: u8 = 0x80;
/// Set in the second byte if the payload is masked.
pub(super) const MASKED: u8 = 0x80;
/// The bits that only extensions give a meaning.
const RESERVED: u8 = 0x70;
/// The longest payload of a control frame, and of any whose length fits the second byte.
pub(super) const SHORT: usize = 125;

/// What stands before a payload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Header {
    pub(super) fin: bool,
    pub(super) opcode: Opcode,
    pub(super) key: Option<[u8; 4]>,
    /// Bytes of payload.
    pub(super) len: u64,
    /// Bytes of the header itself.
    pub(super) head: usize,
}

/// Reads the header at the front of `bytes`, as `role` receives it.
///
/// What a header alone shows to be wrong is refused as soon as it shows. If the
/// header is not there in full, the inner result is how many bytes it lacks.
#[inline]
pub(super) fn read(bytes: &[u8], role: Role) -> Result<Result<Header, usize>, Unframed> {
    let Some(&[first, second]) = bytes.first_chunk() else {
        return Ok(Err(2 - bytes.len()));
    };
    if first & RESERVED != 0 {
        return Err(Unframed::broken("a reserved bit of a frame is set, and no extension was agreed on"));
    }
    let opcode = Opcode::of(first).ok_or(Unframed::broken("the opcode of a frame is not a known one"))?;
    let (fin, masked, short) = (first & FIN != 0, second & MASKED != 0, second & !MASKED);
    match role {
        Role::Server if !masked => return Err(Unframed::broken("a frame from a client is not masked")),
        Role::Client if masked => return Err(Unframed::broken("a frame from a server is masked")),
        _ => {}
    }
    if opcode.is_control() && !fin {
        return Err(Unframed::broken("a control frame is fragmented"));
    }
    if opcode.is_control() && usize::from(short) > SHORT {
        return Err(Unframed::broken("a control frame is longer than 125 bytes"));
    }
    let Some((len, at)) = length(short, bytes)? else {
        let full = if short == 126 { 4 } else { 10 };
        return Ok(Err(full + if masked { 4 } else { 0 } - bytes.len()));
    };
    if !masked {
        return Ok(Ok(Header { fin, opcode, key: None, len, head: at }));
    }
    match bytes[at..].first_chunk() {
        Some(&key) => Ok(Ok(Header { fin, opcode, key: Some(key), len, head: at + 4 })),
        None => Ok(Err(at + 4 - bytes.len())),
    }
}

/// The length of the payload and where it ends, if it is there in full.
#[inline]
fn length(short: u8, bytes: &[u8]) -> Result<Option<(u64, usize)>, Unframed> {
    let (len, at, least) = match short {
        126 => match bytes[2..].first_chunk() {
            Some(&len) => (u64::from(u16::from_be_bytes(len)), 4, SHORT as u64 + 1),
            None => return Ok(None),
        },
        127 => match bytes[2..].first_chunk() {
            Some(&len) => (u64::from_be_bytes(len), 10, 1 << 16),
            None => return Ok(None),
        },
        _ => return Ok(Some((u64::from(short), 2))),
    };
    if len < least {
        return Err(Unframed::broken("the length of a frame is written longer than it need be"));
    }
    if len > i64::MAX as u64 {
        return Err(Unframed::broken("the length of a frame has its highest bit set"));
    }
    Ok(Some((len, at)))
}

/// Appends a whole frame.
pub(super) fn write(out: &mut Vec<u8>, role: Role, opcode: Opcode, payload: &[u8]) {
    let len = payload.len();
    let key = (role == Role::Client).then(mask::new_key);
    let masked = if key.is_some() { MASKED } else { 0 };
    out.push(FIN | opcode as u8);
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len), _) if usize::from(len) <= SHORT => out.push(masked | len),
        (_, Ok(len)) => {
            out.push(masked | 126);
            out.extend_from_slice(&len.to_be_bytes());
        }
        _ => {
            out.push(masked | 127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&key.unwrap_or_default()[..if key.is_some() { 4 } else { 0 }]);
    let at = out.len();
    out.extend_from_slice(payload);
    if let Some(key) = key {
        mask::apply(key, &mut out[at..]);
    }
}

/// Appends a whole message of the kind that `body` is, for programs that choose
/// between text and binary message by message.
///
/// ```
/// # use trunkline_core::Body;
/// # use trunkline_net::ws::{Role, write_message};
/// let mut out = Vec::new();
/// write_message(Role::Server, Body::Text("hi"), &mut out);
/// assert_eq!(out, b"\x81\x02hi");
/// ```
pub fn write_message(role: Role, body: Body<'_>, out: &mut Vec<u8>) {
    let opcode = match body {
        Body::Text(_) => Opcode::Text,
        Body::Binary(_) => Opcode::Binary,
    };
    write(out, role, opcode, body.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(bytes: &[u8], role: Role, reason: &str) {
        assert_eq!(read(bytes, role).unwrap_err(), Unframed::broken(Box::leak(reason.to_owned().into())));
    }

    #[test]
    fn a_header_is_read_once_it_is_whole() {
        for (bytes, len) in [
            (&b"\x82\x85KEYS"[..], 5),
            (b"\x82\xfe\x00\x7eKEYS", 126),
            (b"\x82\xff\0\0\0\0\0\x01\0\0KEYS", 65_536),
        ] {
            for end in 0..bytes.len() {
                let missing = read(&bytes[..end], Role::Server).unwrap().unwrap_err();
                let expected = if end < 2 { 2 - end } else { bytes.len() - end };
                assert_eq!(missing, expected, "{end} bytes of {bytes:?}");
            }
            let header =
                Header { fin: true, opcode: Opcode::Binary, key: Some(*b"KEYS"), len, head: bytes.len() };
            assert_eq!(read(bytes, Role::Server).unwrap(), Ok(header));
        }
    }

    #[test]
    fn a_header_that_breaks_a_rule_is_refused_at_its_second_byte() {
        for rsv in [0x40, 0x20, 0x10] {
            refused(
                &[0x81 | rsv, 0x80],
                Role::Server,
                "a reserved bit of a frame is set, and no extension was agreed on",
            );
        }
        for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
            refused(&[0x80 | opcode, 0x80], Role::Server, "the opcode of a frame is not a known one");
        }
        refused(b"\x81\x00", Role::Server, "a frame from a client is not masked");
        refused(b"\x81\x80", Role::Client, "a frame from a server is masked");
        for opcode in [8, 9, 10] {
            refused(&[opcode, 0], Role::Client, "a control frame is fragmented");
            refused(&[0x80 | opcode, 126], Role::Client, "a control frame is longer than 125 bytes");
        }
    }

    #[test]
    fn a_length_has_one_spelling() {
        let longer = "the length of a frame is written longer than it need be";
        refused(b"\x82\x7e\0\x7d", Role::Client, longer);
        refused(b"\x82\x7f\0\0\0\0\0\0\xff\xff", Role::Client, longer);
        refused(b"\x82\x7f\x80\0\0\0\0\0\0\0", Role::Client, "the length of a frame has its highest bit set");
    }

    #[test]
    fn what_is_written_can_be_read() {
        for len in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
            let payload = vec![b'x'; len];
            for (role, reader) in [(Role::Server, Role::Client), (Role::Client, Role::Server)] {
                let mut out = vec![];
                write(&mut out, role, Opcode::Text, &payload);
                let header = read(&out, reader).unwrap().unwrap();
                assert_eq!((header.fin, header.opcode, header.len), (true, Opcode::Text, len as u64));
                if let Some(key) = header.key {
                    mask::apply(key, &mut out[header.head..]);
                }
                assert_eq!(out[header.head..], payload);
            }
        }
    }
}
