//! [`Wire`]: how a caller of this test marks documents off. A codec of its own,
//! so that a mistake in trunkline's cannot cancel itself out.

/// How documents are marked off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wire {
    /// A line each.
    Lines,
    /// A `Content-Length` header before each.
    Headers,
    /// A WebSocket message each, from the end that dialled.
    WebSocket,
    /// Bytes as they come.
    Bytes,
}

/// What came from the far side.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Arrival {
    Document(String),
    Binary(Vec<u8>),
    /// A WebSocket close frame, with its code.
    Close(u16),
    Garbage(String),
}

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

impl Wire {
    /// A document as it is sent. Over a WebSocket, what is no text is binary.
    pub(crate) fn wrap(self, document: &[u8]) -> Vec<u8> {
        match self {
            Self::Lines => [document, b"\n"].concat(),
            Self::Headers => {
                [format!("Content-Length: {}\r\n\r\n", document.len()).as_bytes(), document].concat()
            }
            Self::WebSocket => match std::str::from_utf8(document) {
                Ok(_) => message(TEXT, document),
                Err(_) => message(BINARY, document),
            },
            Self::Bytes => document.to_vec(),
        }
    }

    /// A binary message, where there are messages.
    pub(crate) fn wrap_binary(self, document: &[u8]) -> Vec<u8> {
        if self == Self::WebSocket { message(BINARY, document) } else { self.wrap(document) }
    }

    /// What is whole at the front of `stream`, and how long it is.
    pub(crate) fn cut(self, stream: &[u8]) -> Option<(Arrival, usize)> {
        match self {
            Self::Lines => {
                let end = stream.iter().position(|&byte| byte == b'\n')?;
                Some((document(&stream[..end]), end + 1))
            }
            Self::Headers => {
                let head = stream.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
                let length = std::str::from_utf8(&stream[..head - 4])
                    .ok()
                    .and_then(|head| head.strip_prefix("Content-Length: "))
                    .and_then(|length| length.parse::<usize>().ok());
                let Some(length) = length else { return Some((garbage(stream), stream.len())) };
                Some((document(stream.get(head..head + length)?), head + length))
            }
            Self::WebSocket => cut_message(stream),
            Self::Bytes if stream.is_empty() => None,
            Self::Bytes => Some((Arrival::Binary(stream.to_vec()), stream.len())),
        }
    }
}

/// The close frame of RFC 6455, section 5.5.1.
pub(crate) fn close(code: u16) -> Vec<u8> {
    message(CLOSE, &code.to_be_bytes())
}

fn document(bytes: &[u8]) -> Arrival {
    match std::str::from_utf8(bytes) {
        Ok(text) => Arrival::Document(text.to_owned()),
        Err(_) => garbage(bytes),
    }
}

fn garbage(bytes: &[u8]) -> Arrival {
    Arrival::Garbage(bytes.escape_ascii().take(200).map(char::from).collect())
}

/// A masked frame that is a whole message: RFC 6455, section 5.2.
fn message(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ ..126), _) => frame.push(0x80 | length),
        (_, Ok(length)) => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    let masked = frame.len();
    frame.extend_from_slice(payload);
    // eight bytes at a time, as some messages are long
    let mask = u64::from_ne_bytes([MASK, MASK].concat().try_into().unwrap_or_default());
    let mut words = frame[masked..].chunks_exact_mut(8);
    for word in &mut words {
        let bytes: [u8; 8] = (&*word).try_into().unwrap_or_default();
        word.copy_from_slice(&(u64::from_ne_bytes(bytes) ^ mask).to_ne_bytes());
    }
    for (byte, mask) in words.into_remainder().iter_mut().zip(MASK.iter().cycle()) {
        *byte ^= mask;
    }
    frame
}

/// A frame from the end that accepted: not masked, and never a fragment here.
fn cut_message(stream: &[u8]) -> Option<(Arrival, usize)> {
    let (&first, &second) = (stream.first()?, stream.get(1)?);
    let (length, head) = match second {
        126 => (u64::from(u16::from_be_bytes(*stream.get(2..)?.first_chunk()?)), 4),
        127 => (u64::from_be_bytes(*stream.get(2..)?.first_chunk()?), 10),
        short => (u64::from(short), 2),
    };
    let end = usize::try_from(length).ok()?.checked_add(head)?;
    let payload = stream.get(head..end)?;
    let arrival = match first {
        0x81 => document(payload),
        0x82 => Arrival::Binary(payload.to_vec()),
        0x88 => Arrival::Close(payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code))),
        _ => garbage(stream),
    };
    Some((arrival, end))
}
