//! Replies, from being written to being sent, or kept until those are there that they
//! leave with.

use super::Hearing;
use crate::jsonrpc::{
    ErrorObject, Failure, Id, code,
    replies::{BatchReply, Place},
    write,
};
use trunkline_core::{Fault, FaultKind, OpenFrame, Outbox, Signal};

impl Hearing {
    /// Answers a response where only calls have a place.
    pub(super) fn refuse_response<'f>(
        &mut self,
        id: Option<&Id<'_>>,
        channel: u8,
        batch: Option<usize>,
        out: &mut Outbox,
    ) -> Option<Signal<'f>> {
        let place = self.place(channel, batch);
        let id = id.filter(|id| !id.is_too_long()).map(Id::as_raw);
        self.reply(place, id, out, |out| {
            let why = Some("\"a response has no place in a request\"");
            write::failure(out, id, code::INVALID_REQUEST, "Invalid Request", why);
        });
        None
    }

    /// Answers a whole document that could not be read.
    #[cold]
    pub(super) fn refuse<'f>(
        &mut self,
        channel: u8,
        error: ErrorObject<'_>,
        out: &mut Outbox,
    ) -> Option<Signal<'f>> {
        self.reply(Place { channel, batch: None }, None, out, |out| Failure::new(None, error).write_to(out));
        None
    }

    /// The place of an answer; in a batch, the next one.
    pub(super) fn place(&mut self, channel: u8, batch: Option<usize>) -> Place {
        Place { channel, batch: batch.map(|batch| (batch, self.batches.item(batch))) }
    }

    /// Answers `id` with what is written. In a batch that may be too much, like
    /// a result, and what is told instead is never refused.
    pub(super) fn reply(
        &mut self,
        place: Place,
        id: Option<&str>,
        out: &mut Outbox,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        self.has_answered = true;
        let frame = out.open(place.channel);
        write(out.body());
        if let Some((batch, _)) = place.batch
            && !self.batches.admit(batch, out.written(frame).len(), self.max_reply)
        {
            self.put_shortly(id, frame, out);
        }
        self.send(place, frame, out);
    }

    /// Says only that there was no room for an answer, if that is any shorter.
    #[cold]
    fn put_shortly(&self, id: Option<&str>, frame: OpenFrame, out: &mut Outbox) {
        let fault = batch_reply_too_large(self.max_reply);
        let mut short = Vec::new();
        write::failure(&mut short, id, code::RESPONSE_TOO_BIG, fault.message(), fault.raw_data());
        if short.len() < out.written(frame).len() {
            out.rewind(frame);
            out.body().extend_from_slice(&short);
        }
    }

    /// Sends a complete reply, or keeps it where it has to wait for others.
    #[inline]
    pub(super) fn send(&mut self, place: Place, frame: OpenFrame, out: &mut Outbox) {
        if place.batch.is_none() && !self.holding {
            out.close(frame);
        } else {
            self.keep(place, frame, out);
        }
    }

    #[inline(never)]
    fn keep(&mut self, place: Place, frame: OpenFrame, out: &mut Outbox) {
        let Some((batch, item)) = place.batch else {
            self.held.hold(place.channel, out.written(frame));
            out.discard(frame);
            return;
        };
        let whole = self.batches.answer(batch, item, out.written(frame));
        out.discard(frame);
        if let Some(reply) = whole {
            self.send_batch(&reply, out);
        }
    }

    pub(super) fn send_batch(&mut self, reply: &BatchReply, out: &mut Outbox) {
        if reply.is_empty() {
            return;
        }
        if self.holding {
            self.held.hold_batch(reply);
            return;
        }
        out.frame(reply.channel(), |out| {
            out.push(b'[');
            reply.write_items(out);
            out.push(b']');
        });
    }
}

/// What is said of a batch whose replies are more than there is room for.
#[cold]
pub(super) fn batch_reply_too_large(limit: usize) -> Fault {
    Fault::new(FaultKind::ReplyTooLarge, "Response is too big").with_data(format!(
        "the replies to the batches under way are over {limit} bytes, the setting `max_reply` of the server's limits"
    ))
}
