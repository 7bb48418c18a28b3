//! What is declared, bound and consumed.
//!
//! | what | flags |
//! |---|---|
//! | exchanges | direct, durable, as `therms` declares them |
//! | queue of a procedure | durable, so that callers who are back sooner than those who serve it find it; it goes when nobody has consumed it for [10 s](UNUSED) |
//! | queues of a node, for answers and for events | exclusive |
//!
//! Each node that serves a procedure binds its queue with an argument of its own: for
//! RabbitMQ that is a binding of its own, which it can take away without the others'.

use super::{
    frames::{self, CHANNEL, REPLIES},
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
    declare(out, queue::Declare { exclusive: true, auto_delete: true, nowait: !told, ..named(name) });
}

/// Has events come to the queue `name`.
pub(super) fn hear(out: &mut BytesMut, names: &Names, name: &str, topic: &str) {
    bind(out, name, &names.events, topic, FieldTable::default());
}

/// Declares and binds the queue of a procedure.
pub(super) fn bind_procedure(out: &mut BytesMut, names: &Names, node: &str, key: &str) {
    let queue = names.queue(key);
    let mut arguments = FieldTable::default();
    arguments.insert(short("x-expires"), AMQPValue::LongUInt(UNUSED));
    declare(out, queue::Declare { durable: true, nowait: true, arguments, ..named(&queue) });
    bind(out, &queue, names.exchange(key), key, of_node(node));
}

/// Takes requests of the procedure that was bound as the `number`th.
pub(super) fn consume_procedure(out: &mut BytesMut, names: &Names, key: &str, number: usize) {
    consume(out, CHANNEL, &names.queue(key), &format!("r{number}"));
}

/// Has no more requests go to the queue for the sake of this node.
pub(super) fn unbind_procedure(out: &mut BytesMut, names: &Names, node: &str, key: &str) {
    let unbind = queue::Unbind {
        queue: short(&names.queue(key)),
        exchange: short(names.exchange(key)),
        routing_key: short(key),
        arguments: of_node(node),
    };
    queue(out, queue::AMQPMethod::Unbind(unbind));
}

/// Takes no more of them, and asks how many there are, and others to take them: whoever
/// finds that there are no others takes them all, so that of several who stop at the same
/// time one does.
pub(super) fn leave_procedure(out: &mut BytesMut, names: &Names, key: &str, number: usize) {
    let consumer_tag = short(&format!("r{number}"));
    basic(out, basic::AMQPMethod::Cancel(basic::Cancel { consumer_tag, nowait: false }));
    declare(out, queue::Declare { passive: true, ..named(&names.queue(key)) });
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

fn bind(out: &mut BytesMut, name: &str, exchange: &str, key: &str, arguments: FieldTable) {
    let bind = queue::Bind {
        queue: short(name),
        exchange: short(exchange),
        routing_key: short(key),
        nowait: true,
        arguments,
    };
    queue(out, queue::AMQPMethod::Bind(bind));
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

fn declare(out: &mut BytesMut, declare: queue::Declare) {
    queue(out, queue::AMQPMethod::Declare(declare));
}

fn of_node(node: &str) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert(short("trunkline-node"), AMQPValue::LongString(node.into()));
    arguments
}

fn basic(out: &mut BytesMut, method: basic::AMQPMethod) {
    frames::method(out, CHANNEL, AMQPClass::Basic(method));
}

fn queue(out: &mut BytesMut, method: queue::AMQPMethod) {
    frames::method(out, CHANNEL, AMQPClass::Queue(method));
}

/// Names and keys have at most 255 bytes; what is longer, no other can mean.
pub(super) fn short(text: &str) -> ShortString {
    ShortString::try_new(&text[..text.floor_char_boundary(255)]).unwrap_or_default()
}
