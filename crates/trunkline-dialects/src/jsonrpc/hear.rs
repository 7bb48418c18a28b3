//! [`Hearing`]: JSON-RPC as a [`Dialect`]: hears messages, answers them.

mod answering;

use self::answering::batch_reply_too_large;
use super::{
    Batch, Document, ErrorObject, Failure, Id, Invalid, Item, JsonRpc, Message, NotJson, Params, Request,
    Rules, Success, about,
    cancel::{cancelled, is_cancel},
    code,
    falsy::substitute,
    fault, feed,
    glimpse::glimpse,
    read,
    replies::{Batches, Held, Place},
    say::Common,
    shape::{Alike, Shape},
    stream,
    together::Together,
    write,
};
use std::{
    borrow::Cow,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use trunkline_core::{
    About, CallId, CowPayload, Dialect, Fault, FaultKind, Format, Frame, Limits, OpenFrame, Outbox,
    OwnedPayload, Payload, Signal, StreamHead, frame::Body,
};

/// The side of a conversation that hears.
#[derive(Debug)]
pub(super) struct Hearing {
    options: JsonRpc,
    rules: Rules,
    max_reply: usize,
    two_way: bool,
    /// Whether items can follow an answer.
    streams: bool,
    /// Whether the far side has been answered anything.
    has_answered: bool,
    progress: Progress,
    /// Items of the frame at hand that have not been heard yet.
    together: Option<Together>,
    batches: Batches,
    held: Held,
    /// The far side sends documents with nothing between them.
    undelimited: bool,
    /// Whether replies are held back until the next write.
    holding: bool,
    /// What our speaking half knows too.
    common: Arc<Common>,
    requests: Shape,
    /// Only where this side calls: most connections of a server are never answered.
    answers: Option<Box<Shape>>,
}

/// How far the frame at hand has been heard.
#[derive(Clone, Copy, Debug)]
enum Progress {
    Unheard,
    InBatch { batch: usize, at: usize, left: usize },
    Heard,
}

impl Hearing {
    pub(super) fn two_way(options: &JsonRpc, limits: &Limits, common: Arc<Common>) -> Self {
        Self {
            two_way: true,
            streams: true,
            has_answered: false,
            progress: Progress::Unheard,
            together: None,
            batches: Batches::default(),
            held: Held::default(),
            undelimited: false,
            holding: options.always_paced && !options.pace.is_zero(),
            rules: options.rules(limits),
            max_reply: limits.max_reply,
            options: options.clone(),
            common,
            requests: Shape::of_requests(),
            answers: None,
        }
    }

    pub(super) fn one_way(options: &JsonRpc, limits: &Limits) -> Self {
        Self { streams: false, ..Self::events(options, limits) }
    }

    pub(super) fn events(options: &JsonRpc, limits: &Limits) -> Self {
        Self { two_way: false, holding: false, ..Self::two_way(options, limits, Arc::default()) }
    }

    fn begin<'f>(&mut self, frame: &mut Frame<'f>, out: &mut Outbox) -> Option<Signal<'f>> {
        if self.undelimited == frame.delimited {
            self.undelimited = !frame.delimited;
            self.holding = self.pace().is_some();
        }
        self.progress = Progress::Heard;
        let text = match frame.body.as_text() {
            Ok(text) => text,
            Err(_) if frame.several => return Some(Signal::Several),
            Err(error) => return self.refuse(frame.channel, ErrorObject::from(&NotJson::from(error)), out),
        };
        frame.body = Body::Text(text);
        if let Some(Alike { id, method, value }) = self.requests.read(text, &self.rules) {
            self.learn(frame.channel);
            let id = CallId { spelling: id, tag: Place { channel: frame.channel, batch: None }.pack() };
            let args = Some(CowPayload::Borrowed(Payload::Json(value)));
            return Some(Signal::Call { id, procedure: Cow::Borrowed(method), args, about: None });
        }
        if let Some(answers) = &self.answers
            && let Some(Alike { id, value, .. }) = answers.read(text, &self.rules)
        {
            return Some(Signal::Reply { id: ours(&Id::scanned(id)?), outcome: Ok(Payload::Json(value)) });
        }
        self.begin_unlike(text, frame, out)
    }

    /// Begins with a text that does not look like the last of its kind.
    #[inline(never)]
    fn begin_unlike<'f>(
        &mut self,
        text: &'f str,
        frame: &mut Frame<'f>,
        out: &mut Outbox,
    ) -> Option<Signal<'f>> {
        match read(text, &self.rules) {
            Ok(Document::One(item)) => {
                let about = about::read(text, &item, &self.rules);
                if about.is_none() {
                    self.remember(text, &item);
                }
                self.item(item, text, about, frame.channel, None, out)
            }
            Ok(Document::Batch(items)) => {
                let (at, left) = items.position();
                let batch = self.batches.begin(frame.channel);
                self.progress = Progress::InBatch { batch, at, left };
                self.next_in_batch(frame, out)
            }
            Ok(Document::TooLarge { limit, len }) => {
                let error = ErrorObject::new(code::BATCH_TOO_LARGE, "The batch request was too large");
                let data = serde_json::json!({"limit": limit, "items": len, "setting": "max_batch"});
                self.refuse(
                    frame.channel,
                    error.with_data(&data).unwrap_or_else(|_| ErrorObject::invalid_request()),
                    out,
                )
            }
            Err(_) if frame.several => Some(Signal::Several),
            Err(not_json) => self.refuse(frame.channel, ErrorObject::from(&not_json), out),
        }
    }

    /// Remembers what a message looks like, for the next one.
    fn remember(&mut self, text: &str, item: &Item<'_>) {
        match item {
            Ok(Message::Request(Request { id, method, params: Some(params) })) => {
                self.requests.learn(text, id.as_raw(), params.as_raw(), Some(method));
            }
            Ok(Message::Success(Success { id, result })) if self.two_way => {
                let answers = self.answers.get_or_insert_with(|| Box::new(Shape::of_answers()));
                answers.learn(text, id.as_raw(), result.as_raw(), None);
            }
            _ => {}
        }
    }

    fn next_in_batch<'f>(&mut self, frame: &mut Frame<'f>, out: &mut Outbox) -> Option<Signal<'f>> {
        let Body::Text(text) = frame.body else { return None };
        while let Progress::InBatch { batch, at, left } = self.progress {
            let mut items = Batch::scanned(text, at, left, &self.rules);
            let Some(item) = items.next() else {
                self.progress = Progress::Heard;
                if let Some(reply) = self.batches.heard(batch) {
                    self.send_batch(&reply, out);
                }
                return None;
            };
            let before = at + 1;
            let (at, left) = items.position();
            self.progress = Progress::InBatch { batch, at, left };
            let about = about::read(text.get(before..at).unwrap_or_default(), &item, &self.rules);
            if let Some(signal) = self.item(item, text, about, frame.channel, Some(batch), out) {
                return Some(signal);
            }
        }
        None
    }

    /// Goes on with a frame of which not all has been heard.
    fn go_on<'f>(&mut self, frame: &mut Frame<'f>, out: &mut Outbox) -> Option<Signal<'f>> {
        if let Some(signal) = self.next_together(frame) {
            return Some(signal);
        }
        match self.progress {
            Progress::InBatch { .. } => self.next_in_batch(frame, out),
            _ => None,
        }
    }

    fn next_together<'f>(&mut self, frame: &Frame<'f>) -> Option<Signal<'f>> {
        let Body::Text(text) = frame.body else { return None };
        let next = self.together.as_mut()?.next(text);
        if next.is_none() {
            self.together = None;
        }
        next
    }

    /// What a message in `text` says, alone or as an item of a batch.
    fn item<'f>(
        &mut self,
        item: Item<'f>,
        text: &'f str,
        about: Option<Box<About>>,
        channel: u8,
        batch: Option<usize>,
        out: &mut Outbox,
    ) -> Option<Signal<'f>> {
        match item {
            Ok(Message::Request(request)) => {
                self.learn(channel);
                let place = self.place(channel, batch);
                let Cow::Borrowed(spelling) = request.id.into_raw() else { return None };
                let id = CallId { spelling, tag: place.pack() };
                if batch.is_some_and(|batch| self.batches.is_over(batch)) {
                    self.fault(&id, &batch_reply_too_large(self.max_reply), out);
                    return None;
                }
                let args = request.params.map(payload);
                Some(Signal::Call { id, procedure: request.method, args, about })
            }
            Ok(Message::Notification(notification)) => {
                self.learn(channel);
                if self.two_way && is_cancel(&notification.method) {
                    return notification.params.and_then(cancelled).map(|id| Signal::Cancel { id });
                }
                if self.two_way && notification.method == stream::CREDIT {
                    let Cow::Borrowed(params) = notification.params?.into_raw() else { return None };
                    return stream::credited(params).map(|(of, credit)| Signal::Credit { of, credit });
                }
                if self.two_way
                    && feed::is_about_feeds(&notification.method)
                    && let Some(signal) = feed::signal(&notification.method, notification.params.as_ref())
                {
                    return Some(signal);
                }
                if self.common.listens.load(Ordering::Relaxed) {
                    match stream::said(text, &notification) {
                        Some(stream::Said::One(signal)) => return Some(signal),
                        Some(stream::Said::Several(mut items)) => {
                            let first = items.next(text);
                            self.together = first.is_some().then_some(items);
                            return first;
                        }
                        None => {}
                    }
                }
                let args = notification.params.map(payload);
                Some(Signal::Notify { procedure: notification.method, args, about })
            }
            Ok(Message::Success(success)) if self.two_way => {
                let Cow::Borrowed(result) = success.result.into_raw() else { return None };
                Some(Signal::Reply { id: ours(&success.id), outcome: Ok(Payload::Json(result)) })
            }
            Ok(Message::Failure(failure)) if self.two_way => Some(self.failed(failure, batch)),
            Ok(Message::Success(success)) => self.refuse_response(Some(&success.id), channel, batch, out),
            Ok(Message::Failure(failure)) => self.refuse_response(failure.id.as_ref(), channel, batch, out),
            Err(invalid) if self.two_way && invalid.looks_like_response => malformed_reply(&invalid),
            Err(invalid) if self.options.silent_invalid && !invalid.had_id => None,
            Err(invalid) => {
                let place = self.place(channel, batch);
                let error = ErrorObject::from(&invalid);
                let id = invalid.id.as_ref().map(Id::as_raw);
                self.reply(place, id, out, |out| Failure::new(invalid.id.clone(), error).write_to(out));
                None
            }
        }
    }

    /// Which call failed; or, if none is named, whether what did may have been a
    /// whole message: an error among others is about a part of one, if not about
    /// what was said here.
    fn failed<'f>(&self, failure: Failure<'f>, batch: Option<usize>) -> Signal<'f> {
        let told = fault::read(failure.error);
        match failure.id {
            Some(id) => Signal::Reply { id: ours(&id), outcome: Err(told) },
            None if batch.is_none() && !self.has_answered => Signal::Refused(told),
            None => Signal::Complaint(told),
        }
    }

    /// On a mux, the far side serves on the channel on which it does not call.
    fn learn(&self, channel: u8) {
        if self.options.mux.is_some_and(|role| role.is_learned()) {
            self.common.channel.store(u8::from(channel == 0), Ordering::Relaxed);
        }
    }
}

