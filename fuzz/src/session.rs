//! [`Session`]: plays the engine to a JSON-RPC dialect, and keeps the books.

use crate::{choices::Choices, expected::Expected, replies};
use trunkline_core::{
    CallId, Dialect, Fault, FaultKind, Frame, Language, Outbox, OwnedCallId, Signal, framing::Marking,
};
use trunkline_dialects::jsonrpc::{JsonRpc, Rules};

/// How a language is set up, as far as one must know it to foretell what it hears.
#[derive(Debug)]
pub struct Setup {
    /// The language.
    pub language: JsonRpc,
    /// The rules it reads by.
    pub rules: Rules,
    /// Whether invalid messages without an id stay unanswered.
    pub silent: bool,
    /// Whether the replies to a batch may be more than fits, so that calls in it
    /// are refused.
    pub small_replies: bool,
}

/// A call that was heard.
struct Asked {
    id: String,
    channel: u8,
    frame: usize,
    answers: usize,
}

/// A frame that was heard.
struct Heard {
    is_batch: bool,
    /// How many answers it wants.
    wanted: usize,
}

/// A conversation, or a series of exchanges.
pub struct Session {
    dialect: Box<dyn Dialect>,
    setup: Setup,
    two_way: bool,
    out: Outbox,
    asked: Vec<Asked>,
    frames: Vec<Heard>,
    /// Calls that have no answer yet, by their number.
    pending: Vec<(usize, OwnedCallId)>,
    /// Whether replies were ever held back, and so may be put together otherwise.
    paced: bool,
    /// Answers that the dialect gave by itself, and those that it should have.
    own: [usize; 2],
    bytes_in: usize,
    bytes_out: usize,
}

/// The code of the error that answers call 0; those of the others follow.
const FIRST_CODE: i64 = 1000;
/// What a reply may have besides its id.
const REPLY: usize = 400;

