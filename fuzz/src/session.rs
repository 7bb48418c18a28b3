//! [`Session`]: plays the engine to a JSON-RPC dialect.

use crate::{books::Books, choices::Choices, expected::Expected};
use trunkline_core::{
    Body, CallId, Dialect, Fault, FaultKind, Frame, Language, Limits, Outbox, OwnedCallId, Signal,
    framing::Marking,
};
use trunkline_dialects::jsonrpc::{JsonRpc, Rules};

/// How a language is set up, as far as one must know it to foretell what it hears.
#[derive(Debug)]
pub struct Setup {
    /// The language.
    pub language: JsonRpc,
    /// The limits it keeps to.
    pub limits: Limits,
    /// The rules it reads by.
    pub rules: Rules,
    /// Whether invalid messages without an id stay unanswered.
    pub silent: bool,
    /// Whether the replies to a batch may be more than fits, so that calls in it
    /// are refused.
    pub small_replies: bool,
}

/// A conversation, or a series of exchanges.
pub struct Session {
    dialect: Box<dyn Dialect>,
    setup: Setup,
    two_way: bool,
    out: Outbox,
    books: Books,
    /// Calls that have no answer yet, by their number.
    pending: Vec<(usize, OwnedCallId)>,
}

impl Session {
    /// Begins one.
    #[must_use]
    pub fn new(setup: Setup, two_way: bool) -> Self {
        let Setup { language, limits, .. } = &setup;
        let dialect = if two_way { language.converse(limits).0 } else { language.exchange(limits) };
        let mut out = Outbox::new(Box::new(Channels));
        out.keep_frames_apart();
        Self { dialect, setup, two_way, out, books: Books::default(), pending: Vec::new() }
    }

    /// Hears a frame, and answers some of its calls at once.
    ///
    /// # Panics
    ///
    /// Panics if something else is heard than what stands in it.
    pub fn hear(&mut self, bytes: &[u8], choices: &mut Choices<'_>) {
        let traits = choices.byte();
        let mut frame = Frame::binary(bytes);
        frame.channel = traits & 1;
        frame.delimited = traits & 2 == 0;
        frame.several = traits & 4 != 0;
        if let Ok(text) = std::str::from_utf8(bytes)
            && traits & 8 != 0
        {
            frame.body = Body::Text(text);
        }
        let expected = Expected::of(bytes, &self.setup, self.two_way);
        self.books.heard(bytes.len(), expected.is_batch, expected.answers());
        let (mut calls, mut notifications, mut responses) = (Vec::new(), Vec::new(), Vec::new());
        let mut given = frame;
        loop {
            let signal = self.dialect.hear(&mut given, &mut self.out);
            self.books.paced |= self.dialect.pace().is_some();
            match signal {
                None => break,
                Some(Signal::Call { id, procedure, args, .. }) => {
                    let number = self.books.asked(id.spelling, frame.channel);
                    self.called(number, &id, choices);
                    calls.push((id.spelling, procedure, args));
                }
                Some(Signal::Notify { procedure, args, .. }) => {
                    // an engine opens a frame for what a notification gives, and drops it
                    let open = self.out.open(0);
                    self.out.body().extend_from_slice(b"dropped");
                    self.out.discard(open);
                    notifications.push((procedure, args));
                }
                Some(Signal::Cancel { id }) => {
                    assert!(self.two_way);
                    self.cancel(&id);
                }
                Some(Signal::Several) => {
                    assert!(given.several && expected.is_unreadable);
                    given = Frame { several: false, ..frame };
                }
                Some(Signal::Reply { id, outcome }) => responses.push((Some(id), outcome.ok())),
                Some(Signal::Refused(_) | Signal::Complaint(_)) => responses.push((None, None)),
                Some(other) => panic!("{other:?}"),
            }
            self.collect();
        }
        self.books.owed(expected.answers() - calls.len());
        self.collect();
        assert_eq!(notifications, expected.notifications);
        assert_eq!(responses, expected.responses);
        match self.setup.small_replies {
            false => assert_eq!(calls, expected.calls),
            true => {
                let mut there = expected.calls.iter();
                assert!(calls.iter().all(|call| there.any(|there| there == call)), "{calls:?}");
            }
        }
        if !self.two_way {
            // an exchange ends with the answer to its last call
            self.answer_some(usize::MAX, choices);
            self.books.close();
        }
    }

