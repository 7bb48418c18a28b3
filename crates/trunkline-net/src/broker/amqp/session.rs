//! [`Session`]: a connection to the broker, from being open to its end.

use super::{
    address::Address,
    careful::{Careful, Job},
    frames::{self, Frame, SET_UP},
    held::Held,
    incoming::Incoming,
    opening::{Opened, PATIENCE},
    outbox::{Outbox, SetUp},
    over::{self, Over},
    reading::{Announced, Kind, Properties},
    serving::Serving,
    stopping::Stopping,
    topology,
    trouble::Trouble,
};
use crate::{
    broker::{Arrival, Delivery, Inbox, Ticket},
    clock::{after, now},
};
use amq_protocol::protocol::{AMQPClass, basic, channel, connection, queue};
use bytes::{Bytes, BytesMut};
use std::{
    collections::HashMap,
    io, mem,
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
    address: &'a Address,
    outbox: &'a Outbox,
    inbox: &'a dyn Inbox,
    frame_max: usize,
    /// What is being written.
    out: BytesMut,
    /// Until all is set up.
    set_up: Option<SetUp>,
    /// Which of the times that the line was restored, once it is.
    restored: Option<u64>,
    serving: Serving,
    careful: Careful,
    /// When the broker last did something for which it is waited.
    last_done: Instant,
    held: Held,
    /// Those of them that the node has no room for yet.
    over: Over,
    /// What has come in part, by its channel.
    incoming: HashMap<u16, Incoming>,
    stopping: Option<Stopping>,
    is_leaving: bool,
    has_said_bye: bool,
    has_ended: bool,
}

