//! [`MessageMarking`]: marks messages off as they are written in place.

use super::{
    header::{FIN, MASKED, Opcode, Role, SHORT},
    mask,
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use trunkline_core::framing::Marking;

/// The shortest header, which nearly all messages get by with.
const HEAD: usize = 2;

/// One frame a message. Room is left for the shortest header; for a longer one
/// the payload is moved, once.
pub(super) struct MessageMarking {
    pub(super) role: Role,
    pub(super) opcode: Opcode,
    /// Of the stream that the messages carry.
    pub(super) carried: Option<Box<dyn Marking>>,
    /// Set once a close frame has been sent: nothing may follow it.
    pub(super) closed: Arc<AtomicBool>,
}

impl MessageMarking {
    /// Where the payload begins, before lengths are known.
    fn head(&self) -> usize {
        match self.role {
            Role::Server => HEAD,
            Role::Client => HEAD + 4,
        }
    }
}

impl Marking for MessageMarking {
    #[inline]
    fn open(&mut self, stream: &mut Vec<u8>, channel: u8) {
        stream.extend_from_slice(&[FIN | self.opcode as u8, 0]);
        if self.role == Role::Client {
            stream.extend_from_slice(&mask::new_key());
        }
        if let Some(carried) = &mut self.carried {
            carried.open(stream, channel);
        }
    }

    #[inline]
    fn close(&mut self, stream: &mut Vec<u8>, start: usize, body: usize) {
        if self.closed.load(Ordering::Relaxed) {
            stream.truncate(start);
            return;
        }
        let payload = start + self.head();
        if let Some(carried) = &mut self.carried {
            carried.close(stream, payload, body);
        }
        let len = stream.len() - payload;
        let mut masked = 0;
        if self.role == Role::Client {
            masked = MASKED;
            if let Some(&key) = stream[start + HEAD..].first_chunk() {
                mask::apply(key, &mut stream[payload..]);
            }
        }
        match u8::try_from(len) {
            Ok(len) if usize::from(len) <= SHORT => stream[start + 1] = masked | len,
            _ => lengthen(stream, start, masked, len),
        }
    }

    fn another(&self) -> Box<dyn Marking> {
        Box::new(Self {
            role: self.role,
            opcode: self.opcode,
            carried: self.carried.as_ref().map(|carried| carried.another()),
            closed: self.closed.clone(),
        })
    }
}

/// Opens a gap behind the first two bytes of a frame, for a length that does not fit there.
fn lengthen(stream: &mut Vec<u8>, start: usize, masked: u8, len: usize) {
    let at = start + HEAD;
    let end = stream.len();
    match u16::try_from(len) {
        Ok(len) => {
            stream.extend_from_slice(&[0; 2]);
            stream.copy_within(at..end, at + 2);
            stream[start + 1] = masked | 126;
            stream[at..at + 2].copy_from_slice(&len.to_be_bytes());
        }
        Err(_) => {
            stream.extend_from_slice(&[0; 8]);
            stream.copy_within(at..end, at + 8);
            stream[start + 1] = masked | 127;
            stream[at..at + 8].copy_from_slice(&(len as u64).to_be_bytes());
        }
    }
}
