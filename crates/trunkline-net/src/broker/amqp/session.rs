//! [`Session`]: a connection to the broker, from being open to its end.

use super::{
    frames::{self, Frame},
    held::Held,
    incoming::{Cause, Incoming},
    opening::Opened,
    outbox::{LARGEST, Outbox, Served, SetUp},
    topology,
    trouble::Trouble,
};
use crate::{
    broker::{Arrival, Delivery, Inbox, Ticket},
    clock::{after, now},
};
use amq_protocol::{
    protocol::{AMQPClass, basic, channel, connection, queue},
    types::ShortString,
};
use bytes::{Bytes, BytesMut};
use std::{
    collections::{HashMap, VecDeque},
    io,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    select,
    time::{MissedTickBehavior, interval},
};

/// How much is read at once.
const READ: usize = 64 << 10;

/// A connection to the broker, from being open to its end.
pub(super) struct Session<'a> {
    outbox: &'a Outbox,
    inbox: &'a dyn Inbox,
    frame_max: usize,
    /// What is being written.
    out: BytesMut,
    /// Until all is set up.
    set_up: Option<SetUp>,
    /// Which of the times that the line was restored, once it is.
    restored: Option<u64>,
    held: Held,
    /// Those of them that the node has no room for yet.
    over: VecDeque<Over>,
    /// What has come in part, by its channel.
    incoming: HashMap<u16, Incoming>,
    stopping: Option<Stopping>,
    is_leaving: bool,
    has_ended: bool,
}

/// A request that has come for one queue, while the node has its fill with those of others.
struct Over {
    tag: u64,
    redelivered: bool,
    reply_to: String,
    body: Bytes,
    /// When it expires.
    until: Option<Instant>,
}

/// What is left to do until nothing is served any more.
#[derive(Default)]
struct Stopping {
    /// How many answers are to come, two of each queue: who is left to take from it, and
    /// that no more is delivered from it, which may come later.
    unsaid: usize,
    /// Those that nobody is left to take from but us.
    left_to_us: VecDeque<String>,
    /// Whether one was asked for a message.
    has_asked: bool,
}

impl<'a> Session<'a> {
    /// Speaks for the node until it leaves, or the broker is lost; whether it was there
    /// until then.
    pub(super) async fn run(
        opened: Opened,
        outbox: &'a Outbox,
        inbox: &'a dyn Inbox,
    ) -> (bool, Result<(), Trouble>) {
        let mut session = Self {
            outbox,
            inbox,
            frame_max: opened.frame_max,
            out: BytesMut::new(),
            set_up: None,
            restored: None,
            held: Held::default(),
            over: VecDeque::new(),
            incoming: HashMap::new(),
            stopping: None,
            is_leaving: false,
            has_ended: false,
        };
        session.set_up = Some(outbox.set_up(&mut session.out));
        let ended = session.speak(opened).await;
        (session.restored.is_some(), ended)
    }