impl Dialect for Hearing {
    #[inline]
    fn hear<'f>(&mut self, frame: &mut Frame<'f>, out: &mut Outbox) -> Option<Signal<'f>> {
        let signal = match self.progress {
            Progress::Unheard => self.begin(frame, out),
            Progress::Heard if self.together.is_none() => None,
            _ => self.go_on(frame, out),
        };
        if matches!(signal, None | Some(Signal::Several)) {
            self.progress = Progress::Unheard;
        }
        signal
    }

    #[inline]
    fn open(&mut self, id: &CallId<'_>, out: &mut Outbox) -> OpenFrame {
        self.has_answered = true;
        let frame = out.open(Place::unpack(id.tag).channel);
        write::success_head(out.body(), id.spelling);
        frame
    }

    #[inline]
    fn close(&mut self, id: &CallId<'_>, reply: OpenFrame, out: &mut Outbox) {
        let place = Place::unpack(id.tag);
        if let Some((batch, _)) = place.batch
            && !self.batches.admit(batch, out.written(reply).len(), self.max_reply)
        {
            out.discard(reply);
            return self.fault(id, &batch_reply_too_large(self.max_reply), out);
        }
        if self.options.substitute_falsy {
            substitute(id, reply, out);
        }
        write::close(out.body());
        self.send(place, reply, out);
    }

    fn fault(&mut self, id: &CallId<'_>, fault: &Fault, out: &mut Outbox) {
        let plain_code = self.options.plain_error_code;
        self.reply(Place::unpack(id.tag), Some(id.spelling), out, |out| {
            fault::write_reply(out, id.spelling, fault, plain_code);
        });
    }

    fn code(&self, _id: Option<&CallId<'_>>, fault: &Fault) -> Option<i64> {
        Some(fault::code_told(fault, self.options.plain_error_code))
    }

    fn admit_stream(&self, id: &CallId<'_>) -> Result<(), Fault> {
        let in_batch = Place::unpack(id.tag).batch.is_some();
        match self.streams && !in_batch && !self.holding {
            true => Ok(()),
            false => Err(stream::no_way_for_items(in_batch, self.holding)),
        }
    }

    fn open_stream(
        &mut self,
        id: &CallId<'_>,
        stream: u64,
        name: &str,
        together: usize,
        out: &mut Outbox,
    ) -> StreamHead {
        let head = stream::head(Place::unpack(id.tag).channel, stream, name, together);
        let reply = self.open(id, out);
        out.body().extend_from_slice(head.spelling.as_bytes());
        self.close(id, reply, out);
        head
    }

    fn open_item(&mut self, stream: &StreamHead, out: &mut Outbox) -> OpenFrame {
        let item = out.open(stream.channel);
        out.body().extend_from_slice(&stream.before_item);
        item
    }

    fn close_item(&mut self, stream: &StreamHead, item: OpenFrame, out: &mut Outbox) {
        stream::close_item(out.body(), stream);
        out.close(item);
    }

    fn missed(&mut self, stream: &StreamHead, items: u64, out: &mut Outbox) {
        out.frame(stream.channel, |out| stream::missed(out, stream, items));
    }

    fn end_stream(&mut self, stream: &StreamHead, outcome: Result<(), &Fault>, out: &mut Outbox) {
        let plain_code = self.options.plain_error_code;
        out.frame(stream.channel, |out| match outcome {
            Ok(()) => stream::end(out, stream),
            Err(fault) => stream::broken_off(out, stream, |out| {
                fault::write_object(out, fault, plain_code);
            }),
        });
    }

    fn stream_named(&self, args: Option<&Payload<'_>>) -> Option<u64> {
        args.and_then(stream::named)
    }

    fn admit_feed(&self, id: &CallId<'_>) -> Result<(), Fault> {
        let in_batch = Place::unpack(id.tag).batch.is_some();
        match self.two_way && !in_batch && !self.holding {
            true => Ok(()),
            false => Err(feed::no_way_for_items(in_batch, self.holding)),
        }
    }

    fn want(&mut self, id: &CallId<'_>, items: Option<u64>, out: &mut Outbox) {
        out.frame(Place::unpack(id.tag).channel, |out| feed::wanted(out, id.spelling, items));
    }

    fn oversize<'h>(
        &mut self,
        channel: u8,
        limit: usize,
        head: &'h [u8],
        out: &mut Outbox,
    ) -> Option<Signal<'h>> {
        if self.two_way
            && let Some(ended) = feed::oversize(head, limit)
        {
            return Some(ended);
        }
        if let Some(answer) = glimpse(head).filter(|_| self.two_way) {
            let message = format!("the answer is over {limit} bytes, the limit `max_message` of this side");
            let fault = Fault::new(FaultKind::ReplyTooLarge, message);
            let id = answer.id.unwrap_or_default();
            return Some(match answer.in_batch {
                true => Signal::BatchLost { id, fault },
                false => Signal::Reply { id, outcome: Err(fault) },
            });
        }
        let error = ErrorObject::new(code::REQUEST_TOO_BIG, "Request is too big");
        let data = serde_json::json!({"limit": limit, "setting": "max_message"});
        self.refuse(channel, error.with_data(&data).unwrap_or_else(|_| ErrorObject::invalid_request()), out)
    }

    fn unframed(&mut self, out: &mut Outbox) {
        self.refuse(0, ErrorObject::parse_error(), out);
    }

    fn held(&self) -> usize {
        self.held.len()
    }

    fn flush(&mut self, out: &mut Outbox) {
        if let Some((channel, document)) = self.held.release() {
            out.frame(channel, |out| out.extend_from_slice(&document));
        }
    }

    fn pace(&self) -> Option<Duration> {
        let paced = self.two_way && (self.undelimited || self.options.always_paced);
        (paced && !self.options.pace.is_zero()).then_some(self.options.pace)
    }

    fn format(&self) -> Format {
        Format::Json
    }
}

#[inline]
fn payload(params: Params<'_>) -> CowPayload<'_> {
    match params.into_raw() {
        Cow::Borrowed(text) => CowPayload::Borrowed(Payload::Json(text)),
        Cow::Owned(text) => CowPayload::Owned(OwnedPayload::Json(text.into())),
    }
}

/// Our number of the call that a response is for. One with an id that is no
/// number of ours is for none, which is what 0 stands for: they count from 1.
fn ours(id: &Id<'_>) -> u64 {
    if id.is_too_long() { 0 } else { id.as_u64().unwrap_or_default() }
}

/// A response that makes no sense fails the call it belongs to.
fn malformed_reply<'f>(invalid: &Invalid<'f>) -> Option<Signal<'f>> {
    let id = ours(invalid.answers.as_ref()?);
    let fault = Fault::new(FaultKind::InvalidReply, format!("invalid response: {}", invalid.reason));
    Some(Signal::Reply { id, outcome: Err(fault) })
}