    /// Hears that a frame was over the limit.
    pub fn oversize(&mut self) {
        self.books.heard(0, false, 1);
        self.books.owed(1);
        assert!(self.dialect.oversize(0, 1000, &[], &mut self.out).is_none());
        self.collect();
    }

    /// Answers the calls that wait, in an order that is chosen, up to `most` of them.
    pub fn answer_some(&mut self, most: usize, choices: &mut Choices<'_>) {
        for _ in 0..most.min(self.pending.len()) {
            let at = choices.below(self.pending.len());
            let (number, id) = self.pending.swap_remove(at);
            self.answer(number, &id.borrow(), choices.byte());
            self.collect();
        }
    }

    /// Lets the dialect say what it has saved up, as an engine does before it writes.
    pub fn flush(&mut self) {
        loop {
            self.dialect.flush(&mut self.out);
            if self.out.is_empty() {
                break;
            }
            self.collect();
        }
    }

    /// Ends it, and closes the books.
    pub fn end(mut self, choices: &mut Choices<'_>) {
        self.answer_some(usize::MAX, choices);
        if choices.below(2) == 1 {
            self.books.heard(0, false, 1);
            self.books.owed(1);
            self.dialect.unframed(&mut self.out);
            self.collect();
        }
        self.flush();
        self.books.close();
    }

    /// Answers a call now, or keeps it.
    fn called(&mut self, number: usize, id: &CallId<'_>, choices: &mut Choices<'_>) {
        match choices.byte() {
            how if how & 1 == 0 => self.answer(number, id, how >> 1),
            how => {
                // it was polled once, and may have written something
                let open = self.dialect.open(id, &mut self.out);
                self.out.body().extend_from_slice(&[b'{'; 3][..usize::from(how >> 6)]);
                self.out.discard(open);
                self.pending.push((number, id.keep()));
            }
        }
    }

    fn answer(&mut self, number: usize, id: &CallId<'_>, how: u8) {
        let open = self.dialect.open(id, &mut self.out);
        if how & 1 == 0 {
            self.out.body().extend_from_slice(Books::result(number).as_bytes());
            self.dialect.close(id, open, &mut self.out);
            return;
        }
        if how & 2 == 0 {
            self.out.body().extend_from_slice(b"[\"half a res");
        }
        self.out.discard(open);
        self.fault(number, id, how);
    }

    fn fault(&mut self, number: usize, id: &CallId<'_>, how: u8) {
        let kind = [FaultKind::Failed, FaultKind::NotFound, FaultKind::Internal, FaultKind::Cancelled];
        let fault = Fault::new(kind[usize::from(how >> 4) % 4], "it \"went\"\n wrong\u{1}");
        let fault = if how & 4 == 0 { fault } else { fault.with_data(["data"]) };
        self.dialect.fault(id, &fault.with_code(Books::code(number)), &mut self.out);
    }

    fn cancel(&mut self, id: &CallId<'_>) {
        if let Some(at) = self.pending.iter().position(|(_, kept)| kept.borrow().spelling == id.spelling) {
            let (number, id) = self.pending.remove(at);
            self.fault(number, &id.borrow(), 0);
        }
    }

    /// Enters what was sent.
    fn collect(&mut self) {
        for sent in self.out.take_frames() {
            let (&channel, document) = sent.split_first().expect("a frame begins with its channel");
            self.books.sent(channel, document);
        }
    }
}

/// Marks a frame with its channel, and nothing else.
struct Channels;

impl Marking for Channels {
    fn open(&mut self, stream: &mut Vec<u8>, channel: u8) {
        stream.push(channel);
    }

    fn close(&mut self, _stream: &mut Vec<u8>, _start: usize, _body: usize) {}

    fn another(&self) -> Box<dyn Marking> {
        Box::new(Self)
    }
}