impl<'a> Session<'a> {
    /// Speaks for the node until it leaves, or the broker is lost; whether it was there
    /// until then.
    pub(super) async fn run(
        opened: Opened,
        address: &'a Address,
        outbox: &'a Outbox,
        inbox: &'a dyn Inbox,
    ) -> (bool, Result<(), Trouble>) {
        let mut session = Self {
            address,
            outbox,
            inbox,
            frame_max: opened.frame_max,
            out: BytesMut::new(),
            set_up: None,
            restored: None,
            serving: Serving::default(),
            careful: Careful::new(),
            last_done: now(),
            held: Held::default(),
            over: Over::default(),
            incoming: HashMap::new(),
            stopping: None,
            is_leaving: false,
            has_said_bye: false,
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
            if self.out.is_empty() && self.restored.is_some() && self.serving.is_set_up() {
                self.take(&mut settled);
            }
            self.go_on_asking();
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
        let orders = self.outbox.take(self.serving.keys.len(), &mut self.out, settled);
        // after all that was said before, such as the answers
        self.held.settle(settled.drain(..), &mut self.out);
        if !orders.leave {
            self.hand_over();
        }
        self.serve(orders.to_serve);
        if orders.stop {
            self.stop(!orders.leave);
        }
        self.is_leaving |= orders.leave;
    }

    /// More is to be served.
    fn serve(&mut self, keys: Vec<String>) {
        self.last_done = now();
        let from = self.serving.add(keys);
        (from..self.serving.keys.len()).for_each(|number| self.careful.ask(Job::Bind(number)));
    }

    /// Takes what comes for a procedure.
    fn consume(&mut self, number: usize) {
        let key = &self.serving.keys[number];
        topology::consume_procedure(&mut self.out, &self.outbox.names, key, number);
    }

    /// Serves nothing any more; what waits for us is taken first if it `takes` it.
    fn stop(&mut self, takes: bool) {
        let procedures = self.serving.keys.len();
        self.last_done = now();
        (0..procedures).for_each(|number| topology::leave_procedure(&mut self.out, number));
        self.stopping = Some(Stopping::of(procedures, takes));
    }

    /// Asks for what is due, and is done with what is done.
    fn go_on_asking(&mut self) {
        self.careful.write(&self.serving.keys, &self.outbox.names, &mut self.out);
        if let Some(stopping) = &mut self.stopping {
            if stopping.is_done() {
                self.stopping = None;
                self.outbox.has_stopped();
            } else if self.over.is_empty()
                && self.held.len() < self.outbox.member.prefetch
                && let Some(number) = stopping.take_one()
            {
                let queue = self.outbox.names.queue(&self.serving.keys[number]);
                topology::take_one(&mut self.out, &queue);
            }
        }
        if self.is_leaving && self.stopping.is_none() && !mem::replace(&mut self.has_said_bye, true) {
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
        // procedures that were refused are waited for by nobody
        let is_awaited = self.set_up.is_some() || !self.serving.is_set_up() || self.stopping.is_some();
        if is_awaited && now.saturating_duration_since(self.last_done) > PATIENCE {
            return Err(Trouble::Late);
        }
        if let Some(stopping) = &self.stopping {
            stopping.keep_queues(&mut self.careful);
        } else if !self.is_leaving {
            self.serving.due(now).into_iter().for_each(|number| self.careful.ask(Job::Bind(number)));
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
                Frame::Message(channel, announced) => {
                    self.incoming.insert(channel, Incoming::new(announced));
                }
                Frame::Method(_, AMQPClass::Basic(method)) => self.basic(method)?,
                Frame::Method(SET_UP, method) => self.careful(method)?,
                Frame::Method(_, AMQPClass::Queue(queue::AMQPMethod::DeclareOk(_))) => {
                    self.serve(self.outbox.to_serve());
                    self.restore_if_set_up();
                }
                Frame::Method(_, AMQPClass::Connection(method)) => self.connection(method)?,
                Frame::Method(_, AMQPClass::Channel(channel::AMQPMethod::Close(close))) => {
                    let trouble = Trouble::of_channel(&close);
                    if let Trouble::TooLarge(largest) = trouble {
                        self.outbox.take_no_larger(largest);
                    }
                    return Err(trouble);
                }
                Frame::Method(..) | Frame::Heartbeat | Frame::Start => {}
                Frame::Header(channel, header) => {
                    let incoming = self.incoming.remove(&channel).ok_or(frames::Unreadable)?;
                    self.go_on(channel, incoming.begun(header));
                }
                Frame::Body(channel, part) => {
                    let incoming = self.incoming.remove(&channel).ok_or(frames::Unreadable)?;
                    self.go_on(channel, incoming.continued(&part));
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

    fn basic(&mut self, method: basic::AMQPMethod) -> Result<(), Trouble> {
        match method {
            basic::AMQPMethod::GetEmpty(_) => {
                self.last_done = now();
                if let Some(stopping) = &mut self.stopping {
                    stopping.emptied();
                }
            }
            basic::AMQPMethod::CancelOk(it) => {
                self.last_done = now();
                let number = topology::procedure_of(it.consumer_tag.as_str());
                if let (Some(stopping), Some(number)) = (&self.stopping, number) {
                    stopping.cancelled(number, &mut self.careful);
                }
            }
            basic::AMQPMethod::Cancel(it) => {
                let number = topology::procedure_of(it.consumer_tag.as_str());
                let number = number.ok_or_else(|| Trouble::QueueDeleted(it.consumer_tag.to_string()))?;
                if self.stopping.is_none() && number < self.serving.keys.len() {
                    self.careful.ask(Job::Bind(number));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What is said where procedures are set up.
    fn careful(&mut self, method: AMQPClass) -> Result<(), Trouble> {
        let counted = match method {
            AMQPClass::Channel(channel::AMQPMethod::OpenOk(_)) => {
                self.careful.opened();
                return Ok(());
            }
            AMQPClass::Channel(channel::AMQPMethod::Close(close)) => {
                let trouble = Trouble::Refused(close.reply_code, close.reply_text.to_string());
                let Some(job) = self.careful.refused(&mut self.out) else { return Err(trouble) };
                self.last_done = now();
                if let Job::Bind(number) = job {
                    self.serving.refused(number, &trouble, now());
                    self.restore_if_set_up();
                }
                if let Some(stopping) = &mut self.stopping {
                    stopping.refused(job);
                }
                return Ok(());
            }
            AMQPClass::Queue(queue::AMQPMethod::DeclareOk(it)) => (it.consumer_count, it.message_count),
            AMQPClass::Queue(queue::AMQPMethod::BindOk(_) | queue::AMQPMethod::UnbindOk(_)) => (0, 0),
            _ => return Ok(()),
        };
        let Some(job) = self.careful.answered() else { return Ok(()) };
        self.last_done = now();
        if let Job::Bind(number) = job {
            self.serving.bound(number);
            if self.restored.is_some() && self.stopping.is_none() && !self.is_leaving {
                self.consume(number);
            }
            self.restore_if_set_up();
        }
        if let Some(stopping) = &mut self.stopping {
            stopping.done(job, counted, &mut self.careful);
        }
        Ok(())
    }

    /// Says that the broker is there, once that is so.
    fn restore_if_set_up(&mut self) {
        if !self.serving.is_set_up() {
            return;
        }
        let Some(set_up) = self.set_up.take() else { return };
        let Some((restored, serves)) = self.outbox.restore(set_up, self.frame_max, &mut self.out) else {
            self.has_ended = true;
            return;
        };
        self.restored = Some(restored);
        if serves {
            let bound: Vec<_> = self.serving.all_bound().collect();
            bound.into_iter().for_each(|number| self.consume(number));
        } else {
            self.stop(false);
        }
        tracing::info!(address = %self.address, "RabbitMQ is there");
        self.inbox.arrived(Arrival::Restored);
    }

    /// Gives the node as many requests as it has room for.
    fn hand_over(&mut self) {
        // what was held for too long is settled, and may still wait
        while self.held.len().saturating_sub(self.over.len()) < self.outbox.member.prefetch {
            let Some(request) = self.over.pop() else { return };
            if request.until.is_some_and(|until| until <= now()) {
                self.held.settle([request.tag], &mut self.out);
            } else {
                self.give(request);
            }
        }
    }

    /// Gives the node a request.
    fn give(&self, request: over::Request) {
        let over::Request { tag, redelivered, reply_to, body, .. } = request;
        let Some(restored) = self.restored else { return };
        let ticket = Ticket { restored, number: tag };
        self.inbox.arrived(Arrival::Request(Delivery { reply_to: &reply_to, redelivered, body, ticket }));
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
        let Incoming { announced, properties, body, .. } = incoming;
        let is_readable = properties.is_ok();
        let properties = properties.unwrap_or_else(|reason| {
            tracing::warn!(reason, "a message of others on RabbitMQ was passed over");
            Properties::default()
        });
        let Properties { kind, reply_to, expires, message_id } = properties;
        let body = Bytes::from(body);
        match announced {
            Announced::Request { tag, redelivered } => {
                self.held.add(tag, now());
                if let Some(stopping) = self.stopping.as_mut() {
                    stopping.taken();
                }
                if !is_readable || kind != Kind::Request {
                    return self.held.settle([tag], &mut self.out);
                }
                let until = expires.and_then(|expires| after(now(), expires));
                let request = over::Request { tag, redelivered, reply_to, body, until };
                if self.over.is_full() {
                    self.give(request);
                } else {
                    self.over.push(request);
                    self.hand_over();
                }
            }
            Announced::Answer if kind == Kind::Response && is_readable => {
                self.inbox.arrived(Arrival::Answer(body));
            }
            Announced::Event { topic: Some(topic) } if is_readable => {
                self.inbox.arrived(Arrival::Event { topic: &topic, body });
            }
            Announced::Returned => self.inbox.arrived(Arrival::Unroutable { id: &message_id }),
            Announced::Answer | Announced::Event { .. } => {}
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