impl Session {
    /// Begins one.
    #[must_use]
    pub fn new(setup: Setup, two_way: bool) -> Self {
        let dialect = if two_way { setup.language.converse().0 } else { setup.language.exchange() };
        let mut out = Outbox::new(Box::new(Channels));
        out.keep_frames_apart();
        Self {
            dialect,
            setup,
            two_way,
            out,
            asked: Vec::new(),
            frames: Vec::new(),
            pending: Vec::new(),
            paced: false,
            own: [0; 2],
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    /// Hears a frame, and answers some of its calls at once.
    pub fn hear(&mut self, bytes: &[u8], choices: &mut Choices<'_>) {
        self.bytes_in += bytes.len();
        let traits = choices.byte();
        let mut frame = Frame::binary(bytes);
        frame.channel = traits & 1;
        frame.delimited = traits & 2 == 0;
        frame.several = traits & 4 != 0;
        if let Ok(text) = std::str::from_utf8(bytes)
            && traits & 8 != 0
        {
            frame = Frame { body: trunkline_core::Body::Text(text), ..frame };
        }
        let expected = Expected::of(bytes, &self.setup, self.two_way);
        let at = self.frames.len();
        self.frames.push(Heard { is_batch: expected.is_batch, wanted: expected.answers() });
        let (mut calls, mut notifications) = (Vec::new(), Vec::new());
        let mut given = frame;
        loop {
            let signal = self.dialect.hear(&mut given, &mut self.out);
            self.paced |= self.dialect.pace().is_some();
            match signal {
                None => break,
                Some(Signal::Call { id, procedure, args }) => {
                    let asked =
                        Asked { id: id.spelling.to_owned(), channel: frame.channel, frame: at, answers: 0 };
                    self.asked.push(asked);
                    self.called(self.asked.len() - 1, &id, choices);
                    calls.push((id.spelling, procedure, args));
                }
                Some(Signal::Notify { procedure, args }) => {
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
                Some(Signal::Reply { .. } | Signal::Complaint(_)) => assert!(self.two_way),
                Some(other) => panic!("{other:?}"),
            }
            self.collect();
        }
        assert_eq!(notifications, expected.notifications);
        match self.setup.small_replies {
            false => assert_eq!(calls, expected.calls),
            true => {
                let mut there = expected.calls.iter();
                assert!(calls.iter().all(|call| there.any(|there| there == call)), "{calls:?}");
            }
        }
        self.own[1] += expected.answers() - calls.len();
        self.collect();
        if !self.two_way {
            // an exchange ends with the answer to the last call
            self.answer_all(choices);
            let frame = &self.frames[at];
            assert_eq!(self.asked.iter().filter(|asked| asked.frame == at && asked.answers != 1).count(), 0);
            assert!(frame.wanted >= calls.len());
        }
    }

    /// Hears that a frame was over the limit.
    pub fn oversize(&mut self, channel: u8) {
        self.frames.push(Heard { is_batch: false, wanted: 1 });
        self.own[1] += 1;
        self.dialect.oversize(channel, 1000, &mut self.out);
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

    fn answer_all(&mut self, choices: &mut Choices<'_>) {
        self.answer_some(usize::MAX, choices);
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
    ///
    /// # Panics
    ///
    /// Panics if they do not balance.
    pub fn end(mut self, choices: &mut Choices<'_>) {
        self.answer_all(choices);
        if choices.below(2) == 1 {
            self.frames.push(Heard { is_batch: false, wanted: 1 });
            self.own[1] += 1;
            self.dialect.unframed(&mut self.out);
            self.collect();
        }
        self.flush();
        for asked in &self.asked {
            assert_eq!(asked.answers, 1, "call {} of frame {}", asked.id, asked.frame);
        }
        assert_eq!(self.own[0], self.own[1], "answers that the dialect gave by itself, and should have");
        let answers = self.asked.len() + self.own[0];
        assert!(self.bytes_out <= self.bytes_in + answers * REPLY, "{} bytes out", self.bytes_out);
        assert!(answers <= self.bytes_in + self.frames.len());
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
            self.out.body().extend_from_slice(format!(r#"{{"call":{number}}}"#).as_bytes());
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
        let code = FIRST_CODE + i64::try_from(number).expect("few calls");
        self.dialect.fault(id, &fault.with_code(code), &mut self.out);
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
            self.bytes_out += document.len();
            let (is_array, replies) = replies::read(document);
            let mut numbers = Vec::new();
            for reply in &replies {
                numbers.extend(self.enter(reply, channel));
            }
            if self.paced {
                continue;
            }
            // what was heard last is what the dialect answers by itself
            let frame = match numbers.first() {
                Some(number) => self.asked[*number].frame,
                None => self.frames.len() - 1,
            };
            let heard = &self.frames[frame];
            assert_eq!(is_array, heard.is_batch, "an array answers an array");
            assert_eq!(replies.len(), heard.wanted, "all answers to a batch come together");
            assert!(numbers.iter().all(|number| self.asked[*number].frame == frame));
            assert!(numbers.is_sorted(), "in the order of the calls");
        }
    }

    /// Enters a reply; the number of the call that it answers.
    fn enter(&mut self, reply: &replies::Reply<'_>, channel: u8) -> Option<usize> {
        let number = match reply.outcome {
            Ok(result) => result
                .strip_prefix(r#"{"call":"#)
                .and_then(|rest| rest.strip_suffix('}')?.parse().ok())
                .unwrap_or_else(|| panic!("{result} is no result of ours")),
            Err(code @ FIRST_CODE..) => usize::try_from(code - FIRST_CODE).expect("a number of ours"),
            Err(code) => {
                assert!(matches!(code, -32700 | -32600 | -32007 | -32008 | -32010), "{code} out of the blue");
                self.own[0] += 1;
                return None;
            }
        };
        let asked = &mut self.asked[number];
        asked.answers += 1;
        assert_eq!((reply.id, channel), (&*asked.id, asked.channel), "an answer goes where it belongs");
        Some(number)
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
