//! [`Mixed`]: two languages on one port, told apart message by message.

use crate::{
    jsonrpc::{JsonRpc, first_of, write},
    therms::{Therms, is_ours},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use trunkline_core::{
    About, BatchItem, CallId, Credit, Dialect, Encode, EncodeError, Fault, Format, Frame, Language, Limits,
    OpenFrame, Outbox, Payload, Signal, Speaker, StreamHead, response::Written,
};

/// Nearly every message of JSON-RPC begins so.
const USUAL: &[u8] = br#"{"jsonrpc""#;

/// JSON-RPC and the dialect of @therms as one [`Language`].
///
/// Each message is heard in the language that its members show, and answered in the
/// same. One that shows none, since it is empty or malformed, counts as being in that of
/// the one before it on the same connection, and as @therms's if it is the first; what
/// the server says of its own accord is in that language too, or else in JSON-RPC.
#[derive(Clone, Debug)]
pub struct Mixed {
    jsonrpc: JsonRpc,
    therms: Therms,
}

impl Mixed {
    /// Both, each with its settings.
    #[must_use]
    pub fn new(jsonrpc: JsonRpc, therms: Therms) -> Self {
        Self { jsonrpc, therms }
    }

    fn hearing(&self, jsonrpc: Box<dyn Dialect>, therms: Box<dyn Dialect>) -> Hearing {
        Hearing { jsonrpc, therms, last: Spoken::Therms, inside: false, heard_therms: Arc::default() }
    }
}

impl Language for Mixed {
    fn converse(&self, limits: &Limits) -> (Box<dyn Dialect>, Box<dyn Speaker>) {
        let (jsonrpc, calling) = self.jsonrpc.converse(limits);
        let (therms, telling) = self.therms.converse(limits);
        let hearing = self.hearing(jsonrpc, therms);
        let saying = Saying { jsonrpc: calling, therms: telling, heard_therms: hearing.heard_therms.clone() };
        (Box::new(hearing), Box::new(saying))
    }

    fn exchange(&self, limits: &Limits) -> Box<dyn Dialect> {
        Box::new(self.hearing(self.jsonrpc.exchange(limits), self.therms.exchange(limits)))
    }

    fn events(&self, limits: &Limits) -> Box<dyn Dialect> {
        Box::new(self.hearing(self.jsonrpc.events(limits), self.therms.exchange(limits)))
    }

    fn name(&self) -> &'static str {
        "jsonrpc and therms"
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Spoken {
    JsonRpc,
    Therms,
}

/// What language a message is in, if it shows.
fn tell(message: &[u8]) -> Option<Spoken> {
    if message.starts_with(USUAL) {
        return Some(Spoken::JsonRpc);
    }
    first_of(message, |member| match member {
        b"jsonrpc" | b"method" | b"result" | b"error" => Some(Spoken::JsonRpc),
        b"procedure" | b"identity" | b"clientMessage" => Some(Spoken::Therms),
        _ => None,
    })
}

/// The side that hears.
struct Hearing {
    jsonrpc: Box<dyn Dialect>,
    therms: Box<dyn Dialect>,
    /// The language of the message at hand, or of the last one.
    last: Spoken,
    /// Whether not all has been heard yet of the message at hand.
    inside: bool,
    /// Whether it is known that the far side speaks @therms's dialect, for those who
    /// speak of their own accord.
    heard_therms: Arc<AtomicBool>,
}

impl Hearing {
    /// Who has heard a call.
    fn of(&mut self, id: &CallId<'_>) -> &mut dyn Dialect {
        if is_ours(id) { &mut *self.therms } else { &mut *self.jsonrpc }
    }

    fn learn(&mut self, message: &[u8]) {
        if let Some(spoken) = tell(message) {
            self.last = spoken;
            self.heard_therms.store(spoken == Spoken::Therms, Ordering::Relaxed);
        }
    }

    fn last(&mut self) -> &mut dyn Dialect {
        match self.last {
            Spoken::JsonRpc => &mut *self.jsonrpc,
            Spoken::Therms => &mut *self.therms,
        }
    }
}

impl Dialect for Hearing {
    fn hear<'f>(&mut self, frame: &mut Frame<'f>, out: &mut Outbox) -> Option<Signal<'f>> {
        if !std::mem::replace(&mut self.inside, true) {
            self.learn(frame.body.as_bytes());
        }
        let said = self.last().hear(frame, out);
        self.inside = !matches!(said, None | Some(Signal::Several));
        said
    }

    fn open(&mut self, id: &CallId<'_>, out: &mut Outbox) -> OpenFrame {
        self.of(id).open(id, out)
    }

    fn close(&mut self, id: &CallId<'_>, reply: OpenFrame, out: &mut Outbox) {
        if !is_ours(id) {
            forget_code(id, reply, out);
        }
        self.of(id).close(id, reply, out);
    }

    fn fault(&mut self, id: &CallId<'_>, fault: &Fault, out: &mut Outbox) {
        self.of(id).fault(id, fault, out);
    }

    fn code(&self, id: Option<&CallId<'_>>, fault: &Fault) -> Option<i64> {
        match id {
            Some(ours) if is_ours(ours) => self.therms.code(id, fault),
            _ => self.jsonrpc.code(id, fault),
        }
    }

    fn admit_stream(&self, id: &CallId<'_>) -> Result<(), Fault> {
        if is_ours(id) { self.therms.admit_stream(id) } else { self.jsonrpc.admit_stream(id) }
    }

    fn open_stream(
        &mut self,
        id: &CallId<'_>,
        stream: u64,
        name: &str,
        together: usize,
        out: &mut Outbox,
    ) -> StreamHead {
        self.of(id).open_stream(id, stream, name, together, out)
    }

    fn open_item(&mut self, stream: &StreamHead, out: &mut Outbox) -> OpenFrame {
        self.jsonrpc.open_item(stream, out)
    }

    fn close_item(&mut self, stream: &StreamHead, item: OpenFrame, out: &mut Outbox) {
        self.jsonrpc.close_item(stream, item, out);
    }

    fn missed(&mut self, stream: &StreamHead, items: u64, out: &mut Outbox) {
        self.jsonrpc.missed(stream, items, out);
    }

    fn end_stream(&mut self, stream: &StreamHead, outcome: Result<(), &Fault>, out: &mut Outbox) {
        self.jsonrpc.end_stream(stream, outcome, out);
    }

    fn stream_named(&self, args: Option<&Payload<'_>>) -> Option<u64> {
        self.jsonrpc.stream_named(args)
    }

    fn admit_feed(&self, id: &CallId<'_>) -> Result<(), Fault> {
        if is_ours(id) { self.therms.admit_feed(id) } else { self.jsonrpc.admit_feed(id) }
    }

    fn want(&mut self, id: &CallId<'_>, items: Option<u64>, out: &mut Outbox) {
        self.of(id).want(id, items, out);
    }

    fn oversize<'h>(
        &mut self,
        channel: u8,
        limit: usize,
        head: &'h [u8],
        out: &mut Outbox,
    ) -> Option<Signal<'h>> {
        self.learn(head);
        self.last().oversize(channel, limit, head, out)
    }

    fn unframed(&mut self, out: &mut Outbox) {
        self.last().unframed(out);
    }

    fn held(&self) -> usize {
        self.jsonrpc.held()
    }

    fn flush(&mut self, out: &mut Outbox) {
        self.jsonrpc.flush(out);
    }

    fn pace(&self) -> Option<Duration> {
        self.jsonrpc.pace()
    }

    fn format(&self) -> Format {
        Format::CodedJson
    }
}

