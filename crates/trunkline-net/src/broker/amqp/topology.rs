//! What is declared, bound and consumed.
//!
//! | what | flags |
//! |---|---|
//! | exchanges | direct, durable, as `therms` declares them |
//! | queue of a procedure | durable, so that callers who are back sooner than those who serve it find it; it goes when nobody has consumed it for [10 s](UNUSED) |
//! | queues of a node, for answers and for events | exclusive |
//!
//! All nodes that serve a procedure share its queue's binding, so that none is left of those
//! that died; who takes it away, see [`Stopping`](super::stopping).

use super::{
    frames::{self, CHANNEL, REPLIES, SET_UP},
    names::Names,
};
use amq_protocol::{
    protocol::{AMQPClass, basic, exchange, queue},
    types::{AMQPValue, FieldTable, ShortString},
};
use bytes::BytesMut;

/// After how many milliseconds without anybody who consumes it a procedure's queue goes:
/// longer than nodes take to come back to a broker that is there again.
const UNUSED: u32 = 10_000;

/// What consumers are called: `r` and a number for requests.
pub(super) const ANSWERS: &str = "a";
pub(super) const EVENTS: &str = "e";

/// How many requests may be delivered that are not settled, of each queue: to have RabbitMQ
/// count over all of them takes it a third more time for each request.
pub(super) fn prefetch(out: &mut BytesMut, count: usize) {
    let prefetch_count = u16::try_from(count).unwrap_or(u16::MAX);
    basic(out, basic::AMQPMethod::Qos(basic::Qos { prefetch_count, global: false }));
}

pub(super) fn exchanges(out: &mut BytesMut, names: &Names) {
    for name in [&names.global, &names.scoped, &names.events] {
        let declare = exchange::Declare {
            exchange: short(name),
            kind: short("direct"),
            passive: false,
            durable: true,
            auto_delete: false,
            internal: false,
            nowait: true,
            arguments: FieldTable::default(),
        };
        frames::method(out, CHANNEL, AMQPClass::Exchange(exchange::AMQPMethod::Declare(declare)));
    }
}

/// Declares a queue that only this node consumes; the broker says so if it is to be `told`.
pub(super) fn private_queue(out: &mut BytesMut, name: &str, told: bool) {
    let its = queue::Declare { exclusive: true, auto_delete: true, nowait: !told, ..named(name) };
    declare(out, CHANNEL, its);
}

/// Has events come to the queue `name`.
pub(super) fn hear(out: &mut BytesMut, names: &Names, name: &str, topic: &str) {
    bind(out, CHANNEL, name, &names.events, topic, false);
}

/// Has them come there no more.
pub(super) fn hear_no_more(out: &mut BytesMut, names: &Names, name: &str, topic: &str) {
    unbind(out, CHANNEL, name, &names.events, topic);
}

/// Declares and binds the queue of a procedure; the broker says when it has.
pub(super) fn bind_procedure(out: &mut BytesMut, names: &Names, key: &str) {
    let queue = names.queue(key);
    let mut arguments = FieldTable::default();
    arguments.insert(short("x-expires"), AMQPValue::LongUInt(UNUSED));
    declare(out, SET_UP, queue::Declare { durable: true, nowait: true, arguments, ..named(&queue) });
    bind(out, SET_UP, &queue, names.exchange(key), key, true);
}

/// Takes requests of the procedure that was bound as the `number`th, and binds it once more:
/// whoever stopped meanwhile, and saw nobody take from it, may have taken the binding away.
/// The broker says when it has done both.
pub(super) fn consume_procedure(out: &mut BytesMut, names: &Names, key: &str, number: usize) {
    let queue = names.queue(key);
    consume(out, CHANNEL, &queue, &format!("r{number}"));
    bind(out, CHANNEL, &queue, names.exchange(key), key, true);
}

/// Which procedure a consumer is for, if it is for one.
pub(super) fn procedure_of(consumer: &str) -> Option<usize> {
    consumer.strip_prefix('r')?.parse().ok()
}

/// Has no more requests go to the queue.
pub(super) fn unbind_procedure(out: &mut BytesMut, names: &Names, key: &str) {
    unbind(out, SET_UP, &names.queue(key), names.exchange(key), key);
}

/// Takes no more of the procedure that was bound as the `number`th; the broker says when
/// nothing more is delivered.
pub(super) fn leave_procedure(out: &mut BytesMut, number: usize) {
    let consumer_tag = short(&format!("r{number}"));
    basic(out, basic::AMQPMethod::Cancel(basic::Cancel { consumer_tag, nowait: false }));
}

/// Asks how many take from a procedure's queue, and how much there is. A queue that is
/// asked about is used.
pub(super) fn count(out: &mut BytesMut, names: &Names, key: &str) {
    declare(out, SET_UP, queue::Declare { passive: true, ..named(&names.queue(key)) });
}

/// Takes one message, if there is any.
pub(super) fn take_one(out: &mut BytesMut, queue: &str) {
    basic(out, basic::AMQPMethod::Get(basic::Get { queue: short(queue), no_ack: false }));
}

/// Takes answers, or events, which nobody has to settle.
pub(super) fn consume_replies(out: &mut BytesMut, queue: &str, tag: &str) {
    consume(out, REPLIES, queue, tag);
}

fn consume(out: &mut BytesMut, channel: u16, queue: &str, tag: &str) {
    let consume = basic::Consume {
        queue: short(queue),
        consumer_tag: short(tag),
        no_local: false,
        no_ack: channel == REPLIES,
        exclusive: false,
        nowait: true,
        arguments: FieldTable::default(),
    };
    frames::method(out, channel, AMQPClass::Basic(basic::AMQPMethod::Consume(consume)));
}

/// The broker says when it has, if it is to be `told`.
fn bind(out: &mut BytesMut, channel: u16, name: &str, exchange: &str, key: &str, told: bool) {
    let bind = queue::Bind {
        queue: short(name),
        exchange: short(exchange),
        routing_key: short(key),
        nowait: !told,
        arguments: FieldTable::default(),
    };
    queue(out, channel, queue::AMQPMethod::Bind(bind));
}

fn unbind(out: &mut BytesMut, channel: u16, name: &str, exchange: &str, key: &str) {
    let unbind = queue::Unbind {
        queue: short(name),
        exchange: short(exchange),
        routing_key: short(key),
        arguments: FieldTable::default(),
    };
    queue(out, channel, queue::AMQPMethod::Unbind(unbind));
}

fn named(name: &str) -> queue::Declare {
    queue::Declare {
        queue: short(name),
        passive: false,
        durable: false,
        exclusive: false,
        auto_delete: false,
        nowait: false,
        arguments: FieldTable::default(),
    }
}

fn declare(out: &mut BytesMut, channel: u16, declare: queue::Declare) {
    queue(out, channel, queue::AMQPMethod::Declare(declare));
}

fn basic(out: &mut BytesMut, method: basic::AMQPMethod) {
    frames::method(out, CHANNEL, AMQPClass::Basic(method));
}

fn queue(out: &mut BytesMut, channel: u16, method: queue::AMQPMethod) {
    frames::method(out, channel, AMQPClass::Queue(method));
}

/// Names and keys have at most 255 bytes; what is longer, no other can mean.
pub(super) fn short(text: &str) -> ShortString {
    ShortString::try_new(&text[..text.floor_char_boundary(255)]).unwrap_or_default()
}
