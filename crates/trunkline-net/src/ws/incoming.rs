//! [`Incoming`]: the message that is arriving, frame by frame and piece by piece.

use super::{
    assembly::Assembly,
    carried::Carried,
    header::{Header, Opcode},
    mask,
    utf8::{self, Utf8},
};
use trunkline_core::{
    Body, Frame, Input,
    framing::{Cut, Goodbye, Unframed},
};

/// What is known of the message under way.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    /// Whether the last frame of the message has yet to come.
    unfinished: bool,
    /// Whether the message is text.
    text: bool,
    utf8: Utf8,
    assembly: Assembly,
    /// The frame of which the payload is arriving, its header being off the input.
    arriving: Option<Arriving>,
    /// The text that is arriving is none, which is to be said once the stream that
    /// it carried up to there has been looked at.
    broken: Option<Unframed>,
}

/// A frame of a message, between its header and the end of its payload.
#[derive(Clone, Copy, Debug)]
struct Arriving {
    fin: bool,
    /// Whether it is the whole message, and stays in the input until it is all there.
    whole: bool,
    /// For the next byte.
    key: Option<[u8; 4]>,
    /// Bytes of payload that have been unmasked and still stand in the input.
    done: usize,
    /// Bytes of payload that have yet to be unmasked.
    left: u64,
}

impl Incoming {
    /// Gives back the memory of a message that has been handed on.
    #[inline]
    pub(super) fn forget_given(&mut self) {
        self.assembly.forget_given();
    }

    /// Whether the payload of a frame has yet to arrive.
    #[inline]
    pub(super) fn is_arriving(&self) -> bool {
        self.arriving.is_some()
    }

    /// Whether a message has begun and not ended.
    pub(super) fn is_under_way(&self) -> bool {
        self.is_arriving() || self.unfinished
    }

    /// Whether a frame of a message may come now, and be this long.
    #[inline]
    pub(super) fn admit(&mut self, header: &Header, limit: u64) -> Result<(), Unframed> {
        match (header.opcode == Opcode::Continuation, self.unfinished) {
            (true, false) => return Err(Unframed::broken("a frame continues a message, and none has begun")),
            (false, true) => return Err(Unframed::broken("a message begins before the last has ended")),
            (false, false) => self.text = header.opcode == Opcode::Text,
            (true, true) => {}
        }
        if header.len > limit.saturating_sub(self.assembly.len() as u64) {
            return Err(Unframed { reason: "a message over the limit", goodbye: Goodbye::TooLarge });
        }
        self.unfinished = !header.fin;
        Ok(())
    }

    /// A message that was admitted, of which all is there.
    #[inline]
    pub(super) fn whole<'b>(&self, payload: &'b [u8]) -> Result<Cut<'b>, Unframed> {
        message(self.text, payload)
    }

    /// The payload of an admitted frame follows.
    pub(super) fn begin(&mut self, header: &Header, carried: bool) {
        let &Header { fin, opcode, key, len, .. } = header;
        let whole = fin && opcode != Opcode::Continuation && !carried;
        self.arriving = Some(Arriving { fin, whole, key, done: 0, left: len });
    }

    /// The payload goes where it belongs, as far as it has arrived. A stream that
    /// is `carried` is passed over by text messages if it is of `binary` ones.
    pub(super) fn arrive<'b>(
        &'b mut self,
        input: &'b mut Input,
        mut carried: Option<&mut Carried>,
        binary: bool,
    ) -> Result<Cut<'b>, Unframed> {
        let Some(arriving) = &mut self.arriving else { return Ok(Cut::Handled) };
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        let waiting = input.len() - arriving.done;
        let here = usize::try_from(arriving.left).map_or(waiting, |left| left.min(waiting));
        let fresh = match arriving.whole {
            true => &mut input.waiting_mut()[arriving.done..arriving.done + here],
            false => input.consume(here),
        };
        arriving.left -= here as u64;
        if let Some(key) = &mut arriving.key {
            mask::apply(*key, fresh);
            *key = mask::advance(*key, here);
        }
        let fresh = &*fresh;
        if self.text {
            let before = self.utf8;
            if let Err(error) = self.utf8.push(fresh) {
                let Some(carried) = carried.filter(|_| !binary) else { return Err(error) };
                carried.extend(&fresh[..before.accepted(fresh)]);
                self.broken = Some(error);
                return Ok(Cut::Handled);
            }
        }
        if arriving.whole {
            arriving.done += here;
        } else if let Some(carried) = &mut carried {
            if !(self.text && binary) {
                carried.extend(fresh);
            }
        } else {
            self.assembly.extend(fresh);
        }
        let arriving = *arriving;
        if arriving.left > 0 {
            // what a carried stream has got so far is looked at without waiting for the rest
            return Ok(match carried {
                Some(carried) if carried.is_fresh() => Cut::Handled,
                Some(_) => Cut::Partial { missing: 1 },
                None => Cut::Partial { missing: usize::try_from(arriving.left).unwrap_or(usize::MAX) },
            });
        }
        if arriving.fin
            && self.text
            && let Err(error) = self.utf8.finish()
        {
            let Some(_) = carried.filter(|_| !binary) else { return Err(error) };
            self.broken = Some(error);
            return Ok(Cut::Handled);
        }
        self.arriving = None;
        match arriving {
            Arriving { whole: true, done, .. } => message(self.text, input.consume(done)),
            Arriving { fin: true, .. } if carried.is_none() => message(self.text, self.assembly.give()),
            _ => Ok(Cut::Handled),
        }
    }
}

/// A message of which all is there.
#[inline]
fn message(text: bool, payload: &[u8]) -> Result<Cut<'_>, Unframed> {
    let body = match text {
        true => Body::Text(std::str::from_utf8(payload).map_err(|_| utf8::INVALID)?),
        false => Body::Binary(payload),
    };
    Ok(Cut::Frame(Frame { body, channel: 0, delimited: true, several: false }))
}