/// JSON-RPC has no place for the code of a success: what is left is its data.
fn forget_code(id: &CallId<'_>, reply: OpenFrame, out: &mut Outbox) {
    let head = write::success_head_len(id.spelling);
    let written = out.written(reply);
    if written.get(head) == Some(&0) {
        let data = Written::read(&written[head..]).and_then(|said| said.data).unwrap_or("null").to_owned();
        out.rewind(reply);
        write::success_head(out.body(), id.spelling);
        out.body().extend_from_slice(data.as_bytes());
    }
}

/// The side that speaks of its own accord.
struct Saying {
    jsonrpc: Box<dyn Speaker>,
    therms: Box<dyn Speaker>,
    heard_therms: Arc<AtomicBool>,
}

impl Saying {
    fn speaker(&mut self) -> &mut dyn Speaker {
        match self.heard_therms.load(Ordering::Relaxed) {
            true => &mut *self.therms,
            false => &mut *self.jsonrpc,
        }
    }
}

impl Speaker for Saying {
    fn call(
        &mut self,
        id: u64,
        procedure: &str,
        args: &dyn Encode,
        out: &mut Outbox,
    ) -> Result<(), EncodeError> {
        self.speaker().call(id, procedure, args, out)
    }

    fn about(&mut self, about: &About) {
        self.speaker().about(about);
    }

    fn open_stream(
        &mut self,
        id: u64,
        procedure: &str,
        args: &dyn Encode,
        credit: Option<Credit>,
        out: &mut Outbox,
    ) -> Result<(), EncodeError> {
        self.speaker().open_stream(id, procedure, args, credit, out)
    }

    fn grant(&mut self, stream: &str, credit: Credit, out: &mut Outbox) {
        self.jsonrpc.grant(stream, credit, out);
    }

    fn end_stream(&mut self, id: u64, unsubscribe: &str, stream: &str, out: &mut Outbox) {
        self.jsonrpc.end_stream(id, unsubscribe, stream, out);
    }

    fn feeds(&self) -> bool {
        !self.heard_therms.load(Ordering::Relaxed) && self.jsonrpc.feeds()
    }

    fn feed(
        &mut self,
        id: u64,
        outcome: Result<Option<&dyn Encode>, &Fault>,
        out: &mut Outbox,
    ) -> Result<(), EncodeError> {
        self.jsonrpc.feed(id, outcome, out)
    }

    fn batch(&mut self, items: &[BatchItem<'_>], out: &mut Outbox) -> Result<(), EncodeError> {
        self.speaker().batch(items, out)
    }

    fn notify(&mut self, procedure: &str, args: &dyn Encode, out: &mut Outbox) -> Result<(), EncodeError> {
        self.speaker().notify(procedure, args, out)
    }

    fn event(&mut self, name: &str, args: &dyn Encode, out: &mut Outbox) -> Result<(), EncodeError> {
        self.speaker().event(name, args, out)
    }

    fn cancel(&mut self, id: u64, out: &mut Outbox) {
        // what was called was called in this language
        self.jsonrpc.cancel(id, out);
    }

    fn format(&self) -> Format {
        Format::Json
    }
}