    async fn speak(&mut self, opened: Opened) -> Result<(), Trouble> {
        let Opened { stream, mut input, heartbeat, .. } = opened;
        let (mut reader, mut writer) = split(stream);
        let mut ticks = interval(heartbeat / 2);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut heard, mut said, mut is_flushed) = (now(), now(), true);
        let mut settled = Vec::new();
        self.hear_all(&mut input)?;
        while !self.has_ended {
            if self.out.is_empty() && self.restored.is_some() {
                self.take(&mut settled);
            }
            input.reserve(READ);
            select! {
                read = reader.read_buf(&mut input) => {
                    if read? == 0 {
                        return Err(Trouble::Closed);
                    }
                    heard = now();
                    self.hear_all(&mut input)?;
                }
                sent = send(&mut writer, &mut self.out), if !self.out.is_empty() || !is_flushed => {
                    (said, is_flushed) = (now(), sent?);
                }
                () = self.outbox.said.notified(), if self.out.is_empty() => {}
                _ = ticks.tick() => self.beat(heartbeat, heard, said)?,
                () = self.outbox.dropped.cancelled() => return Ok(()),
            }
        }
        Ok(())
    }

    /// Takes what there is to say by now.
    fn take(&mut self, settled: &mut Vec<u64>) {
        let orders = self.outbox.take(&mut self.out, settled);
        // after all that was said before, such as the answers
        self.held.settle(settled.drain(..), &mut self.out);
        if !orders.leave {
            self.hand_over();
        }
        let Outbox { names, member, .. } = self.outbox;
        for Served { number, key } in &orders.unserved {
            topology::unbind_procedure(&mut self.out, names, &member.id, key);
            topology::leave_procedure(&mut self.out, names, key, *number);
            self.stopping.get_or_insert_default().unsaid += 2;
        }
        self.go_on_stopping();
        if orders.leave && !self.is_leaving {
            self.is_leaving = true;
            let close = connection::Close {
                reply_code: 200,
                reply_text: topology::short("bye"),
                class_id: 0,
                method_id: 0,
            };
            frames::method(&mut self.out, 0, AMQPClass::Connection(connection::AMQPMethod::Close(close)));
        }
    }

    /// From time to time.
    fn beat(&mut self, heartbeat: Duration, heard: Instant, said: Instant) -> Result<(), Trouble> {
        let now = now();
        if now.saturating_duration_since(heard) > heartbeat * 2 {
            return Err(Trouble::Silent);
        }
        self.held.settle_old(now, &mut self.out);
        if self.out.is_empty() && now.saturating_duration_since(said) >= heartbeat / 2 {
            frames::heartbeat(&mut self.out);
        }
        Ok(())
    }

    fn hear_all(&mut self, input: &mut BytesMut) -> Result<(), Trouble> {
        while let Some(frame) = frames::read(input, self.frame_max)? {
            match frame {
                Frame::Method(channel, AMQPClass::Basic(method)) => self.basic(channel, method)?,
                Frame::Method(_, AMQPClass::Queue(queue::AMQPMethod::DeclareOk(counted))) => {
                    self.declared(counted)
                }
                Frame::Method(_, AMQPClass::Connection(method)) => self.connection(method)?,
                Frame::Method(_, AMQPClass::Channel(channel::AMQPMethod::Close(close))) => {
                    return Err(Trouble::Refused(close.reply_code, close.reply_text.to_string()));
                }
                Frame::Method(..) | Frame::Heartbeat => {}
                Frame::Header(channel, header) => {
                    let incoming = self.incoming.remove(&channel).ok_or(frames::Unreadable)?;
                    self.go_on(channel, incoming.begun(header));
                }
                Frame::Body(channel, part) => {
                    let incoming = self.incoming.remove(&channel).ok_or(frames::Unreadable)?;
                    self.go_on(channel, incoming.continued(&part)?);
                }
            }
        }
        Ok(())
    }

    fn connection(&mut self, method: connection::AMQPMethod) -> Result<(), Trouble> {
        match method {
            connection::AMQPMethod::Close(close) => {
                return Err(Trouble::Refused(close.reply_code, close.reply_text.to_string()));
            }
            connection::AMQPMethod::CloseOk(_) => self.has_ended = true,
            connection::AMQPMethod::Blocked(blocked) => {
                let reason = blocked.reason.as_str();
                tracing::warn!(reason, "RabbitMQ takes no messages for now: calls are refused until it does");
                self.outbox.block(true);
            }
            connection::AMQPMethod::Unblocked(_) => {
                tracing::info!("RabbitMQ takes messages again");
                self.outbox.block(false);
            }
            _ => {}
        }
        Ok(())
    }

    fn basic(&mut self, channel: u16, method: basic::AMQPMethod) -> Result<(), Trouble> {
        let cause = match method {
            basic::AMQPMethod::Deliver(it) => match it.consumer_tag.as_str() {
                topology::ANSWERS => Cause::Answer,
                topology::EVENTS => Cause::Event { topic: it.routing_key },
                _ => Cause::Request { tag: it.delivery_tag, redelivered: it.redelivered },
            },
            basic::AMQPMethod::GetOk(it) => {
                if let Some(stopping) = &mut self.stopping {
                    stopping.has_asked = false;
                }
                Cause::Request { tag: it.delivery_tag, redelivered: it.redelivered }
            }
            basic::AMQPMethod::Return(_) => Cause::Returned,
            basic::AMQPMethod::GetEmpty(_) => {
                if let Some(stopping) = &mut self.stopping {
                    stopping.has_asked = false;
                    stopping.left_to_us.pop_front();
                }
                self.go_on_stopping();
                return Ok(());
            }
            basic::AMQPMethod::CancelOk(_) => {
                if let Some(stopping) = &mut self.stopping {
                    stopping.unsaid = stopping.unsaid.saturating_sub(1);
                }
                self.go_on_stopping();
                return Ok(());
            }
            basic::AMQPMethod::Cancel(it) => return Err(Trouble::QueueDeleted(it.consumer_tag.to_string())),
            _ => return Ok(()),
        };
        self.incoming.insert(channel, Incoming::new(cause));
        Ok(())
    }

    fn declared(&mut self, counted: queue::DeclareOk) {
        if let Some(set_up) = self.set_up.take() {
            self.restored = self.outbox.restore(set_up, self.frame_max);
            match self.restored {
                Some(_) => self.inbox.arrived(Arrival::Restored),
                None => self.has_ended = true,
            }
        } else if let Some(stopping) = &mut self.stopping {
            stopping.unsaid = stopping.unsaid.saturating_sub(1);
            if counted.consumer_count == 0 && counted.message_count > 0 {
                stopping.left_to_us.push_back(counted.queue.to_string());
            }
            self.go_on_stopping();
        }
    }

    /// Takes what nobody else will, as far as the node may hold it.
    fn go_on_stopping(&mut self) {
        let is_ready = |it: &&mut Stopping| it.unsaid == 0 && !it.has_asked && self.over.is_empty();
        let Some(stopping) = self.stopping.as_mut().filter(is_ready) else { return };
        match stopping.left_to_us.front() {
            Some(queue) if self.held.len() < self.outbox.member.prefetch => {
                topology::take_one(&mut self.out, queue);
                stopping.has_asked = true;
            }
            Some(_) => {}
            None => {
                self.stopping = None;
                self.outbox.has_stopped();
            }
        }
    }

    /// Gives the node as many requests as it has room for.
    fn hand_over(&mut self) {
        // what was held for too long is settled, and may still wait
        while self.held.len().saturating_sub(self.over.len()) < self.outbox.member.prefetch {
            let (Some(over), Some(restored)) = (self.over.pop_front(), self.restored) else { return };
            let Over { tag, redelivered, reply_to, body, until } = over;
            if until.is_some_and(|until| until <= now()) {
                self.held.settle([tag], &mut self.out);
                continue;
            }
            let ticket = Ticket { restored, number: tag };
            let delivery = Delivery { reply_to: &reply_to, redelivered, body, ticket };
            self.inbox.arrived(Arrival::Request(delivery));
        }
    }

    /// Hands on what has arrived, if all of it has.
    fn go_on(&mut self, channel: u16, incoming: Incoming) {
        if !incoming.is_whole() {
            self.incoming.insert(channel, incoming);
            return;
        }
        if self.restored.is_none() || self.is_leaving {
            return;
        }
        let Incoming { cause, properties, body, size, .. } = incoming;
        let is = |kind: &str| properties.kind().as_ref().is_some_and(|it| it.as_str() == kind);
        let is_too_large = size > LARGEST as u64;
        if is_too_large && !matches!(cause, Cause::Returned) {
            tracing::warn!(size, largest = LARGEST, "a message that is too large was passed over");
        }
        let body = Bytes::from(body);
        match cause {
            Cause::Request { tag, redelivered } => {
                self.held.add(tag, now());
                if is_too_large || !is("request") {
                    self.held.settle([tag], &mut self.out);
                } else {
                    let text = |value: &Option<ShortString>| value.as_ref().map(ToString::to_string);
                    let expiration = text(properties.expiration()).and_then(|millis| millis.parse().ok());
                    let until = expiration.and_then(|millis| after(now(), Duration::from_millis(millis)));
                    let reply_to = text(properties.reply_to()).unwrap_or_default();
                    self.over.push_back(Over { tag, redelivered, reply_to, body, until });
                    self.hand_over();
                }
                self.go_on_stopping();
            }
            Cause::Answer if is("response") && !is_too_large => self.inbox.arrived(Arrival::Answer(body)),
            Cause::Event { topic } if !is_too_large => {
                self.inbox.arrived(Arrival::Event { topic: topic.as_str(), body });
            }
            Cause::Returned => {
                if let Some(id) = properties.message_id() {
                    self.inbox.arrived(Arrival::Unroutable { id: id.as_str() });
                }
            }
            Cause::Answer | Cause::Event { .. } => {}
        }
    }
}

/// Sends some of what there is to be sent, or sees to it that it leaves, which is the last
/// thing to do and then `true`.
async fn send(writer: &mut (impl AsyncWrite + Unpin), out: &mut BytesMut) -> io::Result<bool> {
    if out.is_empty() {
        writer.flush().await?;
        return Ok(true);
    }
    match writer.write_buf(out).await? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        _ => Ok(false),
    }
}
