//! What RabbitMQ says, and what does not: a node hears the same however it was split, holds
//! no more than it asked for, and ends when the stream does.

#![no_main]

use amq_protocol::{
    frame::{AMQPContentHeader, AMQPFrame, WriteContext, gen_frame},
    protocol::{AMQPClass, BasicProperties, basic, channel, connection, queue},
    types::FieldTable,
};
use libfuzzer_sys::fuzz_target;
use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, Weak},
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, ReadBuf, join, sink},
    runtime::Builder,
};
use trunkline_core::Key;
use trunkline_fuzz::choices::split;
use trunkline_net::broker::{Amqp, Arrival, Inbox, Line, Member, Ticket};

const KEY: Key<'static> = Key { scope: "global", procedure: "ping", version: "1" };
const KEPT: Key<'static> = Key { procedure: "kept", ..KEY };
const PREFETCH: usize = 3;
/// The channel on which procedures are set up.
const SET_UP: u16 = 3;

fuzz_target!(|input: &[u8]| {
    let (script, mut choices) = split(input);
    let greets = choices.below(2) == 0;
    let whole = play(steps(script, greets));
    if greets {
        assert_eq!(whole.0.first().map(String::as_str), Some("Restored"), "the greeting is understood");
    }
    // what the node does meanwhile depends on when it is heard
    let said: Option<Vec<Vec<u8>>> = steps(script, greets).into_iter().map(Step::said).collect();
    if let Some(said) = said {
        let said = said.concat();
        let pieces = choices.pieces(&said).into_iter().map(|piece| Step::Say(piece.to_vec())).collect();
        assert_eq!(play(pieces), whole, "in pieces, and step by step");
    }
});

/// What happens, in order.
enum Step {
    /// The broker says this.
    Say(Vec<u8>),
    /// The node does this.
    Do(fn(&dyn Line, &Heard)),
}

impl Step {
    fn said(self) -> Option<Vec<u8>> {
        match self {
            Self::Say(bytes) => Some(bytes),
            Self::Do(_) => None,
        }
    }
}

/// Steps stand between bytes 0xfe, or between semicolons if there are none; the first byte of
/// each says what it is.
fn steps(script: &[u8], greets: bool) -> Vec<Step> {
    let greeting = if greets { greeting() } else { Vec::new() };
    let mut delivered = 0;
    let between = if script.contains(&0xfe) { 0xfe } else { b';' };
    let parts = script.split(|&byte| byte == between).filter_map(|part| part.split_first());
    let steps = parts.map(|(kind, rest)| step(*kind, rest, &mut delivered));
    std::iter::once(Step::Say(greeting)).chain(steps).collect()
}

fn step(kind: u8, rest: &[u8], delivered: &mut u64) -> Step {
    // a text of 255 bytes at most, though each of these may be read as three
    let words = String::from_utf8_lossy(&rest[..rest.len().min(85)]).into_owned();
    let number = || words.bytes().map(u64::from).sum::<u64>();
    let channel = 1 + u16::from(rest.first().map_or(0, |byte| byte % 3));
    let mut next = || {
        *delivered += 1;
        *delivered
    };
    let set_up = |method| Step::Say(method_on(SET_UP, AMQPClass::Queue(method)));
    let basic = |method| Step::Say(method_on(channel, AMQPClass::Basic(method)));
    match kind {
        b'd' => basic(basic::AMQPMethod::Deliver(basic::Deliver {
            consumer_tag: words.as_str().into(),
            delivery_tag: next(),
            redelivered: rest.len() % 2 == 1,
            exchange: "".into(),
            routing_key: words.as_str().into(),
        })),
        b'g' => basic(basic::AMQPMethod::GetOk(basic::GetOk {
            delivery_tag: next(),
            redelivered: false,
            exchange: "".into(),
            routing_key: "".into(),
            message_count: 0,
        })),
        b'e' => basic(basic::AMQPMethod::GetEmpty(basic::GetEmpty {})),
        b'r' => basic(basic::AMQPMethod::Return(basic::Return {
            reply_code: 312,
            reply_text: "".into(),
            exchange: "".into(),
            routing_key: words.as_str().into(),
        })),
        b'k' => basic(basic::AMQPMethod::CancelOk(basic::CancelOk { consumer_tag: words.as_str().into() })),
        b'q' => set_up(queue::AMQPMethod::DeclareOk(queue::DeclareOk {
            queue: words.as_str().into(),
            message_count: u32::try_from(number() % 3).unwrap_or(0),
            consumer_count: u32::from(rest.len() % 2 == 1),
        })),
        b'n' => set_up(queue::AMQPMethod::BindOk(queue::BindOk {})),
        b't' => Step::Say(bound(1)),
        b'u' => set_up(queue::AMQPMethod::UnbindOk(queue::UnbindOk {})),
        b'c' => {
            let close = channel::Close {
                reply_code: 406,
                reply_text: words.as_str().into(),
                class_id: 0,
                method_id: 0,
            };
            Step::Say(method_on(SET_UP, AMQPClass::Channel(channel::AMQPMethod::Close(close))))
        }
        b'o' => Step::Say(open_ok(SET_UP)),
        b'h' => {
            let properties = BasicProperties::default()
                .with_type(["request", "response", "event", ""][rest.len() % 4].into())
                .with_message_id(words.as_str().into())
                .with_expiration(words.as_str().into())
                .with_reply_to(words.as_str().into());
            let header = AMQPContentHeader { class_id: 60, body_size: number() % 50, properties };
            Step::Say(written(&AMQPFrame::Header(channel, header)))
        }
        b'b' => Step::Say(written(&AMQPFrame::Body(channel, rest.get(1..).unwrap_or_default().to_vec()))),
        b'm' | b'p' => Step::Say(raw_frame(if kind == b'm' { 1 } else { 2 }, channel, rest)),
        b'*' => Step::Say(written(&AMQPFrame::Heartbeat)),
        b'B' => Step::Do(|line, _| {
            // refused is as good
            let _ = line.publish("t", b"news".as_slice().into());
        }),
        b'S' => Step::Do(|line, _| drop(line.stop_serving(None))),
        b'K' => Step::Do(|line, _| drop(line.stop_serving(Some(&KEPT)))),
        b'L' => Step::Do(|line, _| drop(line.leave())),
        b'T' => Step::Do(|line, heard| {
            if let Some(ticket) = heard.settle() {
                line.settle(ticket);
            }
        }),
        // bytes as they are
        _ => Step::Say(rest.to_vec()),
    }
}

fn raw_frame(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&[kind], &channel.to_be_bytes()[..], &size, payload, &[0xce]].concat()
}

fn method_on(channel: u16, method: AMQPClass) -> Vec<u8> {
    written(&AMQPFrame::Method(channel, method))
}

fn written(frame: &AMQPFrame) -> Vec<u8> {
    gen_frame(frame)(WriteContext::from(Vec::new())).map(|it| it.into_inner().0).unwrap_or_default()
}

/// All that comes before there is something to be delivered.
fn greeting() -> Vec<u8> {
    let start = connection::Start {
        version_major: 0,
        version_minor: 9,
        server_properties: FieldTable::default(),
        mechanisms: "PLAIN".into(),
        locales: "en_US".into(),
    };
    let tune = connection::Tune { channel_max: 9, frame_max: 4096, heartbeat: 5 };
    let declared = queue::DeclareOk { queue: "q".into(), message_count: 0, consumer_count: 0 };
    [
        method_on(0, AMQPClass::Connection(connection::AMQPMethod::Start(start))),
        method_on(0, AMQPClass::Connection(connection::AMQPMethod::Tune(tune))),
        method_on(0, AMQPClass::Connection(connection::AMQPMethod::OpenOk(connection::OpenOk {}))),
        (1..=SET_UP).flat_map(open_ok).collect(),
        method_on(1, AMQPClass::Queue(queue::AMQPMethod::DeclareOk(declared))),
        bound(SET_UP),
        bound(SET_UP),
        bound(1),
        bound(1),
    ]
    .concat()
}

fn open_ok(channel: u16) -> Vec<u8> {
    method_on(channel, AMQPClass::Channel(channel::AMQPMethod::OpenOk(channel::OpenOk {})))
}

/// The queue of a procedure is there; or on the first channel, who takes from it is known.
fn bound(channel: u16) -> Vec<u8> {
    method_on(channel, AMQPClass::Queue(queue::AMQPMethod::BindOk(queue::BindOk {})))
}

/// What a node hears.
#[derive(Default)]
struct Heard(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    all: Vec<String>,
    /// What it has been given to do.
    held: Vec<Ticket>,
}

impl Heard {
    fn settle(&self) -> Option<Ticket> {
        let held = &mut self.0.lock().expect("no panic").held;
        (!held.is_empty()).then(|| held.remove(0))
    }
}

impl Inbox for Heard {
    fn arrived(&self, arrival: Arrival<'_>) {
        let mut kept = self.0.lock().expect("no panic");
        if let Arrival::Request(delivery) = &arrival {
            assert!(!kept.held.contains(&delivery.ticket), "a ticket is of one request");
            kept.held.push(delivery.ticket);
            assert!(kept.held.len() <= PREFETCH, "no more is given than was asked for");
        }
        kept.all.push(format!("{arrival:?}"));
    }
}

/// The broker's side of the connection.
struct Playing {
    steps: std::vec::IntoIter<Step>,
    line: Arc<OnceLock<Weak<dyn Line>>>,
    heard: Arc<Heard>,
}

impl AsyncRead for Playing {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.steps.next() {
            // the end
            None => return Poll::Ready(Ok(())),
            Some(Step::Say(mut piece)) if !piece.is_empty() => {
                let rest = piece.split_off(piece.len().min(into.remaining()));
                into.put_slice(&piece);
                if !rest.is_empty() {
                    let steps = std::mem::take(&mut self.steps);
                    self.steps = [Step::Say(rest)].into_iter().chain(steps).collect::<Vec<_>>().into_iter();
                }
                return Poll::Ready(Ok(()));
            }
            Some(Step::Say(_)) => {}
            Some(Step::Do(what)) => {
                if let Some(line) = self.line.get().and_then(Weak::upgrade) {
                    what(&*line, &self.heard);
                }
            }
        }
        // others have their turn
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// What a node hears of these steps, and how it ends.
fn play(steps: Vec<Step>) -> (Vec<String>, Result<(), String>) {
    let (heard, line) = (Arc::<Heard>::default(), Arc::<OnceLock<Weak<dyn Line>>>::default());
    let playing = Playing { steps: steps.into_iter(), line: line.clone(), heard: heard.clone() };
    let broker = Amqp::new("amqp://localhost").expect("a URI");
    let member = Member {
        network: "n".into(),
        name: "node".into(),
        id: "0123456789abcdef0123456789abcdef".into(),
        prefetch: PREFETCH,
    };
    let (wire, speaking) = broker.attach_over(Box::new(join(playing, sink())), member, heard.clone());
    // nobody has set it before
    let _ = line.set(Arc::downgrade(&wire));
    wire.serve(&KEY);
    wire.serve(&KEPT);
    wire.subscribe("t");
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    let ended = runtime.block_on(speaking);
    let all = std::mem::take(&mut heard.0.lock().expect("no panic").all);
    (all, ended)
}
